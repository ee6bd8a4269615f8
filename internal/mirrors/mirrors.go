// Package mirrors owns the user's containers-registries.conf(5), the file in which Podman,
// Skopeo, Buildah and CRI-O find mirrors: it reads the file and its drop-ins, finds the rule
// for a reference, and puts the sources of the reference in order. It uses no network.
//
// It reads the format as the library of those programs does, with these differences. Most
// make it safer to read a file that may be a stranger's.
//
//   - Short names, aliases, credential helpers and search registries are ignored, right or
//     wrong.
//   - A file of version 1 is ignored (Config.Version1), not refused.
//   - A file that mixes versions, a key that is there twice in different case, and a file
//     beyond the bounds of this package are refused.
//   - A reference is also compared in its canonical spelling: Docker Hub's three names are
//     one, and so are GHCR.io:443 and ghcr.io. docker.io/x stays docker.io/x, though, and
//     does not become docker.io/library/x.
//   - *.example.com compares the end of the host. The library compares the first place
//     where .example.com occurs, and so misses a.example.com.example.com.
//   - A location leads to what packvendor accepts as a reference. So [::1] is a host, and
//     MIRROR is none.
//   - A tag is asked of the origin first. A mirror goes before the origin only if it says
//     pull-from-mirror = "all" or "tag-only": most mirrors have the tags that somebody
//     pulled through them, and miss new ones.
//   - A mirror without a path gets namespace-proxy, if its key does not say otherwise.
//   - CONTAINERS_REGISTRIES_CONF=/dev/null reads nothing, not even
//     CONTAINERS_REGISTRIES_CONF_OVERRIDE. An XDG_CONFIG_HOME that is no absolute path does
//     not count.
package mirrors

import (
	"maps"
	"slices"
	"strings"

	"github.com/greenticai/packvendor/internal/ociref"
)

// A File is one file in the format of containers-registries.conf(5), version 2. Nothing
// changes it after Parse.
type File struct {
	Name     string
	Version1 bool   // the file is in the format of version 1, and has no rules
	Rules    []Rule // sorted by Prefix, each Prefix once
}

// A Rule is a table [[registry]]: what holds for the repositories below a prefix.
type Rule struct {
	Prefix string // host[:port], with or without a path; or *.host for all hosts below
	Endpoint
	Blocked      bool // nobody may ask Endpoint, or any other source that the prefix matches
	ByDigestOnly bool // mirror-by-digest-only: mirrors answer no tags
	Mirrors      []Mirror
}

// A Mirror is a table [[registry.mirror]].
type Mirror struct {
	Endpoint
	Pull Pull
}

// An Endpoint is the physical place of a rule's repositories, or of their mirror.
type Endpoint struct {
	// Location replaces the rule's prefix in a reference. It is empty only in a rule with
	// a prefix *.host that replaces nothing.
	Location  string
	Insecure  bool   // the file allows plain HTTP: its word alone is not enough
	Namespace string // namespace-proxy
	Position
}

// A Position is the place of a table in a file.
type Position struct {
	File string
	Line int // 1-based
}

// A Pull says for which references a mirror is asked: pull-from-mirror.
type Pull string

const (
	PullDefault    Pull = "" // all, but the file does not say so
	PullAll        Pull = "all"
	PullDigestOnly Pull = "digest-only"
	PullTagOnly    Pull = "tag-only"
)

// A Config is the rules of all files together. The zero value has none. Nothing changes it
// after Merge or Load, so goroutines may share it.
type Config struct {
	Files    []string // all files that were read, in their order
	Version1 []string // those in the format of version 1, which was ignored
	Rules    []Rule   // sorted by Prefix, each Prefix once
}

// Merge joins files. A rule of a later file replaces a rule with the same prefix.
func Merge(files ...*File) *Config {
	c := &Config{}
	rules := map[string]Rule{}
	for _, f := range files {
		c.Files = append(c.Files, f.Name)
		if f.Version1 {
			c.Version1 = append(c.Version1, f.Name)
		}
		for _, r := range f.Rules {
			rules[r.Prefix] = r
		}
	}
	for _, prefix := range slices.Sorted(maps.Keys(rules)) {
		c.Rules = append(c.Rules, rules[prefix])
	}
	return c
}

// Rule returns the rule for a reference, the one with the longest prefix that matches its
// repository; nil if there is none. Of two prefixes of one length, *.host wins.
func (c *Config) Rule(ref ociref.Reference) *Rule {
	r, _ := c.find(ref)
	return r
}

// find returns the rule for a reference, and what follows its prefix in the name of the
// repository.
func (c *Config) find(ref ociref.Reference) (found *Rule, rest string) {
	names := spellings(ref)
	for i := range c.Rules {
		r := &c.Rules[i]
		if found != nil && len(r.Prefix) <= len(found.Prefix) {
			continue
		}
		for _, name := range names {
			if n := matched(name, r.Prefix); n >= 0 {
				found, rest = r, name[n:]
				break
			}
		}
	}
	return found, rest
}

// spellings returns the names that a prefix may match: host/repository as it is written,
// and in the spelling in which names are compared.
func spellings(ref ociref.Reference) []string { return []string{ref.Name(), ref.CanonicalName()} }

// matched returns the length of the part of a name that a prefix matches, -1 if it matches
// none. As in the library, the prefix reg.example matches reg.example:5000/x as well.
func matched(name, prefix string) int {
	domain, isWildcard := strings.CutPrefix(prefix, "*")
	if isWildcard && strings.HasPrefix(domain, ".") {
		return matchedHost(name, domain)
	}
	switch {
	case !strings.HasPrefix(name, prefix):
		return -1
	case len(name) > len(prefix) && name[len(prefix)] != '/' && name[len(prefix)] != ':':
		return -1
	}
	return len(prefix)
}

// matchedHost returns the length of a name's host if this ends in domain, otherwise -1.
func matchedHost(name, domain string) int {
	host, _, _ := strings.Cut(name, "/")
	host, _, _ = strings.Cut(host, ":")
	if !strings.HasSuffix(host, domain) {
		return -1
	}
	return len(host)
}
