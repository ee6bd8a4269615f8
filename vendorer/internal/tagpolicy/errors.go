package tagpolicy

import "fmt"

// A NoVersionError reports a range in which the repository has no version tag.
type NoVersionError struct {
	Repository string
	Range      string // "" where any version would do
	Newest     string // the newest version tag there is; "" if there is none
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

// A RangeError reports that a pack was to get a certain tag whose tag packs.toml
// chooses by a range.
type RangeError struct {
	Repository, Range, Tag string
}

func (e *RangeError) Error() string {
	return fmt.Sprintf("its tag is chosen by version = %+q in packs.toml, so it cannot be %s", e.Range, e.Tag)
}

// A NoTagError reports a tag that the repository does not have.
type NoTagError struct {
	Near  []string // tags that it has, those most like it first
	Total int      // how many it has
	Err   error    // the registry's answer
}

func (e *NoTagError) Error() string {
	return fmt.Sprintf("%v\n\ttags that are there: %s", e.Err, listedTags(e.Near, e.Total))
}

func (e *NoTagError) Unwrap() error { return e.Err }
