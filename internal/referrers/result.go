package referrers

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/signature"
)

// A Result is how a search ended: a *[Stopped], a *[Complete] or an *[Incomplete]. Only
// with a *Complete may anybody say that a manifest is not signed.
type Result interface {
	// Answers says what was looked at, in that order.
	Answers() []Answer
	sealed()
}

// Stopped is the result of a search that judge ended. What comes after was not looked at.
type Stopped struct{ answers []Answer }

// Complete is the result of a search of all places to their ends. Whatever signature there
// is was given to judge, or is among the refused.
type Complete struct{ answers []Answer }

// Incomplete is the result of a search in which a place failed or was cut off: there may
// be signatures that nobody has seen. It is an error, and wraps those of the places.
type Incomplete struct{ answers []Answer }

func (r *Stopped) Answers() []Answer    { return r.answers }
func (r *Complete) Answers() []Answer   { return r.answers }
func (r *Incomplete) Answers() []Answer { return r.answers }

func (*Stopped) sealed()    {}
func (*Complete) sealed()   {}
func (*Incomplete) sealed() {}

// Error is one line, and below it one for each place that was not searched to its end.
func (r *Incomplete) Error() string {
	text := "not fully searched for signatures"
	for _, a := range r.answers {
		if a.Err != nil {
			text += "\n\t" + a.String()
		}
	}
	return text
}

func (r *Incomplete) Unwrap() []error {
	var errs []error
	for _, a := range r.answers {
		if a.Err != nil {
			errs = append(errs, a.Err)
		}
	}
	return errs
}

// end returns the result of a search that judge did not end.
func (s *search) end() Result {
	if slices.ContainsFunc(s.answers, func(a Answer) bool { return a.Err != nil }) {
		return &Incomplete{s.answers}
	}
	return &Complete{s.answers}
}

var (
	// errNowhere keeps a search without repositories from being complete.
	errNowhere = errors.New("no repository was searched")
	// errHidden keeps a search from being complete that saw nothing of the repository.
	errHidden = errors.New("the manifest itself is not there, or hidden")
)

// A LimitError reports what was not looked at because it is too much.
type LimitError struct{ Reason string }

func (e *LimitError) Error() string { return e.Reason }

// A Kind is a kind of place.
type Kind int

const (
	Annotation   Kind = iota // of the manifest
	API                      // the referrers API of the registry
	ListTag                  // the tag that lists referrers, where there is no API
	SignatureTag             // the tag of cosign's older signatures
	Itself                   // the manifest, which must be there if nothing is attached to it
)

// A Place is where signatures are looked for.
type Place struct {
	Kind       Kind
	Repository ociref.Reference // without tag and digest; zero for Annotation
	Subject    ociref.Digest    // of the manifest, or of the index that lists it
}

// tag returns the tag of a place.
func (p Place) tag() string {
	tag := "sha256-" + p.Subject.Hex()
	if p.Kind == SignatureTag {
		tag += ".sig"
	}
	return tag
}

func (p Place) String() string {
	switch p.Kind {
	case Annotation:
		return "the manifest's annotation " + signature.GreenticAnnotation
	case API:
		return fmt.Sprintf("the referrers API of %s for %s", p.Repository.Name(), p.Subject)
	case Itself:
		return p.Repository.WithDigest(p.Subject).String()
	}
	return p.Repository.WithTag(p.tag()).String()
}

// An Answer is what a place had.
type Answer struct {
	Place      Place
	Candidates int       // how many were given to judge
	Refused    []Refusal // what the place lists and is not what it says
	Others     int       // artifacts that are no signatures, by their media types
	Known      int       // artifacts that an earlier place had too
	Missing    string    // why the place has nothing at all; "" if it has something
	// Err is why the place was not searched to its end; nil: it was.
	Err error

	closed bool // nothing more is read from it
}

// A Refusal is an artifact that is not given to judge.
type Refusal struct {
	Artifact string // its digest, as listed; "" for Annotation
	Reason   string
}

func (r Refusal) String() string {
	if r.Artifact == "" {
		return r.Reason
	}
	return r.Artifact + ": " + r.Reason
}

// String is one line: the place, and what it had.
func (a Answer) String() string {
	var parts []string
	for _, count := range []struct {
		n         int
		one, many string
	}{
		{a.Candidates, "candidate", "candidates"},
		{len(a.Refused), "refused", "refused"},
		{a.Others, "other artifact", "other artifacts"},
		{a.Known, "known already", "known already"},
	} {
		switch {
		case count.n == 1:
			parts = append(parts, "1 "+count.one)
		case count.n > 1:
			parts = append(parts, fmt.Sprintf("%d %s", count.n, count.many))
		}
	}
	if a.Missing != "" {
		parts = append(parts, "nothing: "+a.Missing)
	}
	if a.Err != nil {
		parts = append(parts, a.Err.Error())
	}
	if parts == nil {
		parts = []string{"nothing"}
	}
	said := strings.Join(parts, ", ")
	if a.Place == (Place{}) {
		return said
	}
	return a.Place.String() + ": " + said
}

// fail records why the place is not searched to its end. The first reason counts.
func (a *Answer) fail(err error) {
	if a.Err == nil {
		a.Err = err
	}
}

func (a *Answer) refuse(artifact, reason string) {
	a.Refused = append(a.Refused, Refusal{Artifact: artifact, Reason: reason})
}
