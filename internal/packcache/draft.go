package packcache

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/greenticai/packvendor/internal/atomicfile"
	"github.com/greenticai/packvendor/internal/ociref"
)

// A Draft is an unpublished entry: the pack's bytes are written to it, verified, then
// published. One goroutine uses it.
type Draft struct {
	cache    *Cache
	manifest ociref.Digest
	entry    *os.Root
	pack     *atomicfile.File
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

// Write appends to the pack's bytes.
func (d *Draft) Write(p []byte) (int, error) { return d.pack.Write(p) }

// Reset discards the pack's bytes.
func (d *Draft) Reset() error { return d.pack.Reset() }

// Publish makes the entry: manifest, metadata, and last the pack, so that a program that
// finds the pack finds the rest. The caller has verified the pack's bytes, and that body
// is the manifest.
func (d *Draft) Publish(body []byte, m Metadata) error {
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
