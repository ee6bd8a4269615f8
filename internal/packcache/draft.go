package packcache

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/greenticai/packvendor/internal/atomicfile"
	"github.com/greenticai/packvendor/internal/ociref"
)

// A Draft is an entry in the making: a pack's bytes are written to it, and
// after they were verified it is published. It is used by one goroutine.
type Draft struct {
	cache    *Cache
	manifest ociref.Digest
	entry    *os.Root
	pack     *atomicfile.File
}

// Draft begins the entry of a manifest. Leftovers of killed processes are
// swept if lock is held. The caller must call Discard, which does nothing
// after Publish. An error means that the cache cannot be written.
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
	return &Draft{cache: c, manifest: manifest, entry: entry, pack: pack}, nil
}

// makeEntry opens an entry's directory for writing; it makes what is missing
// with modes 0777 less the umask.
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

// Write adds to the pack's bytes.
func (d *Draft) Write(p []byte) (int, error) { return d.pack.Write(p) }

// Reset forgets the pack's bytes.
func (d *Draft) Reset() error { return d.pack.Reset() }

// Publish makes the entry, with manifest, metadata and then the pack, whose
// name appears last: a program that finds it finds the rest. The caller has
// verified the pack's bytes, and that body is the manifest.
func (d *Draft) Publish(body []byte, m Metadata) error {
	if err := d.pack.Finish(true); err != nil {
		return err
	}
	if _, err := d.cache.Manifest(d.manifest); err == nil {
		body = nil // it is there already
	}
	if err := d.cache.writeProof(d.entry, body, &m); err != nil {
		return err
	}
	return d.pack.Commit()
}

// Discard ends the draft.
func (d *Draft) Discard() {
	d.pack.Discard()
	d.entry.Close()
}

// Heal gives an entry whose pack is right its manifest.json, if body is not
// nil, and its metadata.json, if m is not nil.
func (c *Cache) Heal(manifest ociref.Digest, lock *Lock, body []byte, m *Metadata) error {
	entry, err := c.makeEntry(manifest, lock)
	if err != nil {
		return err
	}
	defer entry.Close()
	return c.writeProof(entry, body, m)
}

func (c *Cache) writeProof(entry *os.Root, body []byte, m *Metadata) error {
	if body != nil {
		if err := atomicfile.WriteFile(entry, manifestFile, body); err != nil {
			return err
		}
	}
	if m == nil {
		return nil
	}
	data, err := c.stamped(*m)
	if err != nil {
		return err
	}
	return atomicfile.WriteFile(entry, metadataFile, data)
}
