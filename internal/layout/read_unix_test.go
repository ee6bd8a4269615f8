//go:build unix

package layout

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/regularfile"
)

// A folder has no links, inside or to the outside, and no devices.
func TestFault66_HostileFolders(t *testing.T) {
	digest := ociref.DigestOf([]byte("x"))
	link := func(name, target string) func(dir string) error {
		return func(dir string) error {
			os.RemoveAll(filepath.Join(dir, name))
			return os.Symlink(target, filepath.Join(dir, name))
		}
	}
	for _, test := range []struct {
		change func(dir string) error
		want   string
	}{
		{link(markerName, "/etc/passwd"), "has a symbolic link oci-layout"},
		{link(markerName, "other"), "has a symbolic link oci-layout"},
		{link(blobFolder, "."), "has a symbolic link blobs/sha256"},
		{link("blobs", "/"), "has a symbolic link blobs"},
		{link(blobName(digest), "../../other"), "has a symbolic link " + blobName(digest)},
		{func(dir string) error {
			os.Remove(filepath.Join(dir, blobName(digest)))
			return syscall.Mkfifo(filepath.Join(dir, blobName(digest)), 0o666)
		}, "has no regular file in the place of " + blobName(digest)},
		{func(dir string) error {
			os.Remove(filepath.Join(dir, blobName(digest)))
			return os.Mkdir(filepath.Join(dir, blobName(digest)), 0o777)
		}, "has no regular file in the place of " + blobName(digest)},
	} {
		dir := minimal(file{blobName(digest), "x"}, file{"other", goodMarker}).folder(t)
		if err := test.change(dir); err != nil {
			t.Fatal(err)
		}
		l, err := Open(dir)
		if err == nil {
			_, err = l.Manifest(digest)
			l.Close()
		}
		if fmt.Sprint(err) != dir+" "+test.want || !errors.As(err, new(*FormatError)) {
			t.Errorf("got %v, want %s", err, test.want)
		}
	}
}

// A FIFO is no archive, and nobody waits for its writer. A link that the user names is
// followed.
func TestFault66b_UnixPlaces(t *testing.T) {
	dir := t.TempDir()
	fifo := filepath.Join(dir, "fifo")
	if err := syscall.Mkfifo(fifo, 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(fifo); !errors.As(err, new(*regularfile.PlaceError)) {
		t.Errorf("got %v", err)
	}
	for _, path := range []string{minimal().folder(t), minimal().archive(t)} {
		link := filepath.Join(dir, strings.ReplaceAll(path, "/", "_"))
		if err := os.Symlink(path, link); err != nil {
			t.Fatal(err)
		}
		mustOpen(t, link)
	}
}
