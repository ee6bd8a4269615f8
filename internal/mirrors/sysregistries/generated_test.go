package sysregistries_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/greenticai/packvendor/internal/ociref"
)

const digest = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

// What generated files and references are made of: few names, so that they meet.
var (
	prefixes = []string{
		"reg.example", "reg.example:5000", "reg.example:443", "REG.example", "reg.example/a", "reg.example/a/b", "reg.example/a/b/c", "reg.example/a/",
		"reg.example/ab", "reg.example/a:1", "reg.example/a@" + digest, "*.example", "*.reg.example", "*.a.example", "x.reg.example", "localhost", "localhost:80",
		"docker.io", "docker.io/library", "docker.io/library/a", "index.docker.io", "registry-1.docker.io", "[::1]:5000", "reg", "example", "*", "*.", "/",
	}
	locations = []string{
		"reg.example", "reg.example:5000", "reg.example/a", "in.example", "in.example:8080", "in.example/p", "in.example/p/q", "in.example/p/", "m.example", "m.example/a",
		"x.reg.example", "docker.io", "docker.io/library", "[::1]:5000", "localhost:80/p", "in.example:443",
	}
	wrong = []string{
		"prefix = 1\n", "prefix = \"*.example/a\"\n", "prefix = \"*.example:80\"\n", "location = \"https://in.example\"\n", "location = \"\"\n", "location = []\n",
		"blocked = 1\n", "insecure = \"true\"\n", "mirror-by-digest-only = 0\n", "pull-from-mirror = \"all\"\n", "mirror = 1\n", "location = \"mirror\"\n",
		"location = \"in.example/A\"\n", "location = \"me:secret@in.example\"\n", "location = \"in.example/a:1\"\n", "location = \"*.example\"\n", "prefix = \"http://a\"\n", "prefix = \"",
	}
	hosts = []string{
		"reg.example", "reg.example:5000", "reg.example:443", "REG.example", "x.reg.example", "a.x.reg.example", "x.reg.example:5000", "other.example", "a.other.example",
		"localhost", "localhost:80", "docker.io", "index.docker.io", "registry-1.docker.io", "[::1]:5000", "in.example", "m.example",
	}
	repositories = []string{"a", "a/b", "a/b/c", "a/b/c/d", "ab", "b", "library/a", "library/a/b", "p/a"}
	tails        = []string{"", ":1", ":2", "@" + digest, ":1@" + digest}
)

// A generator writes files.
type generator struct{ *rand.Rand }

func pick[T any](g generator, list []T) T { return list[g.IntN(len(list))] }

// rarely is true once in n times.
func (g generator) rarely(n int) bool { return g.IntN(n) == 0 }

func (g generator) setting() setting {
	s := setting{main: g.file()}
	for range g.IntN(3) {
		s.dropIns = append(s.dropIns, g.file())
	}
	return s
}

func (g generator) file() string {
	var b strings.Builder
	if g.rarely(3) {
		b.WriteString("unqualified-search-registries = [\"docker.io\"]\nshort-name-mode = \"enforcing\"\n[aliases]\n\"a\" = \"reg.example/a\"\n")
	}
	for range g.IntN(6) {
		b.WriteString("[[registry]]\n")
		b.WriteString(g.registry())
		for range g.IntN(4) {
			b.WriteString("[[registry.mirror]]\n")
			b.WriteString(g.mirror())
		}
	}
	return b.String()
}

func (g generator) registry() string {
	var b strings.Builder
	if g.rarely(100) {
		b.WriteString(pick(g, wrong))
	}
	prefix := pick(g, prefixes)
	if !g.rarely(4) {
		fmt.Fprintf(&b, "prefix = %q\n", prefix)
	}
	if !strings.HasPrefix(prefix, "*.") || g.rarely(2) {
		fmt.Fprintf(&b, "location = %q\n", pick(g, locations))
	}
	for _, key := range []string{"blocked", "mirror-by-digest-only"} {
		if g.rarely(6) {
			fmt.Fprintf(&b, "%s = %t\n", key, !g.rarely(3))
		}
	}
	if g.rarely(10) {
		b.WriteString("insecure = true\n")
	}
	if g.rarely(10) {
		b.WriteString("namespace-proxy = \"ns.example\"\n")
	}
	if g.rarely(5) {
		b.WriteString("unknown = [{}, 1]\n")
	}
	return b.String()
}

func (g generator) mirror() string {
	var b strings.Builder
	if g.rarely(100) {
		b.WriteString(pick(g, wrong))
	}
	fmt.Fprintf(&b, "location = %q\n", pick(g, locations))
	if g.rarely(2) {
		fmt.Fprintf(&b, "pull-from-mirror = %q\n", pick(g, []string{"all", "digest-only", "tag-only", "digest-only", "tag-only", ""}))
	}
	if g.rarely(4) {
		fmt.Fprintf(&b, "insecure = %t\n", g.rarely(2))
	}
	if g.rarely(8) {
		b.WriteString("namespace-proxy = \"ns.example\"\n")
	}
	return b.String()
}

// Of generated files, packvendor and the library accept the same ones, and have the same
// rule and the same sources for each reference.
func TestGenerated(t *testing.T) {
	n, accepted := 4000, 0
	if testing.Short() {
		n = 400
	}
	dir := t.TempDir()
	for seed := range uint64(n) {
		g := generator{rand.New(rand.NewPCG(15, seed))}
		s := g.setting()
		c, ourErr := s.ours()
		l, theirErr := s.theirs(t, dir)
		if (ourErr == nil) != (theirErr == nil) {
			t.Fatalf("%s\n ours: %v\ntheirs: %v", s, ourErr, theirErr)
		}
		if ourErr != nil {
			continue
		}
		accepted++
		for range 40 {
			ref, err := ociref.Parse(pick(g, hosts) + "/" + pick(g, repositories) + pick(g, tails))
			if err != nil {
				t.Fatal(err)
			}
			compare(t, s, c, l, ref)
		}
	}
	t.Logf("%d of %d files accepted", accepted, n)
	if accepted < n/4 || accepted > n*3/4 {
		t.Errorf("%d of %d files accepted", accepted, n)
	}
}
