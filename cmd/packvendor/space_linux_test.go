//go:build amd64 || arm64

package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/greenticai/packvendor/internal/packtest"
	"github.com/greenticai/packvendor/internal/packtest/disk"
)

// A volume is a disk with projects and a cache.
type volume struct {
	*killing
	dir string
}

// onVolumes runs f on disks whose file systems can share blocks.
func onVolumes(t *testing.T, f func(t *testing.T, dir string)) {
	t.Helper()
	for _, kind := range []string{"xfs", "btrfs"} {
		t.Run(kind, func(t *testing.T) {
			disk.OnCuttable(t, t.TempDir(), kind, func(d *disk.Cuttable) { f(t, d.Dir) })
		})
	}
}

// fresh makes a project as it was before the command, in a new folder.
func (v volume) fresh(name string) (dir string) {
	v.Helper()
	dir = filepath.Join(v.dir, name)
	v.must(os.Mkdir(dir, 0o777))
	v.old.write(v, dir)
	return dir
}

// run runs packvendor in its own process: not every thread of this one sees the disk.
func (v volume) run(dir, cache string, args ...string) (code int, stderr string) {
	v.Helper()
	cmd := v.command(dir, cache, append(args, "--quiet")...)
	code = v.codeOf(cmd.Run())
	return code, fmt.Sprint(cmd.Stderr)
}

// mustVendor runs packvendor, which must lead to the right project without a word.
func (v volume) mustVendor(dir, cache string, args ...string) {
	v.Helper()
	if code, stderr := v.run(dir, cache, args...); code != 0 || stderr != "" {
		v.Errorf("exit code %d\n%s", code, stderr)
	}
	if differs := readTree(v, dir).differences(v.new); differs != "" {
		v.Errorf("left is\n%s", differs)
	}
}

// wantShared demands that all blocks of a file are those of others, too.
func (v volume) wantShared(path string) {
	v.Helper()
	shared, all, err := disk.Shared(path)
	v.must(err)
	if shared != all || all == 0 {
		v.Errorf("%s shares %d of %d bytes", path, shared, all)
	}
}

// TestSpace sees that a pack takes its space once, in the cache and in all projects, after
// a download and from the cache; and that a project on another file system has a copy.
func TestSpace(t *testing.T) {
	onVolumes(t, func(t *testing.T, dir string) {
		b := newFixture(t, packtest.Options{Plain: true})
		v := volume{newKilling(b, b.project(b.large("a"), b.large("b")), nil, false), dir}
		cache := filepath.Join(dir, "cache")
		first := v.fresh("first")
		v.mustVendor(first, cache)
		v.wantCache("downloaded", readTree(t, cache))
		b.reg.ResetRequests()
		second, elsewhere := v.fresh("second"), t.TempDir()
		v.mustVendor(second, cache, "--offline")
		v.old.write(t, elsewhere)
		v.mustVendor(elsewhere, cache, "--offline")
		for _, name := range []string{"a", "b"} {
			entry := filepath.Join(cache, b.pushed[name+":1.0.0"].ManifestDigest.Hex())
			pack := filepath.Join("packs", name+".gtpack")
			v.wantShared(filepath.Join(entry, "pack.gtpack"))
			v.wantShared(filepath.Join(first, pack))
			v.wantShared(filepath.Join(second, pack))
			// Others write the cache in place: no project sees that.
			v.must(os.WriteFile(filepath.Join(entry, "pack.gtpack"), []byte("in place"), 0o666))
		}
		for _, project := range []string{first, second, elsewhere} {
			if differs := readTree(t, project).differences(v.new); differs != "" {
				t.Errorf("after the cache was written, %s has\n%s", project, differs)
			}
		}
		if n := len(b.reg.Requests()); n != 0 {
			t.Errorf("%d requests, want none", n)
		}
	})
}

// TestFault33_LaterClones lets a first clone succeed, and all later ones fail: these packs
// are copied, to the cache and from it.
func TestFault33_LaterClones(t *testing.T) {
	onVolumes(t, func(t *testing.T, dir string) {
		b := newFixture(t, packtest.Options{Plain: true})
		v := volume{newKilling(b, b.project(b.large("a"), b.large("b")), nil, false), dir}
		cache := filepath.Join(dir, "cache")
		for _, name := range []string{"cold", "warm"} {
			project := v.fresh(name)
			cmd := v.program("packvendor-failing", project, cache, "--quiet")
			cmd.Env = append(cmd.Env, stepNumber+"="+oneClone)
			code := v.codeOf(cmd.Run())
			if stderr := fmt.Sprint(cmd.Stderr); code != 0 || stderr != "" {
				t.Errorf("%s: exit code %d\n%s", name, code, stderr)
			}
			if differs := readTree(t, project).differences(v.new); differs != "" {
				t.Errorf("%s: left is\n%s", name, differs)
			}
			v.wantCache(name, readTree(t, cache))
		}
		if n := packsIn(readTree(t, cache)); n != 2 {
			t.Errorf("%d packs in the cache, want 2", n)
		}
	})
}

// TestSpaceOfFetch sees that a file of "fetch -o" shares blocks, too.
func TestSpaceOfFetch(t *testing.T) {
	onVolumes(t, func(t *testing.T, dir string) {
		b := newFixture(t, packtest.Options{Plain: true})
		ref := b.push("a", "1.0.0", cutSize)
		v := volume{&killing{fixture: b}, dir}
		for _, name := range []string{"downloaded", "cached"} {
			path := filepath.Join(dir, name)
			if code, stderr := v.run(dir, filepath.Join(dir, "cache"), "fetch", "--insecure-registry", b.reg.Host(), ref, "-o", path); code != 0 {
				t.Errorf("%s: exit code %d\n%s", name, code, stderr)
				continue
			}
			if got, err := os.ReadFile(path); err != nil || string(got) != string(b.packs[b.pushed["a:1.0.0"].ManifestDigest]) {
				t.Errorf("%s: %d bytes, %v", name, len(got), err)
			}
			v.wantShared(path)
		}
	})
}

// In TestFault36_RewrittenOnDisk a second program writes the entry in place, like the Rust
// client, where the file system shares blocks: a part before the run, and the rest during
// the run or, every third time, after it. The project has the right bytes or none, also
// when the entry is written once more at the end.
func TestFault36_RewrittenOnDisk(t *testing.T) {
	const runs, pieces = 18, 5
	onVolumes(t, func(t *testing.T, dir string) {
		b := newFixture(t, packtest.Options{Plain: true})
		v := volume{restoring(b, 1_000_000), dir}
		right := v.new["packs/a.gtpack"]
		ends := map[int]int{}
		for n := range runs {
			cache := filepath.Join(dir, fmt.Sprintf("cache%d", n))
			b.must(os.Mkdir(cache, 0o777))
			v.cache.write(t, cache)
			project := v.fresh(fmt.Sprintf("project%d", n))
			pack := filepath.Join(v.entry(cache), "pack.gtpack")
			file, err := os.Create(pack)
			b.must(err)
			before := n % (pieces + 1) * (len(right) / pieces)
			_, err = file.WriteString(right[:before])
			b.must(err)
			written := make(chan error, 1)
			rest := func() { written <- errors.Join(inPieces(file, right[before:]), file.Close()) }
			if n%3 != 0 {
				go rest() // through the open file: this goroutine does not see the disk
			}
			code, stderr := v.run(project, cache, "--offline")
			if n%3 == 0 {
				rest()
			}
			b.must(<-written)
			ends[code]++
			whole := before == len(right)
			if code != 0 && code != exitIntegrity || whole && code != 0 || n%3 == 0 && !whole && code == 0 || code == 0 && stderr != "" {
				t.Errorf("run %d: %d bytes from the start, exit code %d\n%s", n, before, code, stderr)
			}
			v.must(os.WriteFile(pack, []byte("after the run"), 0o666))
			if got, ok := readTree(t, project)["packs/a.gtpack"]; ok != (code == 0) || ok && got != right {
				t.Errorf("run %d: exit code %d and %d bytes", n, code, len(got))
			}
		}
		t.Logf("%d runs: right bytes in %d, exit code 4 in %d", runs, ends[0], ends[exitIntegrity])
	})
}
