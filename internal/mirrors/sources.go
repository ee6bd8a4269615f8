package mirrors

import (
	"fmt"
	"slices"
	"strings"

	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/printable"
)

// A Plan is the sources of a reference, in the order in which to ask them.
type Plan struct {
	Rule    *Rule    // nil if no rule matches: then the origin is the only source
	Sources []Source // at least one
	Blocked []Source // those that a rule blocks, in the same order: nobody asks them
}

// A Source is a registry that may have what a reference names.
type Source struct {
	// Reference names it there: on another host, and perhaps in another repository, but
	// with the tag and the digest of the reference.
	Reference ociref.Reference
	Role      Role
	// AfterOrigin marks a mirror that is asked for a tag only after the origin. It may have
	// an old one, so its answer deserves a warning.
	AfterOrigin bool
	// Insecure is the file's word that plain HTTP is allowed. A mirror with it is asked
	// only if its host is in insecure_registries, too.
	Insecure bool
	// Namespace is the value of the parameter ns in requests: it tells a proxy for several
	// registries which of them is meant. It is empty for none.
	Namespace string
	Position  // of the source's table; zero if no rule matches
}

// A Role is the relation of a source to a reference.
type Role string

const (
	RoleOrigin   Role = "origin"   // the reference itself, if perhaps in another spelling
	RoleLocation Role = "location" // it replaces the origin, which is not asked
	RoleMirror   Role = "mirror"
)

// A BlockedError reports a reference without a source that may be asked.
type BlockedError struct {
	Reference ociref.Reference
	Rule      Rule // the rule that blocks the last source
}

func (e *BlockedError) Error() string {
	return fmt.Sprintf("%s:%d: %s is blocked, as everything below %s", e.Rule.File, e.Rule.Line, e.Reference, printable.Word(e.Rule.Prefix, maxQuoted))
}

// Plan returns the sources of a reference: of a digest if it has one, otherwise of a tag.
// A reference with neither stands for the list of tags.
//
// A digest is asked of the mirrors and then of the origin. A tag is asked of the mirrors
// that say so (pull-from-mirror), of the origin, and then of the other mirrors. If the rule
// has a location, it has the origin's place. A source is left out if its own rule blocks it.
//
// Errors: *BlockedError, and *Error for a location that leads to no repository.
func (c *Config) Plan(ref ociref.Reference) (*Plan, error) {
	rule, rest := c.find(ref)
	if rule == nil {
		return &Plan{Sources: []Source{{Reference: ref, Role: RoleOrigin}}}, nil
	}
	sources, err := rule.sources(ref, rest)
	if err != nil {
		return nil, err
	}
	p := &Plan{Rule: rule}
	var blocking *Rule
	for _, s := range sources {
		if r := c.Rule(s.Reference); r != nil && r.Blocked {
			p.Blocked, blocking = append(p.Blocked, s), r
		} else {
			p.Sources = append(p.Sources, s)
		}
	}
	if len(p.Sources) == 0 {
		return nil, &BlockedError{Reference: ref, Rule: *blocking}
	}
	return p, nil
}

// sources returns the sources of a reference in order. rest follows the rule's prefix in
// the name of its repository.
func (r *Rule) sources(ref ociref.Reference, rest string) ([]Source, error) {
	before, after := r.around(ref.Digest == "")
	var all []Source
	for i, m := range slices.Concat(before, after) {
		s, err := m.source(ref, rest)
		if err != nil {
			return nil, err
		}
		s.Role, s.AfterOrigin = RoleMirror, i >= len(before)
		if s.Namespace == "" && !strings.Contains(m.Location, "/") {
			s.Namespace = ociref.CanonicalHost(ref.Registry)
		}
		all = append(all, s)
	}
	s, err := r.source(ref, rest)
	if err != nil {
		return nil, err
	}
	s.Role = RoleLocation
	if s.Reference.CanonicalName() == ref.CanonicalName() {
		s.Role = RoleOrigin
	}
	return slices.Insert(all, len(before), s), nil
}

// around returns the mirrors to ask before the origin, and those to ask after it.
func (r *Rule) around(byTag bool) (before, after []Mirror) {
	for _, m := range r.Mirrors {
		switch {
		case !byTag && m.Pull != PullTagOnly:
			before = append(before, m)
		case !byTag, r.ByDigestOnly, m.Pull == PullDigestOnly:
		case m.Pull == PullDefault:
			after = append(after, m)
		default:
			before = append(before, m)
		}
	}
	return before, after
}

// source returns an endpoint as a source of a reference, without its role.
func (e *Endpoint) source(ref ociref.Reference, rest string) (Source, error) {
	s := Source{Reference: ref, Insecure: e.Insecure, Namespace: e.Namespace, Position: e.Position}
	if e.Location == "" {
		return s, nil
	}
	place, err := ociref.Parse(e.Location + rest)
	if err != nil || place.Tag != "" || place.Digest != "" || place.Scheme != "" {
		return Source{}, &Error{Position: e.Position, Msg: fmt.Sprintf("location %s does not lead from %s to a repository", quoteLocation(e.Location), ref.Name())}
	}
	s.Reference = ociref.Reference{Scheme: ref.Scheme, Registry: place.Registry, Repository: place.Repository, Tag: ref.Tag, Digest: ref.Digest}
	return s, nil
}
