package packcache

import (
	"os"
	"path/filepath"
	"testing"
)

// A look at the root leaves nothing behind, in the root or where it would be made.
func TestAccess(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	must(t, os.WriteFile(file, nil, 0o666))
	c, i := cacheAt(filepath.Join(dir, "cache")), newItem("a")
	must(t, i.publish(c, nil))
	must(t, os.WriteFile(filepath.Join(c.Root(), "foreign"), nil, 0o666))
	must(t, os.Chmod(c.Root(), 0o755))
	for root, want := range map[string]Access{
		c.Root():                         {Exists: true, Entries: 1},
		filepath.Join(dir, "new"):        {},
		filepath.Join(dir, "new", "new"): {},
	} {
		if got := cacheAt(root).Access(); got != want || got.IsUnusable() {
			t.Errorf("%s: %+v, want %+v", root, got, want)
		}
	}
	for _, root := range []string{file, filepath.Join(file, "new")} {
		if got := cacheAt(root).Access(); !got.IsUnusable() || got.Exists {
			t.Errorf("%s: %+v", root, got)
		}
	}
	wantTree(t, dir, "cache", "cache/"+i.manifest.Hex(), "cache/"+i.manifest.Hex()+"/manifest.json",
		"cache/"+i.manifest.Hex()+"/metadata.json", "cache/"+i.manifest.Hex()+"/pack.gtpack", "cache/foreign", "file")
}
