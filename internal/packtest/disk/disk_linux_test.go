package disk

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
)

// TestOn fills a disk, and another process sees it.
func TestOn(t *testing.T) {
	dir := t.TempDir()
	On(t, dir, "64k", func(d Disk) {
		filler, name := filepath.Join(dir, "filler"), filepath.Join(dir, "name")
		if err := d.Fill(filler, 8192); err != nil {
			t.Error(err)
		}
		if err := os.WriteFile(name, make([]byte, 8192), 0o666); err != nil {
			t.Errorf("in the room that was left: %v", err)
		}
		if err := os.WriteFile(filepath.Join(dir, "more"), make([]byte, 1), 0o666); !errors.Is(err, syscall.ENOSPC) {
			t.Errorf("beyond it: %v, want ENOSPC", err)
		}
		if out, err := exec.Command("ls", dir).Output(); string(out) != "filler\nmore\nname\n" {
			t.Errorf("another process sees %q, %v", out, err)
		}
		if err := d.ReadOnly(); err != nil {
			t.Error(err)
		}
		if err := os.Remove(name); !errors.Is(err, syscall.EROFS) {
			t.Errorf("read-only: %v, want EROFS", err)
		}
	})
	if names, err := os.ReadDir(dir); err != nil || len(names) > 0 {
		t.Errorf("outside there are %v, %v", names, err)
	}
}
