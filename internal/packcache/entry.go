package packcache

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/greenticai/packvendor/internal/atomicfile"
	"github.com/greenticai/packvendor/internal/ociref"
)

// An Entry describes the cache's files of one manifest.
type Entry struct {
	Manifest ociref.Digest
	// Reference and MediaType are from metadata.json, "" if it cannot be read.
	// Nobody has verified them: escape them before printing.
	Reference string
	MediaType string
	PackSize  int64     // bytes, -1 if there is no pack
	Size      int64     // bytes of all its files
	Used      time.Time // the last write or use, to an hour
	// Foreign lists the entry's names that are not the protocol's, or not regular
	// files. Such an entry is never removed.
	Foreign []string
}

// List returns the cache's entries by digest, and the names of everything else in the
// root. A missing root is an empty cache. List leaves out entries that it cannot read;
// the error is about the first of them, or about the root.
func (c *Cache) List() (entries []Entry, foreign []string, err error) {
	names, err := os.ReadDir(c.root)
	if err != nil && !IsMissing(err) {
		return nil, nil, err
	}
	err = nil
	for _, name := range names {
		if name.Name() == locksDir || name.Name() == partialDir {
			continue
		}
		entry, lookErr := c.lookAt(name.Name())
		var corrupt *CorruptError
		switch {
		case lookErr == nil:
			entries = append(entries, c.described(entry))
		case IsMissing(lookErr): // removed meanwhile
		case errors.As(lookErr, &corrupt):
			foreign = append(foreign, name.Name())
		case err == nil:
			err = lookErr
		}
	}
	return entries, foreign, err
}

// lookAt is look by a directory's name. The error is *CorruptError if the name is not an
// entry's.
func (c *Cache) lookAt(name string) (Entry, error) {
	manifest, err := ociref.ParseDigest("sha256:" + name)
	if err != nil {
		return Entry{}, &CorruptError{Path: filepath.Join(c.root, name), Err: err}
	}
	return c.look(manifest)
}

// described adds the data of metadata.json.
func (c *Cache) described(e Entry) Entry {
	if m, err := c.Metadata(e.Manifest); err == nil {
		e.Reference, e.MediaType = m.OriginalReference, m.MediaType
	}
	return e
}

// look returns an entry without the data of its metadata.json.
func (c *Cache) look(manifest ociref.Digest) (Entry, error) {
	e := Entry{Manifest: manifest, PackSize: -1}
	dir, err := c.entry(manifest)
	if err != nil {
		return e, err
	}
	defer dir.Close()
	names, used, err := readNames(dir)
	if err != nil {
		return e, c.located("read", manifest, ".", err)
	}
	for _, name := range names {
		info, err := dir.Lstat(name)
		if err == nil {
			e.add(name, info)
		} else if !IsMissing(err) { // else renamed meanwhile
			return e, c.located("read", manifest, name, err)
		}
	}
	if e.Used.IsZero() {
		e.Used = used // a new entry has no files yet
	}
	return e, nil
}

// readNames returns a directory's names, in lexical order, and its modification time.
func readNames(dir *os.Root) ([]string, time.Time, error) {
	d, err := dir.Open(".")
	if err != nil {
		return nil, time.Time{}, err
	}
	defer d.Close()
	info, err := d.Stat()
	if err != nil {
		return nil, time.Time{}, err
	}
	names, err := d.Readdirnames(-1)
	slices.Sort(names)
	return names, info.ModTime(), err
}

// add adds one of the directory's names to the entry.
func (e *Entry) add(name string, info fs.FileInfo) {
	switch {
	case !info.Mode().IsRegular():
		e.Foreign = append(e.Foreign, name)
		return
	case name == packFile:
		e.PackSize = info.Size()
	case name != metadataFile && name != manifestFile && !atomicfile.IsTemp(name):
		e.Foreign = append(e.Foreign, name)
		return
	}
	e.Size += info.Size()
	if info.ModTime().After(e.Used) {
		e.Used = info.ModTime()
	}
}

// usedInterval bounds the error of an entry's last use, so that hardly any hit writes to
// the disk, as in the go command's build cache.
const usedInterval = time.Hour

// markUsed records a hit as the modification time of manifest.json, which no other
// program writes, or of the pack if there is none. It reports no failure: in a read-only
// cache the entry merely seems older than it is.
func (c *Cache) markUsed(manifest ociref.Digest) {
	entry, err := c.entry(manifest)
	if err != nil {
		return
	}
	defer entry.Close()
	for _, name := range []string{manifestFile, packFile} {
		info, err := entry.Lstat(name)
		if err != nil || !info.Mode().IsRegular() {
			continue
		}
		if now := c.now(); now.Sub(info.ModTime()) >= usedInterval {
			entry.Chtimes(name, time.Time{}, now)
		}
		return
	}
}

// Other programs write entries in place. An entry that may be unfinished is read again,
// every retryEvery and for up to retryFor, before it counts as corrupt.
const (
	retryFor   = 2 * time.Second
	retryEvery = 50 * time.Millisecond
)

// RetryUnfinished calls look until its error is not about an entry that another program
// may be writing, or until retryFor is over. It returns look's last error, or ctx's.
func (c *Cache) RetryUnfinished(ctx context.Context, look func() error) error {
	err := look()
	start := time.Now()
	for waited := time.Duration(0); isUnfinished(err) && waited < retryFor && time.Since(start) < retryFor; waited += retryEvery {
		if err := c.sleep(ctx, retryEvery); err != nil {
			return err
		}
		err = look()
	}
	return err
}

// isUnfinished tells whether err may pass when another program has finished writing.
func isUnfinished(err error) bool {
	var corrupt *CorruptError
	return errors.As(err, &corrupt) && (corrupt.Short || corrupt.Changed)
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(d):
		return nil
	}
}
