package project

import (
	"bufio"
	"context"
	"errors"
	"io"
	"io/fs"
	"runtime"

	"golang.org/x/sync/errgroup"

	"github.com/greenticai/packvendor/internal/marker"
	"github.com/greenticai/packvendor/internal/regularfile"
	"github.com/greenticai/packvendor/internal/verified"
	"github.com/greenticai/packvendor/lockfile"
)

// lfsPrefix begins a Git LFS pointer, and a pointer is shorter than lfsSize:
// https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md
const (
	lfsPrefix = "version https://git-lfs.github.com/spec/v1"
	lfsSize   = 1024
)

// ContentOf returns the digest and size of an entry's pack.
func ContentOf(entry lockfile.Entry) verified.Content {
	return verified.Content{Digest: entry.LayerDigest, Size: entry.Size}
}

// A Vendored describes the file in a vendored pack's place.
type Vendored struct {
	// Content is the zero value if there is no file. Digest is "" too if the file has
	// another size than the wanted one, and was not read.
	verified.Content
	LFS bool // the file is a Git LFS pointer, not a pack

	marker.Sample // for the generated file, if the file has a digest
}

// MeasureAll measures the files of all packs that packs.toml or packs.lock name, on all
// cores. It hashes files of the locked size.
func (p *Project) MeasureAll(ctx context.Context) (map[string]Vendored, error) {
	wanted := map[string]int64{}
	for _, pack := range p.Config.Packs {
		wanted[pack.Name] = unknownSize
	}
	for _, entry := range p.Lock.Entries {
		wanted[entry.Name] = entry.Size
	}
	found := make(map[string]*Vendored, len(wanted))
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0))
	for name, size := range wanted {
		v := &Vendored{}
		found[name] = v
		group.Go(func() (err error) {
			*v, err = p.Measure(ctx, p.PackFile(name), size)
			return err
		})
	}
	err := group.Wait()
	result := make(map[string]Vendored, len(found))
	for name, v := range found {
		result[name] = *v
	}
	return result, err
}

// Look measures the file of a pack without its digest.
func (p *Project) Look(ctx context.Context, name string) (Vendored, error) {
	return p.Measure(ctx, p.PackFile(name), unknownSize)
}

// unknownSize is the size for a pack without a locked entry: no file has it.
const unknownSize = -1

// Measure describes the file name; only a regular file counts. It reads only a file of
// the wanted size.
func (p *Project) Measure(ctx context.Context, name string, size int64) (Vendored, error) {
	info, err := p.Root.Lstat(name)
	if errors.Is(err, fs.ErrNotExist) || err == nil && !info.Mode().IsRegular() {
		return Vendored{}, nil
	}
	if err != nil {
		return Vendored{}, p.located(name, err)
	}
	file, err := p.Root.Open(name)
	if err != nil {
		return Vendored{}, p.located(name, err)
	}
	defer file.Close()
	if info, err = file.Stat(); err != nil {
		return Vendored{}, p.located(name, err)
	}
	v := Vendored{Content: verified.Content{Size: info.Size()}, LFS: isPointer(file, info.Size())}
	if v.Size == size || v.Size == 0 { // an empty file has a digest, no file has none
		r := bufio.NewReaderSize(file, int(min(v.Size, verified.ReadSize))) // what follows is read past it
		first, err := r.Peek(marker.HeadSize)
		if err != nil && !errors.Is(err, io.EOF) { // a second read of the same bytes may succeed
			return Vendored{}, p.located(name, err)
		}
		v.Head = marker.HeadOf(first)
		v.Part, v.Content, err = verified.MeasurePart(ctx, r, marker.PartSize)
		if err != nil {
			return v, p.located(name, err)
		}
	}
	return v, nil
}

// isPointer tells whether a file is a Git LFS pointer.
func isPointer(file io.ReaderAt, size int64) bool {
	head := make([]byte, len(lfsPrefix))
	if size >= lfsSize {
		return false
	}
	n, _ := file.ReadAt(head, 0)
	return string(head[:n]) == lfsPrefix
}

// OpenPack opens the vendored file of a pack and returns its size in bytes. Its bytes prove
// nothing. Errors: fs.ErrNotExist, *PlaceError, *fs.PathError.
func (p *Project) OpenPack(name string) (io.ReadCloser, int64, error) {
	at := p.PackFile(name)
	if err := p.CheckFile(at); err != nil {
		return nil, 0, err
	}
	file, info, err := regularfile.Open(p.Root, at)
	if err != nil {
		return nil, 0, p.located(at, err)
	}
	return file, info.Size(), nil
}

// Copy copies an entry's vendored pack to w. The error is *verified.MismatchError if
// its bytes are not the locked ones.
func (p *Project) Copy(ctx context.Context, entry lockfile.Entry, w io.Writer) error {
	file, err := p.Root.Open(p.PackFile(entry.Name))
	if err != nil {
		return err
	}
	defer file.Close()
	if info, err := file.Stat(); err == nil && info.Size() != entry.Size {
		return verified.Sized(info.Size(), ContentOf(entry))
	}
	return verified.Copy(ctx, w, file, ContentOf(entry))
}
