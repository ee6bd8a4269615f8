package sysregistries_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/BurntSushi/toml"

	"github.com/greenticai/packvendor/internal/mirrors"
	"github.com/greenticai/packvendor/internal/ociref"
)

// FuzzLikeTheLibrary: of any file with a drop-in, packvendor and the library accept the
// same ones, but for the differences that the comment of package mirrors lists, and have
// the same rule and the same sources for a reference.
func FuzzLikeTheLibrary(f *testing.F) {
	for _, seed := range []struct{ main, dropIn, ref string }{
		{"", "", "reg.example/a:1"},
		{"[[registry]]\nlocation = \"reg.example\"\n[[registry.mirror]]\nlocation = \"m.example\"", "", "reg.example/a@" + digest},
		{"[[registry]]\nprefix = \"*.example\"\nblocked = true", "[[registry]]\nprefix = \"*.example\"\n[[registry.mirror]]\nlocation = \"m.corp\"\npull-from-mirror = \"all\"", "a.b.example:80/a:1"},
		{"registry = [{prefix='reg.example/a', location='in.example/b', mirror=[{location='m.example/c', pull-from-mirror='tag-only'}]}]", "[aliases]\na=\"b\"", "reg.example/a/b:1"},
		{"[[registry]]\nlocation = \"docker.io/library\"\nmirror-by-digest-only = true\nnamespace-proxy = \"x\"", "[registries.search]\nregistries=[]", "docker.io/library/a:1"},
	} {
		f.Add(seed.main, seed.dropIn, seed.ref)
	}
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, main, dropIn, written string) {
		s := setting{main: main, dropIns: []string{dropIn}}
		c, ourErr := s.ours()
		if ourErr != nil && isBound(ourErr) {
			return
		}
		l, theirErr := s.theirs(t, dir)
		if ourErr == nil && theirErr != nil {
			s = setting{main: onlyRegistries(main), dropIns: []string{onlyRegistries(dropIn)}}
			l, theirErr = s.theirs(t, dir)
		}
		if (ourErr == nil) != (theirErr == nil) {
			t.Fatalf("%s\n ours: %v\ntheirs: %v", s, ourErr, theirErr)
		}
		ref, err := ociref.Parse(written)
		if ourErr != nil || err != nil || hasTwice(c, ref) {
			return
		}
		compare(t, s, c, l, ref)
	})
}

// isBound reports whether an error is one that only packvendor has.
func isBound(err error) bool {
	return slices.ContainsFunc([]string{"nested more than", "have more than", "keys and arrays", "the file is larger", "are one key"}, func(words string) bool {
		return strings.Contains(err.Error(), words)
	})
}

// onlyRegistries returns the rules of a file, without what packvendor ignores.
func onlyRegistries(text string) string {
	var tree map[string]any
	if _, err := toml.Decode(text, &tree); err != nil {
		return text
	}
	for key := range tree {
		if !strings.EqualFold(key, "registry") {
			delete(tree, key)
		}
	}
	rest, err := toml.Marshal(tree)
	if err != nil {
		return text
	}
	return string(rest)
}

// hasTwice reports whether a wildcard occurs twice in a host, where the two differ.
func hasTwice(c *mirrors.Config, ref ociref.Reference) bool {
	hosts := []string{ref.Registry}
	for _, r := range c.Rules {
		hosts = append(hosts, r.Location)
		for _, m := range r.Mirrors {
			hosts = append(hosts, m.Location)
		}
	}
	return slices.ContainsFunc(c.Rules, func(r mirrors.Rule) bool {
		domain, isWildcard := strings.CutPrefix(r.Prefix, "*")
		return isWildcard && strings.HasPrefix(domain, ".") && slices.ContainsFunc(hosts, func(host string) bool {
			return strings.Count(host, domain) > 1 || strings.Count(strings.ToLower(host), domain) > 1
		})
	})
}
