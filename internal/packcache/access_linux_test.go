package packcache

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/greenticai/packvendor/internal/packtest/disk"
)

// Others that can write the root are the group and everyone, by its mode, and the owner.
func TestOthers(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root gives a directory away")
	}
	root := t.TempDir()
	for _, test := range []struct {
		mode     os.FileMode
		uid, gid int
		want     Others
	}{
		{0o755, 0, 0, Others{}},
		{0o775, 0, 0, Others{}}, // root's own group
		{0o775, 0, 12345, Others{Group: "12345"}},
		{0o777, 0, 0, Others{Everyone: true}},
		{0o755, 54321, 0, Others{Owner: "54321"}},
		{0o775, 54321, 54321, Others{Owner: "54321"}}, // that user's own group
	} {
		must(t, os.Chown(root, test.uid, test.gid))
		must(t, os.Chmod(root, test.mode))
		if got := (cacheAt(root).Access()); got != (Access{Exists: true, Others: test.want}) {
			t.Errorf("%v of %d:%d: %+v, want %+v", test.mode, test.uid, test.gid, got, test.want)
		}
	}
}

// Whoever can write a directory above the root can rename what is in it, except where
// the sticky bit is set; its owner can even there. The nearest such directory is told.
func TestAccessAbove(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root gives a directory away")
	}
	top := t.TempDir()
	above, link := filepath.Join(top, "above"), filepath.Join(top, "link")
	inner := filepath.Join(above, "inner")
	root := filepath.Join(inner, "root")
	must(t, os.MkdirAll(root, 0o755))
	must(t, os.Symlink(root, link))
	for _, test := range []struct {
		mode, inner os.FileMode
		uid, gid    int
		at          string
		want        Others
	}{
		{mode: 0o755, inner: 0o755},
		{mode: 0o777, inner: 0o755, at: above, want: Others{Everyone: true}},
		{mode: 0o777 | os.ModeSticky, inner: 0o755},
		{mode: 0o775, inner: 0o755, gid: 12345, at: above, want: Others{Group: "12345"}},
		{mode: 0o775 | os.ModeSticky, inner: 0o755, gid: 12345},
		{mode: 0o755, inner: 0o755, uid: 54321, at: above, want: Others{Owner: "54321"}},
		{mode: 0o777 | os.ModeSticky, inner: 0o755, uid: 54321, at: above, want: Others{Owner: "54321"}},
		{mode: 0o777, inner: 0o777, at: inner, want: Others{Everyone: true}},
	} {
		must(t, os.Chown(above, test.uid, test.gid))
		must(t, os.Chmod(above, test.mode))
		must(t, os.Chmod(inner, test.inner))
		for place, exists := range map[string]bool{root: true, link: true, filepath.Join(inner, "new", "root"): false} {
			want := Access{Exists: exists, Above: test.at, AboveOthers: test.want}
			if got := cacheAt(place).Access(); got != want {
				t.Errorf("%s, %+v: %+v, want %+v", place, test, got, want)
			}
		}
	}
}

// The owner of a root that is not this user's is one who can write it, also where this
// user cannot.
func TestAccessReadOnly(t *testing.T) {
	dir := t.TempDir()
	root := filepath.Join(dir, "cache")
	must(t, os.Mkdir(root, 0o755))
	readOnly(t, dir)
	unprivileged(t, dir, func() {
		for place, at := range map[string]string{root: root, filepath.Join(dir, "new", "cache"): dir} {
			want := at + ": permission denied"
			if got := cacheAt(place).Access(); got.Err == nil || got.Err.Error() != want || got.IsUnusable() {
				t.Errorf("%s: %v, want %s", place, got.Err, want)
			}
		}
	})
}

// A full disk has room for names, and for no bytes.
func TestAccessFull(t *testing.T) {
	dir := t.TempDir()
	disk.On(t, dir, "1m", func(d disk.Disk) {
		root := filepath.Join(dir, "cache")
		must(t, os.Mkdir(root, 0o755))
		must(t, d.Fill(filepath.Join(dir, "filler"), 0))
		if got, want := cacheAt(root).Access(), root+": no space left on device"; got.Err == nil || got.Err.Error() != want {
			t.Errorf("%v, want %s", got.Err, want)
		}
	})
}
