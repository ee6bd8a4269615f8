package vendorer

import (
	"context"
	"io"
	"os"
	"path/filepath"

	"github.com/greenticai/packvendor/internal/atomicfile"
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
	f, done, err := o.alone(fo)
	if err != nil {
		return packfetch.Result{}, err
	}
	defer done()
	return f.FetchToCache(ctx, reference)
}

// FetchFile is Fetch to the file output, which gets the verified bytes whole, or is
// left as it was. The Result's Path is output.
func FetchFile(ctx context.Context, o Options, fo FetchOptions, reference, output string) (packfetch.Result, error) {
	f, done, err := o.alone(fo)
	if err != nil {
		return packfetch.Result{}, err
	}
	defer done()
	pack, err := f.Resolve(ctx, reference, "")
	if err != nil {
		return packfetch.Result{}, err
	}
	dir, err := os.OpenRoot(filepath.Dir(output))
	if err != nil {
		return packfetch.Result{}, err
	}
	defer dir.Close()
	file, err := atomicfile.Create(dir, filepath.Base(output))
	if err != nil {
		return packfetch.Result{}, err
	}
	defer file.Discard()
	fetched, err := f.Copy(ctx, pack, file)
	if err == nil {
		err = file.Finish(true)
	}
	if err == nil {
		err = file.Commit()
	}
	return resultOf(pack, output, fetched), err
}

// FetchTo is Fetch to w, which gets verified bytes only.
func FetchTo(ctx context.Context, o Options, fo FetchOptions, reference string, w io.Writer) error {
	f, done, err := o.alone(fo)
	if err != nil {
		return err
	}
	defer done()
	pack, err := f.Resolve(ctx, reference, "")
	if err != nil {
		return err
	}
	copied, err := newScratch()
	if err != nil {
		return err
	}
	defer copied.remove()
	if _, err := f.Copy(ctx, pack, copied); err != nil {
		return err
	}
	_, err = io.Copy(w, copied.source(pack.Layer.Size))
	return err
}

// alone returns a fetcher that works for no project, and what to call when it has
// done its work.
func (o Options) alone(fo FetchOptions) (*packfetch.Fetcher, func(), error) {
	tell, meter := &teller{tell: o.Events}, &meter{tell: o.Progress}
	f, err := o.fetcher(func(f *packfetch.Options) {
		f.AllowTags, f.InsecureRegistries = fo.AllowTags, fo.InsecureRegistries
		f.Copied = meter.copiedOne
	}, ".", tell.event)
	return f, tell.flush, err
}

func resultOf(pack *packfetch.Pack, path string, fetched bool) packfetch.Result {
	return packfetch.Result{
		OriginalReference:   pack.Reference,
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

func (s *scratch) Write(p []byte) (int, error) { return s.file.Write(p) }

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
