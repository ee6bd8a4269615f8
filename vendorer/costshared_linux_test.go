//go:build amd64 || arm64

package vendorer_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/greenticai/packvendor/internal/packtest"
	"github.com/greenticai/packvendor/internal/packtest/disk"
	"github.com/greenticai/packvendor/internal/reflink"
)

// sharesBlocks, in the environment, demands that the temporary folders' file system shares
// blocks.
const sharesBlocks = "VENDORER_TEST_SHARES_BLOCKS"

// doShareBlocks tells whether files in temporary folders can share blocks.
func doShareBlocks(t *testing.T) bool {
	t.Helper()
	root, err := os.OpenRoot(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	var files [2]*os.File
	for n, name := range []string{"file", "source"} {
		if files[n], err = root.Create(name); err != nil {
			t.Fatal(err)
		}
		defer files[n].Close()
	}
	_, err = reflink.Clone(root, "file", files[0], files[1])
	if err != nil && os.Getenv(sharesBlocks) != "" {
		t.Fatal(err)
	}
	return err == nil
}

// Where the file system shares blocks, a cold run writes each pack once, and a warm one
// clones it.
func TestCostShared(t *testing.T) {
	for _, kind := range []string{"xfs", "btrfs"} {
		t.Run(kind, func(t *testing.T) {
			exe, err := os.Executable()
			if err != nil {
				t.Fatal(err)
			}
			disk.OnCuttable(t, t.TempDir(), kind, func(d *disk.Cuttable) {
				cmd := exec.Command(exe, "-test.run=^TestCost(Bytes|Steps)$", "-test.v")
				cmd.Env = append(os.Environ(), "TMPDIR="+d.Dir, sharesBlocks+"=1")
				out, err := cmd.CombinedOutput()
				if strings.Contains(string(out), "--- SKIP") {
					packtest.Unable(t, "%s", out)
				}
				if err != nil || strings.Count(string(out), "--- PASS") != 2 {
					t.Errorf("%v\n%s", err, out)
				}
				if left, err := filepath.Glob(filepath.Join(d.Dir, "Test*")); err != nil || len(left) > 0 {
					t.Errorf("left behind: %v, %v", left, err)
				}
			})
		})
	}
}
