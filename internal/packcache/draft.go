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
	pack.WriteEarly()
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
	if _, err := d.cache.Manifest(d.manifest); err == nil {
		body = nil // it is there already
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

// Heal gives an entry whose pack is right its manifest.json, if body is not
// nil, and its metadata.json, if m is not nil.
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

// beginProof begins an entry's small files, in the order in which they are to get
// their names. What it returns is the caller's to discard, error or not.
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
