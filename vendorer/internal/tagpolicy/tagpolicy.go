// Package tagpolicy chooses among the tags of a repository.
package tagpolicy

import (
	"cmp"

	"github.com/greenticai/packvendor/internal/versions"
	"github.com/greenticai/packvendor/packsfile"
)

// Choose returns the tag that a pack moves to; "" if it never moves. A tag that is
// wanted is taken, whatever it is. A range moves to its newest version. A pin to a
// version tag moves to the newest compatible version or, with latest set, to the newest.
// Another tag stays. list lists the tags of the pack's repository; it is called only if
// the choice depends on them. Errors: *RangeError, *NoVersionError, list's.
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

// NewerThan returns the newest version among tags, if it may be taken where tag is
// what is there; "" if there is none that is newer.
func NewerThan(tag string, tags []string) string {
	newest, found := versions.Newest(tags, func(v versions.Version) bool { return mayFollow(v, tag) })
	if now, ok := versions.Parse(tag); !found || ok && !newest.IsNewerThan(now) {
		return ""
	}
	return newest.String()
}

func isAny(versions.Version) bool { return true }

// mayFollow tells whether v may be taken where tag is what is there: a
// pre-release only follows a pre-release.
func mayFollow(v versions.Version, tag string) bool {
	now, isVersion := versions.Parse(tag)
	return !v.IsPrerelease() || isVersion && now.IsPrerelease()
}
