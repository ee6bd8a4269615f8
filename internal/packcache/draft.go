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

	"github.com/greenticai/packvendor/internal/atomicfile"
	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/regularfile"
)

// A Draft is an unpublished entry: the pack's bytes are written to it, verified, then
// published. One goroutine uses it.
type Draft struct {
	cache    *Cache
	manifest ociref.Digest
	entry    *os.Root
	pack     *atomicfile.File
	original Cloner // has the bytes until the end, and then shares them; or nil
}

// Draft begins the entry of a manifest. If lock is held it sweeps the temporaries of
// killed processes. The caller must call Discard, which does nothing after Publish. An
// error means that the cache cannot be written.
func (c *Cache) Draft(manifest ociref.Digest, lock *Lock) (*Draft, error) {
	entry, err := c.makeEntry(manifest, lock)
	if err != nil {
		return nil, err
	}
	pack, err := atomicfile.Create(entry, packFile)
	if err != nil {
		entry.Close()
		return nil, err
	}
	pack.WriteEarly()
	return &Draft{cache: c, manifest: manifest, entry: entry, pack: pack}, nil
}

// makeEntry opens an entry's directory for writing. It makes missing directories with
// mode 0777 less the umask.
func (c *Cache) makeEntry(manifest ociref.Digest, lock *Lock) (*os.Root, error) {
	if err := os.MkdirAll(c.root, 0o777); err != nil {
		return nil, err
	}
	err := os.Mkdir(filepath.Join(c.root, manifest.Hex()), 0o777)
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, err
	}
	entry, err := c.entry(manifest)
	if err == nil && lock.Held() {
		atomicfile.Sweep(entry, ".")
	}
	return entry, err
}

// ShareWith tells the draft of a file that gets the same bytes, size in all, and is empty
// so far. If the file system can share blocks, the draft writes nothing: at its end it
// shares those of the file.
func (d *Draft) ShareWith(file io.Writer, size int64) {
	original, ok := file.(Cloner)
	if ok && size >= minShared && d.cache.sharing.decide(func() bool {
		shared, err := original.CopyTo(d.pack) // of empty files
		return err == nil && shared
	}) {
		d.original = original
	}
}

// Write appends to the pack's bytes.
func (d *Draft) Write(p []byte) (int, error) {
	if d.original != nil {
		return len(p), nil
	}
	return d.pack.Write(p)
}

// Reset discards the pack's bytes.
func (d *Draft) Reset() error { return d.pack.Reset() }

// settle gives the draft the bytes of the original.
func (d *Draft) settle() error {
	if d.original == nil {
		return nil
	}
	_, err := d.original.CopyTo(d.pack)
	return err
}

// Publish makes the entry: manifest, metadata, and last the pack, so that a program that
// finds the pack finds the rest. The caller has verified the pack's bytes, and that body
// is the manifest.
func (d *Draft) Publish(body []byte, m Metadata) error {
	if err := d.settle(); err != nil {
		return err
	}
	if _, err := d.cache.Manifest(d.manifest); err == nil {
		body = nil // the entry has it already
	}
	proof, err := d.cache.beginProof(d.entry, body, &m)
	defer discard(proof)
	if err != nil {
		return err
	}
	return atomicfile.CommitAll(append(proof, d.pack)...)
}

// Discard ends the draft.
func (d *Draft) Discard() {
	d.pack.Discard()
	d.entry.Close()
}

// Heal writes manifest.json, if body is not nil, and metadata.json, if m is not nil, to
// an entry with a right pack.
func (c *Cache) Heal(manifest ociref.Digest, lock *Lock, body []byte, m *Metadata) error {
	entry, err := c.makeEntry(manifest, lock)
	if err != nil {
		return err
	}
	defer entry.Close()
	proof, err := c.beginProof(entry, body, m)
	defer discard(proof)
	if err != nil {
		return err
	}
	return atomicfile.CommitAll(proof...)
}

// beginProof begins an entry's small files, in the order of their names' appearance. The
// caller discards them, even on an error.
func (c *Cache) beginProof(entry *os.Root, body []byte, m *Metadata) (proof []*atomicfile.File, err error) {
	if body != nil {
		f, err := atomicfile.Begin(entry, manifestFile, body)
		if err != nil {
			return proof, err
		}
		proof = append(proof, f)
	}
	if m == nil {
		return proof, nil
	}
	data, err := c.stamped(*m)
	if err != nil {
		return proof, err
	}
	f, err := atomicfile.Begin(entry, metadataFile, data)
	if err != nil {
		return proof, err
	}
	return append(proof, f), nil
}

func discard(files []*atomicfile.File) {
	for _, f := range files {
		f.Discard()
	}
}

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
	if err := d.settle(); err != nil {
		return err
	}
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
