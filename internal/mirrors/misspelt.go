package mirrors

import (
	"slices"
	"strings"

	"github.com/greenticai/packvendor/internal/nearest"
	"github.com/greenticai/packvendor/internal/regularfile"
)

// A Misspelt is a key that is ignored, because it is unknown, and resembles a known one.
type Misspelt struct {
	Position
	Key  string // its last part, which may be any text
	Near string
}

// Known keys, those for other programs as well:
// https://github.com/containers/image/blob/main/docs/containers-registries.conf.5.md
var (
	topKeys = []string{
		"registry", "unqualified-search-registries", "aliases", "short-name-mode", "credential-helpers",
		"additional-layer-store-auth-helper", "registries",
	}
	endpointKeys = []string{"location", "insecure", "pull-from-mirror", "namespace-proxy"}
	mirrorKeys   = endpointKeys
	registryKeys = append([]string{"prefix", "mirror", "blocked", "mirror-by-digest-only"}, endpointKeys...)
)

// FindMisspelt returns the misspelt keys of a file in their order; none of one that cannot be
// read, or is in the format of version 1. Parse knows what is wrong with such a file.
func FindMisspelt(file string) []Misspelt {
	data, err := regularfile.Read(nil, file, MaxSize)
	if err != nil {
		return nil
	}
	root, err := decode(file, data)
	if err != nil || root.version1() > 0 {
		return nil
	}
	found := root.misspelt(topKeys)
	registries, _ := root.tables("registry")
	for _, registry := range registries {
		found = append(found, registry.misspelt(registryKeys)...)
		mirrors, _ := registry.tables("mirror")
		for _, mirror := range mirrors {
			found = append(found, mirror.misspelt(mirrorKeys)...)
		}
	}
	slices.SortStableFunc(found, func(a, b Misspelt) int { return a.Line - b.Line })
	return found
}

// misspelt returns the misspelt keys of one table, sorted.
func (t table) misspelt(known []string) []Misspelt {
	var found []Misspelt
	for key := range t.values {
		if slices.ContainsFunc(known, func(k string) bool { return strings.EqualFold(k, key) }) {
			continue
		}
		if near := nearest.Of(key, known); near != "" {
			found = append(found, Misspelt{Position{File: t.file, Line: t.lineOf(key)}, key, near})
		}
	}
	slices.SortFunc(found, func(a, b Misspelt) int { return strings.Compare(a.Key, b.Key) })
	return found
}
