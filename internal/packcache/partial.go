package packcache

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"time"

	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/regularfile"
)

// partialDir holds the first bytes of layers from interrupted downloads. They prove
// nothing: a download that continues one hashes it first. Only the user may read them:
// mode 0600.
const partialDir = ".partial"

// minPartial is the least number of bytes worth keeping.
const minPartial = 1 << 20

// Partial opens the kept bytes of a layer, and returns their number. It opens only a
// file of this user with no other name: another user's file could lead anywhere. The
// error is fs.ErrNotExist if there is none.
func (c *Cache) Partial(layer ociref.Digest) (io.ReadCloser, int64, error) {
	root, err := c.openPartials()
	if err != nil {
		return nil, 0, err
	}
	defer root.Close()
	file, info, err := openNoLink(root, path.Join(partialDir, layer.Hex()))
	switch {
	case errors.As(err, new(*regularfile.PlaceError)):
		return nil, 0, fs.ErrNotExist
	case err != nil:
		return nil, 0, err
	}
	if !isOurs(info) {
		file.Close()
		return nil, 0, fs.ErrNotExist
	}
	return file, info.Size(), nil
}

// openPartials opens the root, if the folder of partials is a folder and no link.
func (c *Cache) openPartials() (*os.Root, error) {
	info, err := os.Lstat(filepath.Join(c.root, partialDir))
	if err == nil && !info.IsDir() {
		err = &CorruptError{Path: filepath.Join(c.root, partialDir), Err: errNotDir}
	}
	if err != nil {
		return nil, err
	}
	return os.OpenRoot(c.root)
}

// KeepPartial ends the draft of an interrupted download. It keeps the layer's bytes for
// the next one if they are enough, and more than those kept before. The caller calls
// Discard all the same. An error means that nothing was kept.
func (d *Draft) KeepPartial(layer ociref.Digest) error {
	if d.pack.Written() < minPartial {
		return nil
	}
	err := os.Mkdir(filepath.Join(d.cache.root, partialDir), 0o777)
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	root, err := d.cache.openPartials()
	if err != nil {
		return err
	}
	defer root.Close()
	name := path.Join(partialDir, layer.Hex())
	if info, err := root.Lstat(name); err == nil && info.Mode().IsRegular() && isOurs(info) && info.Size() >= d.pack.Written() {
		return nil
	}
	return d.pack.Rescue(root, d.manifest.Hex(), name, 0o600)
}

// RemovePartial removes the kept bytes of a layer, if there are any.
func (c *Cache) RemovePartial(layer ociref.Digest) {
	root, err := c.openPartials()
	if err != nil {
		return
	}
	defer root.Close()
	root.Remove(path.Join(partialDir, layer.Hex()))
	root.Remove(partialDir) // fails if others are in it
}

// A partial is the kept bytes of a layer.
type partial struct {
	layer ociref.Digest
	size  int64
	kept  time.Time
}

// partials lists the kept bytes of all layers, oldest first.
func (c *Cache) partials() []partial {
	root, err := c.openPartials()
	if err != nil {
		return nil
	}
	defer root.Close()
	dir, err := root.Open(partialDir)
	if err != nil {
		return nil
	}
	defer dir.Close()
	var found []partial
	names, _ := dir.Readdirnames(-1)
	for _, name := range names {
		layer, err := ociref.ParseDigest("sha256:" + name)
		if err != nil {
			continue
		}
		if info, err := root.Lstat(path.Join(partialDir, name)); err == nil && info.Mode().IsRegular() {
			found = append(found, partial{layer, info.Size(), info.ModTime()})
		}
	}
	slices.SortFunc(found, func(a, b partial) int { return a.kept.Compare(b.kept) })
	return found
}
