//go:build amd64 || arm64

package main

import (
	"fmt"
	"strings"
	"testing"

	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/packtest"
	"github.com/greenticai/packvendor/internal/packtest/signing"
)

// packCount is the number of packs in a cold run.
const packCount = 10

// coldProject returns a project with ten packs of 20 kB each, of which one is signed.
func (b *fixture) coldProject() tree {
	packs := []string{fmt.Sprintf("p0 = %q", b.pushSigned("p0", "1.0.0", 20_000, acme))}
	for n := 1; n < packCount; n++ {
		name := fmt.Sprintf("p%d", n)
		packs = append(packs, fmt.Sprintf("%s = %q", name, b.push(name, "1.0.0", 20_000)))
	}
	return b.signed([]string{"p0"}, packs...)
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

// Some of the packs are signed: their evidence is a step of the commit.
var editKillings = map[string]func(*fixture) *killing{
	"add": func(b *fixture) *killing {
		old, cache := b.vendored(b.signed([]string{"b"}, b.line("a", "a")))
		ref := b.pushSigned("b", "1.0.0", 1000, acme)
		return newKilling(b, old, cache, true, "add", "b", ref).everyStep()
	},
	"update": func(b *fixture) *killing {
		first, second := b.taggedBy(acme, "a", "1.0.0", 1000), b.tagged("b", "1.0.0", 1000)
		old, cache := b.vendored(b.signed([]string{"a"}, first, second))
		b.taggedBy(acmeNext, "a", "2.0.0", 1000)
		b.tagged("b", "2.0.0", 1000)
		return newKilling(b, old, cache, true, "update").everyStep()
	},
	"removal": func(b *fixture) *killing {
		old, cache := b.vendored(b.signed([]string{"b"}, b.line("a", "a"), b.lineBy(acme, "b")))
		old["packs.toml"] = b.signed([]string{"b"}, b.line("a", "a"))["packs.toml"]
		return newKilling(b, old, cache, false).everyStep()
	},
	"removal of all": func(b *fixture) *killing {
		old, cache := b.vendored(b.project(b.line("a", "a")))
		old["packs.toml"] = b.project()["packs.toml"]
		return newKilling(b, old, cache, false).everyStep()
	},
	// All at once: one pack is new, one gone, one changed.
	"packs.toml edited": func(b *fixture) *killing {
		rules := []string{"b", "c"}
		old, cache := b.vendored(b.signed(rules, b.line("a", "a"), b.lineBy(acme, "b")))
		old["packs.toml"] = b.signed(rules, b.line("a", "another"), b.lineBy(acmeNext, "c"))["packs.toml"]
		return newKilling(b, old, cache, false).everyStep()
	},
	"new rule": func(b *fixture) *killing {
		line := b.lineBy(acme, "a")
		old, cache := b.vendored(b.project(line))
		old["packs.toml"] = b.signed([]string{"a"}, line)["packs.toml"]
		return newKilling(b, old, cache, false).everyStep()
	},
}

// stubbed is project with [embed] stub.
func (b *fixture) stubbed(packs ...string) tree {
	project := b.project(packs...)
	project["packs.toml"] = strings.Replace(project["packs.toml"], "[embed]\n", "[embed]\nstub = true\n", 1)
	return project
}

var stubKillings = map[string]func(*fixture) *killing{
	"comes": func(b *fixture) *killing {
		line := b.line("a", "a")
		old, cache := b.vendored(b.project(line))
		old["packs.toml"] = b.stubbed(line)["packs.toml"]
		return newKilling(b, old, cache, false).everyStep()
	},
	"goes": func(b *fixture) *killing {
		line := b.line("a", "a")
		old, cache := b.vendored(b.stubbed(line))
		old["packs.toml"] = b.project(line)["packs.toml"]
		return newKilling(b, old, cache, false).everyStep()
	},
	"changes": func(b *fixture) *killing {
		old, cache := b.vendored(b.stubbed(b.line("a", "a")))
		old["packs.toml"] = b.stubbed(b.line("a", "another"))["packs.toml"]
		return newKilling(b, old, cache, false).everyStep()
	},
}

// With a stub there are two generated files, of which the second one may go.
func TestFault46b_StubKilledAtEveryStep(t *testing.T) {
	t.Parallel()
	killAll(t, 20, stubKillings)
}

// line returns packs.toml's line for a pack by digest.
func (b *fixture) line(name, repository string) string {
	return fmt.Sprintf("%s = %q", name, b.push(repository, "1.0.0", 1000))
}

// lineBy is line for a pack that a key signs.
func (b *fixture) lineBy(key *signing.Key, name string) string {
	return fmt.Sprintf("%s = %q", name, b.pushSigned(name, "1.0.0", 1000, key))
}

// taggedBy is tagged for a pack that a key signs.
func (b *fixture) taggedBy(key *signing.Key, name, version string, size int) string {
	b.Helper()
	return b.stable(name, version, b.pushSigned(name, version, size, key))
}

// tagged pushes a version, points the tag stable at it, and returns packs.toml's line.
func (b *fixture) tagged(name, version string, size int) string {
	b.Helper()
	return b.stable(name, version, b.push(name, version, size))
}

// stable points the tag stable at a version, and returns packs.toml's line.
func (b *fixture) stable(name, version, ref string) string {
	b.Helper()
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

// pushSigned is push of a pack that a key signs.
func (b *fixture) pushSigned(repository, version string, size int, key *signing.Key) string {
	b.Helper()
	data := packtest.Zip(repository, version, size)
	a := packtest.Pack(data, repository+".gtpack")
	statement := signing.GreenticStatement(repository+".gtpack", string(ociref.DigestOf(data)))
	a.Annotations = map[string]string{signing.DSSEAnnotation: signing.Sign(statement.JSON(), key).Annotation()}
	pushed := packtest.MustPush(b, b.reg, repository, version, a)
	b.pushed[repository+":"+version], b.packs[pushed.ManifestDigest] = pushed, data
	return b.reg.Host() + "/" + repository + "@" + string(pushed.ManifestDigest)
}

// Keys that sign packs of a fixture.
var acme, acmeNext = signing.Ed25519(1), signing.Ed25519(2)

// signed returns a project in which acme or acmeNext must have signed the packs of these
// repositories, and nobody the others.
func (b *fixture) signed(repositories []string, packs ...string) tree {
	project := b.project(packs...)
	rules := ""
	for _, repository := range repositories {
		rules += fmt.Sprintf("%q = [\"acme\", \"acme-next\"]\n", b.reg.Host()+"/"+repository)
	}
	project["packs.toml"] += fmt.Sprintf("\n\n[trust.signers]\nacme = { key = %q }\nacme-next = { key = %q }\n\n[trust.rules]\n%s\"**\" = []\n",
		acme.Inline(), acmeNext.Inline(), rules)
	return project
}
