package layout

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"
	"syscall"

	"github.com/greenticai/packvendor/internal/printable"
	"github.com/greenticai/packvendor/internal/regularfile"
)

// maxQuoted bounds quotations of a layout's names, in bytes.
const maxQuoted = 120

// A folder is a layout as a folder.
type folder struct {
	path string
	root *os.Root
}

func openFolder(path string) (*folder, error) {
	root, err := os.OpenRoot(path)
	if err != nil {
		return nil, err
	}
	return &folder{path, root}, nil
}

func (f *folder) Close() error { return f.root.Close() }

func (f *folder) open(name string) (io.ReadCloser, int64, error) {
	if err := f.checkLinks(name); err != nil {
		return nil, 0, err
	}
	file, info, err := regularfile.Open(f.root, name)
	switch {
	case errors.As(err, new(*regularfile.PlaceError)):
		return nil, 0, &FormatError{Path: f.path, Reason: "has no regular file in the place of " + name}
	case errors.Is(err, syscall.ENOTDIR):
		return nil, 0, fs.ErrNotExist
	case err != nil:
		return nil, 0, err
	}
	return file, info.Size(), nil
}

// checkLinks refuses a name that leads through a symbolic link. The root lets none out of
// the folder; but one inside would give a blob two names.
func (f *folder) checkLinks(name string) error {
	for dir := name; dir != "."; dir = path.Dir(dir) {
		info, err := f.root.Lstat(dir)
		if err == nil && info.Mode()&fs.ModeSymlink != 0 {
			return &FormatError{Path: f.path, Reason: "has a symbolic link " + dir}
		}
	}
	return nil
}

// cleanName returns a member's name in an archive as a path; "." for the archive itself.
// ok is false if it leads elsewhere, or has characters that no layout has.
func cleanName(name string) (clean string, ok bool) {
	clean = strings.TrimSuffix(strings.TrimPrefix(name, "./"), "/")
	if clean == "" {
		clean = "."
	}
	return clean, fs.ValidPath(clean) && printable.Text(clean) == clean && !strings.ContainsAny(clean, "\\:\t\n")
}
