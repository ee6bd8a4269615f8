//go:build amd64 || arm64

package main

import (
	"fmt"
	"strings"
)

// packCount is the number of packs in a cold run.
const packCount = 10

// coldProject returns a project with ten packs of 20 kB each.
func (b *fixture) coldProject() tree {
	var packs []string
	for n := range packCount {
		name := fmt.Sprintf("p%d", n)
		packs = append(packs, fmt.Sprintf("%s = %q", name, b.push(name, "1.0.0", 20_000)))
	}
	return b.project(packs...)
}

var coldKillings = map[string]func(*fixture) *killing{
	"cold": func(b *fixture) *killing {
		return newKilling(b, b.coldProject(), nil, false, "--jobs=1").everyStep()
	},
	// packs.lock exists, and the packs come at once.
	"locked": func(b *fixture) *killing {
		cold := b.coldProject()
		k := newKilling(b, cold, nil, false)
		cold["packs.lock"] = k.new["packs.lock"]
		return k.everyStep()
	},
	"within packs": func(b *fixture) *killing {
		k := newKilling(b, b.coldProject(), nil, false)
		for pack := range packCount {
			for _, n := range []int{0, 1, 1_000, 5_000, 10_000, 15_000, 19_000, 20_000} {
				k.within(pack, n)
			}
		}
		return k
	},
}

var editKillings = map[string]func(*fixture) *killing{
	"add": func(b *fixture) *killing {
		old, cache := b.vendored(b.project(b.line("a", "a")))
		ref := b.push("b", "1.0.0", 1000)
		return newKilling(b, old, cache, true, "add", "b", ref).everyStep()
	},
	"update": func(b *fixture) *killing {
		first, second := b.tagged("a", "1.0.0", 1000), b.tagged("b", "1.0.0", 1000)
		old, cache := b.vendored(b.project(first, second))
		b.tagged("a", "2.0.0", 1000)
		b.tagged("b", "2.0.0", 1000)
		return newKilling(b, old, cache, true, "update").everyStep()
	},
	"removal": func(b *fixture) *killing {
		old, cache := b.vendored(b.project(b.line("a", "a"), b.line("b", "b")))
		old["packs.toml"] = b.project(b.line("a", "a"))["packs.toml"]
		return newKilling(b, old, cache, false).everyStep()
	},
	"removal of all": func(b *fixture) *killing {
		old, cache := b.vendored(b.project(b.line("a", "a")))
		old["packs.toml"] = b.project()["packs.toml"]
		return newKilling(b, old, cache, false).everyStep()
	},
	// All at once: one pack is new, one gone, one changed.
	"packs.toml edited": func(b *fixture) *killing {
		old, cache := b.vendored(b.project(b.line("a", "a"), b.line("b", "b")))
		old["packs.toml"] = b.project(b.line("a", "another"), b.line("c", "c"))["packs.toml"]
		return newKilling(b, old, cache, false).everyStep()
	},
}

// line returns packs.toml's line for a pack by digest.
func (b *fixture) line(name, repository string) string {
	return fmt.Sprintf("%s = %q", name, b.push(repository, "1.0.0", 1000))
}

// tagged pushes a version, points the tag stable at it, and returns packs.toml's line.
func (b *fixture) tagged(name, version string, size int) string {
	b.Helper()
	ref := b.push(name, version, size)
	b.must(b.reg.Tag(name, "stable", b.pushed[name+":"+version].ManifestDigest))
	return fmt.Sprintf("%s = %q", name, strings.Replace(ref, "@", ":stable@", 1))
}

// vendored returns a project after its first run, and the cache.
func (b *fixture) vendored(project tree) (vendored, cache tree) {
	b.Helper()
	k := &killing{fixture: b, old: project}
	dir, cached, done := k.begin()
	defer done()
	if code, text := here(dir, cached, ""); code != 0 {
		b.Fatalf("the first run ends with %d\n%s", code, text)
	}
	return readTree(b, dir), readTree(b, cached)
}
