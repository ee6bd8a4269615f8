//go:build unix

package layout

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/regularfile"
)

// A folder is the same, too, with its modes, whatever the umask.
func TestSameFolder(t *testing.T) {
	c, _ := packs(t)
	for i, umask := range []int{0, 0o022, 0o077, 0o777 &^ 0o700} {
		shuffle(c, uint64(i))
		old := syscall.Umask(umask)
		path, err := kinds[0].write(t, c)
		syscall.Umask(old)
		if err != nil {
			t.Fatal(err)
		}
		text := tree(t, path)
		if got, want := ociref.DigestOf([]byte(text)), "sha256:3856d964b4305f956f19b1c1311f5ad278567a9cb31fd90d8bebb38e194a9026"; string(got) != want {
			t.Errorf("got %s, want %s", got, want)
		}
		if strings.Count(text, "drwxr-xr-x ") != 3 || strings.Count(text, "-rw-r--r-- ") != 9 || strings.Count(text, "\n") != 12 {
			t.Error(text)
		}
	}
}

// A link is no place for a folder.
func TestFolderIsLink(t *testing.T) {
	c, _ := packs(t)
	dir := t.TempDir()
	if err := os.Symlink(t.TempDir(), filepath.Join(dir, "bundle")); err != nil {
		t.Fatal(err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	if err := c.WriteFolder(t.Context(), root, "bundle"); !errors.As(err, new(*regularfile.PlaceError)) {
		t.Errorf("got %v", err)
	}
}
