package packcache

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
)

// unprivileged runs f as somebody for whom modes count and who owns nothing in
// dir, which is t.TempDir's. If root runs the tests, that is f's thread alone.
func unprivileged(t *testing.T, dir string, f func()) {
	t.Helper()
	if os.Geteuid() != 0 {
		f()
		return
	}
	must(t, os.Chmod(filepath.Dir(dir), 0o755))
	const nobody = 65534
	refused := false
	done := make(chan bool)
	go func() {
		defer close(done)
		runtime.LockOSThread() // and never unlocked: the thread ends with its goroutine
		syscall.RawSyscall(syscall.SYS_SETFSUID, nobody, 0, 0)
		now, _, _ := syscall.RawSyscall(syscall.SYS_SETFSUID, nobody, 0, 0)
		if _, err := os.ReadDir(dir); now != nobody || err != nil {
			refused = true
			return
		}
		f()
	}()
	if <-done; refused {
		t.Skip("root cannot become somebody else here")
	}
}

// readOnly takes the right to write from a directory and all below it.
func readOnly(t *testing.T, root string) {
	t.Helper()
	must(t, filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.IsDir() {
			t.Cleanup(func() { os.Chmod(path, 0o755) })
			return os.Chmod(path, 0o555)
		}
		return err
	}))
}

// TestFault42_ReadOnlyCache sees that hits still work, with no lock, and that
// whoever wants to write is told at once and where.
func TestFault42_ReadOnlyCache(t *testing.T) {
	dir := t.TempDir()
	c, i, other := cacheAt(filepath.Join(dir, "cache")), newItem("a"), newItem("b")
	must(t, i.publish(c, nil))
	readOnly(t, dir)
	nowhere := cacheAt(filepath.Join(dir, "new", "cache"))
	unprivileged(t, dir, func() {
		wantNoLock(t, c, i)
		wantNoLock(t, nowhere, i)
		i.wantHit(t, c)
		for want, write := range map[string]func() error{
			"mkdir " + other.dir(c) + ": permission denied":                func() error { return other.publish(c, nil) },
			"create " + i.path(c, "pack.gtpack") + ": permission denied":   func() error { return i.publish(c, nil) },
			"create " + i.path(c, "manifest.json") + ": permission denied": func() error { return c.Heal(i.manifest, nil, i.body, nil) },
			"mkdir " + filepath.Join(dir, "new") + ": permission denied":   func() error { return i.publish(nowhere, nil) },
			"mkdir " + newItem("c").dir(c) + ": permission denied":         func() error { return c.Heal(newItem("c").manifest, nil, i.body, nil) },
		} {
			if err := write(); err == nil || err.Error() != want || !errors.Is(err, fs.ErrPermission) {
				t.Errorf("error\n got: %v\nwant: %s", err, want)
			}
		}
	})
	wantTree(t, c.Root(), i.manifest.Hex(), i.manifest.Hex()+"/manifest.json", i.manifest.Hex()+"/metadata.json", i.manifest.Hex()+"/pack.gtpack")
}

// TestUnreadable is about files of somebody else: they are neither missing nor
// corrupt, and the error names them in full.
func TestUnreadable(t *testing.T) {
	for _, name := range []string{"", "pack.gtpack", "manifest.json", "metadata.json"} {
		dir := t.TempDir()
		c, i := cacheAt(filepath.Join(dir, "cache")), newItem("a")
		must(t, i.publish(c, nil))
		path := i.path(c, name)
		must(t, os.Chmod(path, 0))
		t.Cleanup(func() { os.Chmod(path, 0o755) })
		unprivileged(t, dir, func() {
			for _, reader := range readers {
				err := reader.read(c, i)
				if name != "" && name != reader.file {
					if err != nil {
						t.Errorf("%s: %v", reader.name, err)
					}
					continue
				}
				var corrupt *CorruptError
				if !errors.Is(err, fs.ErrPermission) || IsMissing(err) || errors.As(err, &corrupt) {
					t.Errorf("%s: error %#v, want fs.ErrPermission", reader.name, err)
				} else if !strings.Contains(err.Error(), path) {
					t.Errorf("%s: error %q does not name %s", reader.name, err, path)
				}
			}
		})
	}
}
