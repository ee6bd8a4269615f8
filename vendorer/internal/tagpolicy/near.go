package tagpolicy

import (
	"fmt"
	"slices"
	"strings"

	"github.com/greenticai/packvendor/internal/nearest"
	"github.com/greenticai/packvendor/internal/versions"
)

// maxTags bounds how many tags of a repository a message names.
const maxTags = 8

// Near returns tags, those most like tag first: of versions those around it, else
// the one that it may be a misspelling of.
func Near(tag string, tags []string) []string {
	sorted, _ := versions.Sort(tags)
	v, isVersion := versions.Parse(tag)
	if !isVersion || len(sorted) == 0 {
		near := byInterest(tags)
		if meant := nearest.Of(tag, near); meant != "" {
			near = slices.Insert(near, 0, meant)
		}
		return unique(near)
	}
	newer := 0
	for newer < len(sorted) && sorted[newer].IsNewerThan(v) {
		newer++
	}
	from := max(0, min(newer-maxTags/2, len(sorted)-maxTags))
	return Strings(sorted[from:min(len(sorted), from+maxTags)])
}

// byInterest returns tags in the order in which people look for them: versions, newest
// first, then others; last the tags under which signatures and the like are kept.
// https://github.com/sigstore/cosign/blob/main/specs/SIGNATURE_SPEC.md#storage
func byInterest(tags []string) []string {
	sorted, others := versions.Sort(tags)
	isAttached := func(tag string) bool { return strings.HasPrefix(tag, "sha256-") }
	plain := slices.DeleteFunc(slices.Clone(others), isAttached)
	attached := slices.DeleteFunc(others, func(tag string) bool { return !isAttached(tag) })
	return slices.Concat(Strings(sorted), plain, attached)
}

// Strings are versions as tags.
func Strings(sorted []versions.Version) []string {
	var tags []string
	for _, v := range sorted {
		tags = append(tags, v.String())
	}
	return tags
}

// unique is list with each word once, where it is first.
func unique(list []string) []string {
	seen := map[string]bool{}
	return slices.DeleteFunc(list, func(word string) bool {
		was := seen[word]
		seen[word] = true
		return was
	})
}

// listedTags are the first of tags in words; there are total of them.
func listedTags(tags []string, total int) string {
	shown := tags[:min(len(tags), maxTags)]
	text := strings.Join(shown, ", ")
	if more := total - len(shown); more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}
