//go:build amd64 || arm64

package atomicfile

import (
	"path/filepath"
	"syscall"
	"testing"

	"github.com/greenticai/packvendor/internal/packtest/disk"
	"github.com/greenticai/packvendor/internal/packtest/syscalls"
)

// TestCloneShares is about file systems that can share blocks, and one that cannot.
func TestCloneShares(t *testing.T) {
	for kind, want := range map[string]bool{"xfs": true, "btrfs": true, "ext4": false} {
		t.Run(kind, func(t *testing.T) {
			disk.OnCuttable(t, t.TempDir(), kind, func(d *disk.Cuttable) {
				for name, share := range map[string]func(folder) bool{"target": folder.cloneTwice, "to": folder.copyTwice} {
					dir := openFolder(t, d.Dir)
					dir.mkdir(name)
					dir = openFolder(t, dir.path(name))
					if got := share(dir); got != want {
						t.Errorf("%s shares blocks: %t, want %t", name, got, want)
					}
					shared, all, err := disk.Shared(dir.path(name))
					if must(t, err); shared > 0 != want {
						t.Errorf("%s shares %d of %d bytes", name, shared, all)
					}
				}
			})
		})
	}
}

// TestFault49_Clone cuts the power right after the commit of a clone. Nobody has synced
// its source, whose bytes may be lost.
func TestFault49_Clone(t *testing.T) {
	for _, kind := range []string{"xfs", "btrfs"} {
		t.Run(kind, func(t *testing.T) {
			disk.OnCuttable(t, t.TempDir(), kind, func(d *disk.Cuttable) {
				dir := openFolder(t, d.Dir)
				source := dir.source("source")
				f := dir.create("target")
				if !dir.tryClone(f, source) {
					t.Error("no blocks are shared")
				}
				must(t, CommitAll(f))
				must(t, SyncDir(dir.Root, "."))
				must(t, source.Close())
				must(t, dir.Close())
				must(t, d.Cut())
				must(t, d.Restart())
				dir = openFolder(t, d.Dir)
				dir.wantFile("target", cloneable)
				must(t, dir.Close())
			})
		})
	}
}

// TestCloneFails lets the system refuse to clone, and then to empty what may be half a
// clone.
func TestCloneFails(t *testing.T) {
	dir := newFolder(t)
	source := dir.source("source")
	syscalls.Failing(t, syscall.EIO, func() {
		if dir.tryClone(dir.create("target"), source) {
			t.Error("blocks are shared without a call")
		}
	}, syscall.SYS_IOCTL)
	syscalls.Failing(t, syscall.EIO, func() {
		_, err := dir.create("target").Clone(source)
		wantError(t, err, "truncate "+filepath.Join(dir.Name(), "target")+": input/output error")
	}, syscall.SYS_IOCTL, syscall.SYS_FTRUNCATE)
}
