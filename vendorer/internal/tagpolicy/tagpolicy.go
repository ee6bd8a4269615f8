// Package tagpolicy chooses among the tags of a repository.
package tagpolicy

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/greenticai/packvendor/internal/nearest"
	"github.com/greenticai/packvendor/internal/versions"
	"github.com/greenticai/packvendor/packsfile"
)

// Choose returns the tag that a pack moves to; "" if it never moves. A wanted tag is
// taken as it is. A range moves to its newest version. A pin to a version tag moves to
// the newest compatible version or, with latest set, to the newest. Another tag stays.
// list lists the tags of the pack's repository; Choose calls it only if it needs them.
// Errors: *RangeError, *NoVersionError, list's.
func Choose(pack packsfile.Pack, wanted string, latest bool, list func() ([]string, error)) (string, error) {
	ref := pack.Reference
	switch {
	case pack.Version != "" && wanted != "":
		return "", &RangeError{Repository: ref.Name(), Range: pack.Version, Tag: wanted}
	case pack.Version != "":
		return newestInRange(pack, list)
	case wanted != "":
		return wanted, nil
	}
	pinned, isVersion := versions.Parse(ref.Tag)
	if ref.Digest == "" || !isVersion {
		return ref.Tag, nil
	}
	tags, err := list()
	if err != nil {
		return "", err
	}
	newer, _ := versions.Newest(tags, func(v versions.Version) bool {
		return v.IsNewerThan(pinned) && (latest || v.IsCompatibleWith(pinned)) && mayFollow(v, ref.Tag)
	})
	return cmp.Or(newer.String(), ref.Tag), nil
}

func newestInRange(pack packsfile.Pack, list func() ([]string, error)) (string, error) {
	tags, err := list()
	if err != nil {
		return "", err
	}
	newest, found := versions.Newest(tags, pack.Range.Contains)
	if !found {
		newest, _ = versions.Newest(tags, isAny)
		return "", &NoVersionError{Repository: pack.Reference.Name(), Range: pack.Version, Newest: newest.String(), Tags: tags}
	}
	return newest.String(), nil
}

// Newest returns the newest version among the tags of a repository, a pre-release only
// if there is no other. The error is *NoVersionError.
func Newest(repository string, tags []string) (string, error) {
	newest, found := versions.Newest(tags, func(v versions.Version) bool { return !v.IsPrerelease() })
	if !found {
		newest, found = versions.Newest(tags, isAny)
	}
	if !found {
		return "", &NoVersionError{Repository: repository, Tags: tags}
	}
	return newest.String(), nil
}

// NewerThan returns the newest version among tags that may follow tag; "" if none is
// newer.
func NewerThan(tag string, tags []string) string {
	newest, found := versions.Newest(tags, func(v versions.Version) bool { return mayFollow(v, tag) })
	if now, ok := versions.Parse(tag); !found || ok && !newest.IsNewerThan(now) {
		return ""
	}
	return newest.String()
}

func isAny(versions.Version) bool { return true }

// mayFollow tells whether v may follow tag: a pre-release only follows a pre-release.
func mayFollow(v versions.Version, tag string) bool {
	now, isVersion := versions.Parse(tag)
	return !v.IsPrerelease() || isVersion && now.IsPrerelease()
}

// maxTags bounds the tags in a message.
const maxTags = 8

// Near returns tags, the nearest to tag first: the versions around a version, else the
// tag that it may misspell.
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

// byInterest returns tags in the order of interest: versions, newest first, then
// others; last the tags of signatures and the like.
// https://github.com/sigstore/cosign/blob/main/specs/SIGNATURE_SPEC.md#storage
func byInterest(tags []string) []string {
	sorted, others := versions.Sort(tags)
	isAttached := func(tag string) bool { return strings.HasPrefix(tag, "sha256-") }
	plain := slices.DeleteFunc(slices.Clone(others), isAttached)
	attached := slices.DeleteFunc(others, func(tag string) bool { return !isAttached(tag) })
	return slices.Concat(Strings(sorted), plain, attached)
}

// Strings returns versions as tags.
func Strings(sorted []versions.Version) []string {
	var tags []string
	for _, v := range sorted {
		tags = append(tags, v.String())
	}
	return tags
}

// unique removes repeated words from list.
func unique(list []string) []string {
	seen := map[string]bool{}
	return slices.DeleteFunc(list, func(word string) bool {
		was := seen[word]
		seen[word] = true
		return was
	})
}

// listedTags lists the first of total tags for a message.
func listedTags(tags []string, total int) string {
	shown := tags[:min(len(tags), maxTags)]
	text := strings.Join(shown, ", ")
	if more := total - len(shown); more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

// A NoVersionError reports a range without a matching version tag.
type NoVersionError struct {
	Repository string
	Range      string // "" if any version would do
	Newest     string // the newest version tag; "" if there is none
	Tags       []string
}

func (e *NoVersionError) Error() string {
	others := ""
	if len(e.Tags) > 0 {
		others = ", but " + listedTags(byInterest(e.Tags), len(e.Tags))
	}
	switch {
	case e.Range == "":
		return fmt.Sprintf("%s has no version tag%s: name a tag or a digest", e.Repository, others)
	case e.Newest == "":
		return fmt.Sprintf("%s has no version tag%s", e.Repository, others)
	}
	return fmt.Sprintf("%s has no version tag in the range %+q, the newest is %s", e.Repository, e.Range, e.Newest)
}

// A RangeError reports a tag that was given for a pack which follows a range.
type RangeError struct {
	Repository, Range, Tag string
}

func (e *RangeError) Error() string {
	return fmt.Sprintf("its tag is chosen by version = %+q in packs.toml, so it cannot be %s", e.Range, e.Tag)
}

// A NoTagError reports a tag that the repository does not have.
type NoTagError struct {
	Near  []string // its tags, the nearest first
	Total int      // the number of its tags
	Err   error    // the registry's answer
}

func (e *NoTagError) Error() string {
	return fmt.Sprintf("%v\n\ttags that are there: %s", e.Err, listedTags(e.Near, e.Total))
}

func (e *NoTagError) Unwrap() error { return e.Err }
