package disk

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// A power cut loses unsynced writes, more than once, and nothing else.
func TestOnCuttable(t *testing.T) {
	for _, kind := range []string{"ext4", "xfs", "btrfs"} {
		t.Run(kind, func(t *testing.T) {
			dir := t.TempDir()
			OnCuttable(t, dir, kind, func(d *Cuttable) {
				must := func(err error) {
					t.Helper()
					if err != nil {
						t.Fatal(err)
					}
				}
				data := bytes.Repeat([]byte("data"), 1000)
				kept, lost := filepath.Join(d.Dir, "kept"), filepath.Join(d.Dir, "lost")
				for range 2 {
					must(os.WriteFile(kept, data, 0o666))
					must(d.Sync())
					must(os.WriteFile(lost, data, 0o666))
					must(d.Cut())
					if _, err := os.ReadFile(lost); err == nil {
						t.Error("without power a file can be read")
					}
					must(d.Restart())
					if got, err := os.ReadFile(kept); err != nil || !bytes.Equal(got, data) {
						t.Errorf("what was synced is %.20q, %v", got, err)
					}
					if got, _ := os.ReadFile(lost); bytes.Equal(got, data) {
						t.Error("what was not synced is there")
					}
					must(os.Remove(kept))
				}
			})
			if names, err := os.ReadDir(filepath.Join(dir, "disk")); err != nil || len(names) > 0 {
				t.Errorf("outside there are %v, %v", names, err)
			}
		})
	}
}
