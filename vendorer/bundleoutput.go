package vendorer

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/greenticai/packvendor/internal/atomicfile"
	"github.com/greenticai/packvendor/internal/layout"
	"github.com/greenticai/packvendor/internal/outputfile"
)

// IsArchive reports whether a bundle with that path is written as a tar archive, and not as a
// folder.
func IsArchive(path string) bool { return strings.EqualFold(filepath.Ext(path), ".tar") }

// compressed are the ends of names for archives that no program would read as a layout.
var compressed = []string{".gz", ".tgz", ".bz2", ".xz", ".zst", ".zip"}

// A bundleOutput is a place for a bundle.
type bundleOutput struct {
	path string
	file *outputfile.File // of an archive
	dir  *os.Root         // that will have the folder
}

// openBundleOutput opens a place. The error is a *PlaceError if nothing can be written there, a
// *UsageError for the name of a compressed archive.
func openBundleOutput(path string) (*bundleOutput, error) {
	for _, end := range compressed {
		if strings.EqualFold(filepath.Ext(path), end) {
			return nil, &UsageError{Subject: path, Reason: "is the name of a compressed archive, and bundles are not compressed: write FILE.tar, or the name of a folder"}
		}
	}
	if IsArchive(path) {
		file, err := outputfile.Open(path)
		return &bundleOutput{path: path, file: file}, err
	}
	parent := filepath.Dir(filepath.Clean(path))
	dir, err := os.OpenRoot(parent)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &PlaceError{Path: parent, Reason: "does not exist"}
	}
	if err != nil {
		return nil, err
	}
	out := &bundleOutput{path: path, dir: dir}
	if err := out.located(layout.CheckFree(dir, out.name())); err != nil {
		out.close()
		return nil, err
	}
	return out, nil
}

// name is the name of the folder below dir.
func (o *bundleOutput) name() string { return filepath.Base(filepath.Clean(o.path)) }

// located puts the path of the bundle into an error about its place.
func (o *bundleOutput) located(err error) error {
	var place *PlaceError
	if errors.As(err, &place) {
		return &PlaceError{Path: o.path, Reason: place.Reason}
	}
	return err
}

// write writes a bundle, completely or not at all.
func (o *bundleOutput) write(ctx context.Context, c *layout.Contents) error {
	if o.file != nil {
		return o.file.Write(func(w *atomicfile.File) error { return c.WriteArchive(ctx, w) })
	}
	return o.located(c.WriteFolder(ctx, o.dir, o.name()))
}

func (o *bundleOutput) close() {
	if o.file != nil {
		o.file.Close()
	} else {
		o.dir.Close()
	}
}
