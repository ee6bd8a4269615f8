package layout

import (
	"archive/tar"
	"bufio"
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/greenticai/packvendor/internal/atomicfile"
	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/regularfile"
	"github.com/greenticai/packvendor/internal/verified"
)

// Contents is what a layout is made of. The same contents in any order give the same bytes.
// An entry without its blob, and a file with a path or a name of the layout's own, are
// mistakes of the caller: the writing methods panic.
type Contents struct {
	Entries []Entry
	Blobs   []Blob            // of two with one digest, the first counts
	Files   map[string][]byte // beside index.json, by name
}

// A Blob is a blob and where its bytes come from. They need not be right: they are
// verified while they are written.
type Blob struct {
	verified.Content
	Open func(context.Context) (io.ReadCloser, error) // called once
}

// Modes in a layout, whatever the umask.
const (
	fileMode   = 0o644
	folderMode = 0o755
)

// A part is a file or a folder to write.
type part struct {
	name string
	size int64
	data []byte // nil for a folder and a blob
	blob *Blob
}

func (p *part) isFolder() bool { return p.data == nil && p.blob == nil }

// parts returns all files and folders, by name.
func (c *Contents) parts() []part {
	parts := []part{{name: "blobs"}, {name: blobFolder}}
	add := func(name string, data []byte) {
		parts = append(parts, part{name: name, size: int64(len(data)), data: append([]byte{}, data...)})
	}
	blobs := map[ociref.Digest]int64{}
	for _, b := range c.Blobs {
		if _, known := blobs[b.Digest]; known {
			continue
		}
		blobs[b.Digest] = b.Size
		parts = append(parts, part{name: blobName(b.Digest), size: b.Size, blob: &b})
	}
	for _, e := range c.Entries {
		if size, known := blobs[e.Digest]; !known || size != e.Size {
			panic(fmt.Sprintf("layout: entry %s has no blob", e.Digest))
		}
	}
	for name, data := range c.Files {
		if clean, ok := cleanName(name); !ok || clean != name || strings.Contains(name, "/") || slices.Contains([]string{".", "blobs", indexName, markerName}, name) {
			panic(fmt.Sprintf("layout: no file can have the name %q", name))
		}
		add(name, data)
	}
	entries := slices.SortedFunc(slices.Values(c.Entries), func(a, b Entry) int {
		return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(a.Reference, b.Reference), strings.Compare(string(a.Digest), string(b.Digest)))
	})
	add(indexName, formatIndex(entries))
	add(markerName, format(marker{layoutVersion}))
	slices.SortFunc(parts, func(a, b part) int { return strings.Compare(a.name, b.name) })
	return parts
}

// pieceSize is the size of the pieces in which an archive is written. Its files begin at any
// multiple of 512 bytes. If they were written one by one, writes would begin inside pages: they
// take more time, and so do reads of the pages that they leave in memory.
const pieceSize = 128 << 10

// WriteArchive writes contents as a tar archive. After an error the written bytes are
// useless. Errors: *verified.MismatchError, *verified.ReadError and the error of Blob.Open
// with the blob's digest before them, *verified.WriteError.
func (c *Contents) WriteArchive(ctx context.Context, w io.Writer) error {
	pieces := bufio.NewWriterSize(w, pieceSize)
	archive := tar.NewWriter(pieces)
	for _, p := range c.parts() {
		if err := archive.WriteHeader(p.header()); err != nil {
			return &verified.WriteError{Err: err}
		}
		if err := p.write(ctx, archive); err != nil {
			return err
		}
	}
	if err := cmp.Or(archive.Close(), pieces.Flush()); err != nil {
		return &verified.WriteError{Err: err}
	}
	return nil
}

// maxUSTAR is the largest size that the oldest format of headers has room for.
const maxUSTAR = 1<<33 - 1

func (p *part) header() *tar.Header {
	h := &tar.Header{Typeflag: tar.TypeReg, Name: p.name, Size: p.size, Mode: fileMode, ModTime: time.Unix(0, 0), Format: tar.FormatUSTAR}
	if p.isFolder() {
		h.Typeflag, h.Name, h.Mode = tar.TypeDir, p.name+"/", folderMode
	}
	if p.size > maxUSTAR {
		h.Format = tar.FormatPAX
	}
	return h
}

// write writes the bytes of a file, verified.
func (p *part) write(ctx context.Context, w io.Writer) error {
	if p.blob == nil {
		return verified.Copy(ctx, w, bytes.NewReader(p.data), verified.Content{Digest: ociref.DigestOf(p.data), Size: p.size})
	}
	src, err := p.blob.Open(ctx)
	if err == nil {
		defer src.Close()
		err = verified.Copy(ctx, w, src, p.blob.Content)
	}
	if errors.As(err, new(*verified.WriteError)) {
		return err
	}
	if err != nil {
		return fmt.Errorf("blob %s: %w", p.blob.Digest, err)
	}
	return nil
}

// together is the number of files that reach the disk together.
const together = 64

// WriteFolder writes contents as the folder name below parent. It must not exist yet, or be
// empty. After an error it is as it was. Errors: those of WriteArchive,
// *regularfile.PlaceError, *fs.PathError.
func (c *Contents) WriteFolder(ctx context.Context, parent *os.Root, name string) error {
	parts := c.parts()
	if err := CheckFree(parent, name); err != nil {
		return err
	}
	temp := path.Join(path.Dir(name), fmt.Sprintf(".packvendor-%016x.tmp", rand.Uint64()))
	if err := parent.Mkdir(temp, 0o777); err != nil {
		return err
	}
	defer parent.RemoveAll(temp) // there is none after a rename
	root, err := parent.OpenRoot(temp)
	if err != nil {
		return err
	}
	err = writeParts(ctx, root, parts)
	root.Close()
	if err != nil {
		return err
	}
	if err := parent.Chmod(temp, folderMode); err != nil {
		return err
	}
	if err := parent.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := parent.Rename(temp, name); err != nil {
		return err
	}
	return atomicfile.SyncDir(parent, path.Dir(name))
}

// CheckFree refuses a place for a folder that is taken: it is there, and is no empty folder.
// Errors: *regularfile.PlaceError, *fs.PathError.
func CheckFree(parent *os.Root, name string) error {
	info, err := parent.Lstat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case !info.IsDir():
		return &regularfile.PlaceError{Path: name, Reason: "is there already"}
	}
	dir, err := parent.Open(name)
	if err != nil {
		return err
	}
	defer dir.Close()
	if names, err := dir.Readdirnames(1); err != io.EOF || len(names) > 0 {
		return &regularfile.PlaceError{Path: name, Reason: "is a folder that is not empty"}
	}
	return nil
}

// writeParts writes files and folders below root.
func writeParts(ctx context.Context, root *os.Root, parts []part) error {
	var folders []string
	var files []*atomicfile.File
	defer func() {
		for _, f := range files {
			f.Discard()
		}
	}()
	for _, p := range parts {
		if p.isFolder() {
			if err := root.Mkdir(p.name, 0o777); err != nil {
				return err
			}
			folders = append(folders, p.name)
			continue
		}
		f, err := atomicfile.Create(root, p.name)
		if err != nil {
			return err
		}
		files = append(files, f)
		f.WriteEarly()
		if err := p.write(ctx, f); err != nil {
			return err
		}
		if len(files) == together {
			if err := commit(root, files); err != nil {
				return err
			}
			files = nil
		}
	}
	if err := commit(root, files); err != nil {
		return err
	}
	for _, name := range slices.Backward(append([]string{"."}, folders...)) {
		if name != "." {
			if err := root.Chmod(name, folderMode); err != nil {
				return err
			}
		}
		if err := atomicfile.SyncDir(root, name); err != nil {
			return err
		}
	}
	return nil
}

func commit(root *os.Root, files []*atomicfile.File) error {
	if err := atomicfile.CommitAll(files...); err != nil {
		return err
	}
	for _, f := range files {
		if err := root.Chmod(f.Name(), fileMode); err != nil {
			return err
		}
	}
	return nil
}
