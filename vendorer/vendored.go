package vendorer

import (
	"bytes"
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
// packs.lock name. Every byte is hashed, on all cores.
func (p *project) vendored() (map[string]Vendored, error) {
	names := map[string]bool{}
	for _, pack := range p.config.Packs {
		names[pack.Name] = true
	}
	for _, entry := range p.lock.Packs {
		names[entry.Name] = true
	}
	found := make(map[string]*Vendored, len(names))
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0))
	for name := range names {
		v := &Vendored{}
		found[name] = v
		group.Go(func() (err error) {
			*v, err = p.measure(p.packFile(name))
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

// measure returns what the file name is; what is no regular file is nothing.
func (p *project) measure(name string) (Vendored, error) {
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
	if info.Size() >= lfsSize {
		content, err := verified.Measure(file)
		return Vendored{Content: content}, p.located(name, err)
	}
	data, err := io.ReadAll(file)
	if err != nil {
		return Vendored{}, p.located(name, err)
	}
	content, err := verified.Measure(bytes.NewReader(data))
	return Vendored{Content: content, LFS: bytes.HasPrefix(data, []byte(lfsPrefix))}, err
}
