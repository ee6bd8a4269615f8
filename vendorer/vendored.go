package vendorer

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"runtime"

	"golang.org/x/sync/errgroup"

	"github.com/greenticai/packvendor/internal/verified"
)

// lfsPrefix begins a Git LFS pointer, and a pointer is shorter than lfsSize:
// https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md
const (
	lfsPrefix = "version https://git-lfs.github.com/spec/v1"
	lfsSize   = 1024
)

// vendored measures what stands in the places of the packs that packs.toml or
// packs.lock name, on all cores. Files are hashed if they have the size that is
// locked.
func (p *project) vendored(ctx context.Context) (map[string]Vendored, error) {
	wanted := map[string]int64{}
	for _, pack := range p.config.Packs {
		wanted[pack.Name] = unknownSize
	}
	for _, entry := range p.lock.Packs {
		wanted[entry.Name] = entry.Size
	}
	found := make(map[string]*Vendored, len(wanted))
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0))
	for name, size := range wanted {
		v := &Vendored{}
		found[name] = v
		group.Go(func() (err error) {
			*v, err = p.measure(ctx, p.packFile(name), size)
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

// unknownSize is that of a pack of which nothing is locked: no file has it.
const unknownSize = -1

// measure returns what the file name is; what is no regular file is nothing. Only a
// file of the wanted size is read, however large another one is.
func (p *project) measure(ctx context.Context, name string, size int64) (Vendored, error) {
	info, err := p.root.Lstat(name)
	if errors.Is(err, fs.ErrNotExist) || err == nil && !info.Mode().IsRegular() {
		return Vendored{}, nil
	}
	if err != nil {
		return Vendored{}, p.located(name, err)
	}
	file, err := p.root.Open(name)
	if err != nil {
		return Vendored{}, p.located(name, err)
	}
	defer file.Close()
	if info, err = file.Stat(); err != nil {
		return Vendored{}, p.located(name, err)
	}
	v := Vendored{Content: verified.Content{Size: info.Size()}, LFS: isPointer(file, info.Size())}
	if v.Size == size || v.Size == 0 { // no file at all has no digest
		v.Content, err = verified.Measure(ctx, file)
	}
	return v, p.located(name, err)
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

// measureAgain reads what stands in an item's place if it may be what the item will
// be locked as, and nobody could know that before.
func (r *run) measureAgain(ctx context.Context, i *item) (err error) {
	if v := i.Vendored; v.Digest == "" && !v.IsZero() && v.Size == i.entry.Size {
		i.Vendored, err = r.p.measure(ctx, r.p.packFile(i.Pack.Name), i.entry.Size)
	}
	return err
}
