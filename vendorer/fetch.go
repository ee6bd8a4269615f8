package vendorer

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/greenticai/packvendor/internal/atomicfile"
	"github.com/greenticai/packvendor/internal/fetch"
	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/regularfile"
	"github.com/greenticai/packvendor/internal/verified"
	"github.com/greenticai/packvendor/packfetch"
)

// FetchOptions say what holds for one reference, outside any project.
type FetchOptions struct {
	AllowTags          bool
	InsecureRegistries []string
}

// Fetch sees that the cache holds the pack that reference names. It needs no
// project.
func Fetch(ctx context.Context, o Options, fo FetchOptions, reference string) (packfetch.Result, error) {
	f, err := o.alone(fo)
	if err != nil {
		return packfetch.Result{}, err
	}
	defer f.tell.flush()
	pack, err := f.resolve(ctx, reference)
	if err != nil {
		return packfetch.Result{}, err
	}
	return f.ToCache(ctx, pack)
}

// FetchFile is Fetch to the file output, which gets the verified bytes whole, or is
// left as it was. The Result's Path is output. Before any request it is a
// *PlaceError if there is no directory for output, or if something else than a
// regular file stands in its place.
func FetchFile(ctx context.Context, o Options, fo FetchOptions, reference, output string) (packfetch.Result, error) {
	dir, err := openOutputDir(output)
	if err != nil {
		return packfetch.Result{}, err
	}
	defer dir.Close()
	f, err := o.alone(fo)
	if err != nil {
		return packfetch.Result{}, err
	}
	defer f.tell.flush()
	pack, err := f.resolve(ctx, reference)
	if err != nil {
		return packfetch.Result{}, err
	}
	file, err := atomicfile.Create(dir, filepath.Base(output))
	if err != nil {
		return packfetch.Result{}, err
	}
	defer file.Discard()
	file.WriteEarly()
	fetched, err := f.copy(ctx, pack, file)
	if err == nil {
		err = atomicfile.CommitAll(file)
	}
	if err == nil {
		err = atomicfile.SyncDir(dir, ".")
	}
	return resultOf(pack, output, fetched), err
}

// openOutputDir opens the directory in which output can be written by rename: what is
// a device or leads elsewhere would not be written to, but replaced.
func openOutputDir(output string) (*os.Root, error) {
	if info, err := os.Stat(output); err == nil && info.IsDir() {
		return nil, &PlaceError{Path: output, Reason: "is a directory"}
	}
	if info, err := os.Lstat(output); err == nil {
		if reason := regularfile.Irregular(info); reason != "" {
			return nil, &PlaceError{Path: output, Reason: reason}
		}
	}
	dir := filepath.Dir(output)
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, &PlaceError{Path: dir, Reason: "does not exist"}
	case errors.Is(err, syscall.ENOTDIR), err == nil && !info.IsDir():
		return nil, &PlaceError{Path: dir, Reason: "is not a directory"}
	case err != nil:
		return nil, err
	}
	return os.OpenRoot(dir)
}

// FetchTo is Fetch to w, which gets verified bytes only.
func FetchTo(ctx context.Context, o Options, fo FetchOptions, reference string, w io.Writer) error {
	f, err := o.alone(fo)
	if err != nil {
		return err
	}
	defer f.tell.flush()
	pack, err := f.resolve(ctx, reference)
	if err != nil {
		return err
	}
	copied, err := newScratch()
	if err != nil {
		return err
	}
	defer copied.remove()
	if _, err := f.copy(ctx, pack, copied); err != nil {
		return err
	}
	_, err = io.Copy(w, verified.Reader(ctx, copied.source(pack.Layer.Size)))
	return err
}

// A lone fetcher works for no project.
type lone struct {
	*fetch.Fetcher
	tell  *teller // to be flushed when the work is done
	meter *meter
}

func (o Options) alone(fo FetchOptions) (*lone, error) {
	tell, meter := &teller{tell: o.Events}, &meter{tell: o.Progress}
	meter.begin(PhaseResolving, 1, 0)
	f, err := o.fetcher(func(f *packfetch.Options) {
		f.AllowTags, f.InsecureRegistries = fo.AllowTags, fo.InsecureRegistries
		f.Copied = meter.copiedOne
	}, filepath.Dir(Nearest()), tell.event)
	return &lone{f, tell, meter}, err
}

func (f *lone) resolve(ctx context.Context, reference string) (*fetch.Pack, error) {
	ref, err := ociref.Parse(reference)
	if err != nil {
		return nil, err
	}
	return f.Resolve(ctx, ref, "")
}

// copy is Copy, and tells where the pack is a doubtful one.
func (f *lone) copy(ctx context.Context, pack *fetch.Pack, to interface {
	fetch.Sink
	io.ReaderAt
}) (fetched bool, err error) {
	fetched, err = f.Copy(ctx, pack, to)
	if err != nil {
		return fetched, err
	}
	head := make([]byte, 4)
	n, _ := to.ReadAt(head, 0)
	if d, doubtful := f.Doubt(pack, head[:n]); doubtful {
		f.tell.event(Fetching{d})
	}
	return fetched, nil
}

func resultOf(pack *fetch.Pack, path string, fetched bool) packfetch.Result {
	return packfetch.Result{
		OriginalReference:   pack.Reference.Text(),
		ResolvedDigest:      string(pack.ManifestDigest),
		MediaType:           pack.Layer.MediaType,
		Path:                path,
		FetchedFromNetwork:  fetched,
		ManifestDigest:      string(pack.ManifestDigest),
		ManifestAnnotations: pack.Annotations,
	}
}

// A scratch is a private file for bytes that are looked at before they go on.
type scratch struct{ file *os.File }

func newScratch() (*scratch, error) {
	file, err := os.CreateTemp("", "packvendor-*.gtpack")
	return &scratch{file}, err
}

func (s *scratch) Write(p []byte) (int, error)             { return s.file.Write(p) }
func (s *scratch) ReadAt(p []byte, off int64) (int, error) { return s.file.ReadAt(p, off) }

func (s *scratch) Reset() error {
	if err := s.file.Truncate(0); err != nil {
		return err
	}
	_, err := s.file.Seek(0, io.SeekStart)
	return err
}

// source are the first size bytes.
func (s *scratch) source(size int64) *io.SectionReader { return io.NewSectionReader(s.file, 0, size) }

func (s *scratch) remove() {
	s.file.Close()
	os.Remove(s.file.Name())
}
