//go:build unix

package packcache

import (
	"os"
	"path/filepath"
	"testing"
)

// What others put in the place of something kept is not followed, waited for or read:
// it could lead to a file that is not theirs to see. It is replaced.
func TestFault38_PartialIntruder(t *testing.T) {
	kinds := map[string]func(t *testing.T, path, victim string){
		"hard link": func(t *testing.T, path, victim string) { must(t, os.Link(victim, path)) },
	}
	for kind, intrude := range intruders {
		kinds[kind] = intrude
	}
	for kind, intrude := range kinds {
		t.Run(kind, func(t *testing.T) {
			c, i := newCache(t), keepable()
			must(t, os.MkdirAll(filepath.Dir(i.partial(c)), 0o777))
			victim := filepath.Join(t.TempDir(), "victim")
			writeFile(t, victim, i.pack[:1<<20])
			intrude(t, i.partial(c), victim)
			before, err := os.Lstat(i.partial(c))
			must(t, err)
			within(t, "looking", func() { i.wantKept(t, c, 0) })
			within(t, "keeping", func() {
				if err := i.keep(t, c, 2<<20); before.IsDir() != (err != nil) {
					t.Errorf("Keep: %v", err)
				}
			})
			if !before.IsDir() {
				i.wantKept(t, c, 2<<20)
			}
			wantFile(t, victim, i.pack[:1<<20])
			if info, err := os.Stat(victim); err != nil || info.Mode().Perm() == 0o600 {
				t.Errorf("the victim has mode %v, %v", info.Mode(), err)
			}
		})
	}
}

// Nor is a link in the place of the folder.
func TestFault38_PartialsIntruder(t *testing.T) {
	for kind, intrude := range intruders {
		if kind == "directory" || kind == "directory with a file" {
			continue
		}
		t.Run(kind, func(t *testing.T) {
			c, i := newCache(t), keepable()
			victim := filepath.Join(t.TempDir(), "victim")
			writeFile(t, filepath.Join(victim, i.content().Digest.Hex()), i.pack[:1<<20])
			must(t, os.MkdirAll(c.Root(), 0o777))
			intrude(t, filepath.Join(c.Root(), ".partial"), victim)
			within(t, "looking", func() { i.wantKept(t, c, 0) })
			within(t, "keeping", func() {
				if err := i.keep(t, c, 2<<20); err == nil {
					t.Error("it was kept")
				}
			})
			within(t, "removing", func() { c.RemovePartial(i.content().Digest) })
			all := int64(0)
			if r, err := c.Prune(t.Context(), PruneOptions{MaxSize: &all}); err != nil || r.Partials != 0 {
				t.Errorf("Prune: %+v, %v", r, err)
			}
			wantTree(t, victim, i.content().Digest.Hex())
		})
	}
}
