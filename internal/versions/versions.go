// Package versions recognizes tags that are versions, and finds the newest one.
package versions

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/Masterminds/semver/v3"
)

// A Version is a version tag: v?X.Y.Z[-pre][+build], strict semantic versioning after
// the v. https://semver.org/spec/v2.0.0.html
type Version struct {
	tag    string
	parsed *semver.Version
}

// Parse reads a tag, and reports whether it is a version tag. Tags such as
// latest, 1.2 or a date never are.
func Parse(tag string) (Version, bool) {
	parsed, err := semver.StrictNewVersion(strings.TrimPrefix(tag, "v"))
	return Version{tag: tag, parsed: parsed}, err == nil
}

// String returns the tag.
func (v Version) String() string { return v.tag }

// IsPrerelease reports whether v precedes a release, as 1.0.0-rc.1 does.
func (v Version) IsPrerelease() bool { return v.parsed.Prerelease() != "" }

// IsNewerThan reports whether v is newer than w. Of equal versions neither is.
func (v Version) IsNewerThan(w Version) bool { return v.parsed.GreaterThan(w.parsed) }

// IsCompatibleWith reports whether v has w's major number or, below 1.0, its minor
// number too: by the rules of semantic versioning, users of w can use v.
func (v Version) IsCompatibleWith(w Version) bool {
	if v.parsed.Major() != w.parsed.Major() {
		return false
	}
	return v.parsed.Major() > 0 || v.parsed.Minor() == w.parsed.Minor()
}

// Newest returns the newest version among tags that accept allows, and whether there is
// one. Of equal versions the one without a v wins.
func Newest(tags []string, accept func(Version) bool) (newest Version, found bool) {
	for _, tag := range tags {
		v, ok := Parse(tag)
		if ok && accept(v) && (!found || v.wins(newest)) {
			newest, found = v, true
		}
	}
	return newest, found
}

// Sort splits tags into versions, newest first and of equal ones the one without a v
// first, and the others in their order.
func Sort(tags []string) (sorted []Version, others []string) {
	for _, tag := range tags {
		if v, ok := Parse(tag); ok {
			sorted = append(sorted, v)
		} else {
			others = append(others, tag)
		}
	}
	slices.SortFunc(sorted, func(v, w Version) int {
		switch {
		case v.wins(w):
			return -1
		case w.wins(v):
			return 1
		}
		return 0
	})
	return sorted, others
}

// wins orders versions totally, so that the order of a list of tags does not matter.
func (v Version) wins(w Version) bool {
	if order := v.parsed.Compare(w.parsed); order != 0 {
		return order > 0
	}
	if hasV := strings.HasPrefix(v.tag, "v"); hasV != strings.HasPrefix(w.tag, "v") {
		return !hasV
	}
	return v.tag > w.tag
}

// A Range is a set of versions, such as ^0.4 or >=1.2, <2. It contains pre-releases
// only if one of its bounds is one.
type Range struct{ constraints *semver.Constraints }

// maxRange bounds a range's text, in bytes.
const maxRange = 256

// ParseRange reads a range in the syntax of
// https://pkg.go.dev/github.com/Masterminds/semver/v3#hdr-Checking_Version_Constraints.
// Its errors are in ASCII and name no range.
func ParseRange(s string) (Range, error) {
	if strings.TrimSpace(s) == "" {
		return Range{}, errors.New("is empty")
	}
	if len(s) > maxRange {
		return Range{}, fmt.Errorf("is longer than %d characters", maxRange)
	}
	for _, c := range []byte(s) {
		if c < ' ' || c > '~' || c == '"' || c == '\\' {
			return Range{}, fmt.Errorf("has the character %+q", []byte{c})
		}
	}
	constraints, err := semver.NewConstraint(s)
	if err != nil {
		return Range{}, errors.New("is not a range of versions such as ^0.4")
	}
	return Range{constraints: constraints}, nil
}

// Contains reports whether v is in the range.
func (r Range) Contains(v Version) bool { return r.constraints.Check(v.parsed) }
