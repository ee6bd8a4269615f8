package reflink

import (
	"errors"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/greenticai/packvendor/internal/packtest/disk"
)

// TestCloneShares is about file systems that can share blocks, and one that cannot.
func TestCloneShares(t *testing.T) {
	for kind, want := range map[string]error{"xfs": nil, "btrfs": nil, "ext4": syscall.EOPNOTSUPP} {
		t.Run(kind, func(t *testing.T) {
			disk.OnCuttable(t, t.TempDir(), kind, func(d *disk.Cuttable) {
				p := newPair(t, d.Dir, d.Dir)
				if err := p.clone(); !errors.Is(err, want) {
					t.Fatalf("error %v, want %v", err, want)
				}
				if want == nil {
					p.wantBytes(p.bytes)
					p.wantShared(true)
					p.wantApart()
				} else {
					p.wantBytes(nil)
				}
				p.wantUsable()
				p.wantShared(false)
			})
		})
	}
}

// wantShared demands that all blocks of the file are the source's, too, or none.
func (p *pair) wantShared(is bool) {
	p.t.Helper()
	shared, all, err := disk.Shared(filepath.Join(p.root.Name(), "sub", "file"))
	p.must(err)
	if want := map[bool]uint64{true: all, false: 0}[is]; shared != want || is && all < size {
		p.t.Errorf("%d of %d bytes are shared, want %d", shared, all, want)
	}
}

// TestCloneElsewhere is about a source on another file system.
func TestCloneElsewhere(t *testing.T) {
	for _, kind := range []string{"xfs", "btrfs"} {
		t.Run(kind, func(t *testing.T) {
			disk.OnCuttable(t, t.TempDir(), kind, func(d *disk.Cuttable) {
				p := newPair(t, d.Dir, t.TempDir())
				if err := p.clone(); !errors.Is(err, syscall.EXDEV) {
					t.Errorf("error %v, want %v", err, syscall.EXDEV)
				}
				p.wantBytes(nil)
				p.wantUsable()
			})
		})
	}
}
