// Package trust decides who has to sign a pack: the table [trust] of packs.toml as data.
// It knows no files, no network and no signatures.
package trust

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/greenticai/packvendor/internal/nearest"
	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/printable"
)

// maxQuoted bounds the bytes of a quotation in a message.
const maxQuoted = 120

// A Config is a table [trust] as it is written. Its keys are read.
type Config struct {
	Root    string // the file for keyless signers; "" if there is none
	Signers []Signer
	Rules   []Rule
}

// A Rule says which signers one of its repositories' packs needs.
type Rule struct {
	// Key is HOST/REPOSITORY, PREFIX/**, **, or HOST/REPOSITORY@DIGEST; for packs that are
	// files path:NAME or path:**.
	Key string
	// Signers names those of whom one must have signed. An empty list is an exception:
	// these packs may be unsigned.
	Signers []string
}

// An Error is one problem in a table [trust].
type Error struct {
	// Path leads from the table to the value: "signers", "ci", "refs".
	Path []string
	Msg  string
	// Unsupported says that the value may make sense to a later packvendor.
	Unsupported bool
}

func (e *Error) Error() string {
	path := "trust"
	for _, key := range e.Path {
		if !isBare(key) {
			key = printable.Quote(key, maxQuoted)
		}
		path += "." + key
	}
	return path + ": " + e.Msg
}

// isBare tells whether TOML needs no quotation marks around a key.
func isBare(key string) bool {
	return key != "" && !strings.ContainsFunc(key, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '_' && r != '-'
	})
}

// Errors are all problems of one table.
type Errors []*Error

// Error returns one line for each problem.
func (es Errors) Error() string {
	var lines []string
	for _, e := range es {
		lines = append(lines, e.Error())
	}
	return strings.Join(lines, "\n")
}

// A checker collects the problems of a table.
type checker struct {
	unread bool     // signers may have keys that nobody has read
	known  []string // the names of the signers
	found  Errors
}

func (c *checker) report(path []string, format string, args ...any) *Error {
	e := &Error{Path: path, Msg: fmt.Sprintf(format, args...)}
	c.found = append(c.found, e)
	return e
}

// A Policy is a [trust] table without problems. The zero value asks for nothing. Its methods
// can be called at the same time.
type Policy struct {
	signers []*Signer
	rules   []rule // the most specific first
}

// A rule is one whose key and signers are found out.
type rule struct {
	text    string // its key as written
	scope   scope
	signers []*Signer
}

// New checks a table. Its error is Errors, with all problems.
func New(config Config) (*Policy, error) {
	c := &checker{}
	p := &Policy{signers: c.signers(config)}
	p.rules = c.rules(config.Rules, p.signers)
	if len(c.found) > 0 {
		return nil, c.found
	}
	slices.SortStableFunc(p.rules, func(a, b rule) int { return cmp.Compare(b.scope.rank(), a.scope.rank()) })
	return p, nil
}

// Check checks a table whose keys may be unread. Its error is Errors, with all problems.
func Check(config Config) error {
	c := &checker{unread: true}
	c.rules(config.Rules, c.signers(config))
	if len(c.found) > 0 {
		return c.found
	}
	return nil
}

func (c *checker) rules(written []Rule, signers []*Signer) []rule {
	var rules []rule
	keys := map[scope]string{}
	byName := map[string]*Signer{}
	for _, s := range signers {
		byName[s.Name] = s
		c.known = append(c.known, s.Name)
	}
	for _, w := range written {
		path := []string{"rules", w.Key}
		s, err := parseScope(w.Key)
		if err != nil {
			c.report(path, "%v", err)
		} else if twin, ok := keys[s]; ok {
			c.report(path, "names the same as %s", printable.Quote(twin, maxQuoted))
		} else {
			keys[s] = w.Key
		}
		rules = append(rules, rule{text: w.Key, scope: s, signers: c.named(path, w.Signers, byName)})
	}
	return rules
}

// named returns the signers that a rule names.
func (c *checker) named(path, names []string, byName map[string]*Signer) []*Signer {
	var found []*Signer
	seen := map[string]bool{}
	for _, name := range names {
		s := byName[name]
		quoted := printable.Quote(name, maxQuoted)
		switch {
		case seen[name]:
			c.report(path, "%s is there twice", quoted)
		case s != nil:
			found = append(found, s)
		default:
			c.unknown(path, name)
		}
		seen[name] = true
	}
	return found
}

// maxSuggestions bounds the time that a file full of wrong names takes.
const maxSuggestions = 100

// unknown reports a name that no signer has.
func (c *checker) unknown(path []string, name string) {
	near := ""
	if len(c.found) < maxSuggestions {
		near = nearest.Of(name, c.known)
	}
	quoted := printable.Quote(name, maxQuoted)
	if near == "" {
		c.report(path, "no signer is named %s", quoted)
		return
	}
	c.report(path, "no signer is named %s: did you mean %q?", quoted, near)
}

// HasRules tells whether there is a rule. From then on every pack must match one.
func (p *Policy) HasRules() bool { return len(p.rules) > 0 }

// Signers returns all signers, in the order of the table.
func (p *Policy) Signers() []*Signer { return slices.Clone(p.signers) }

// NameOf returns the name of the signer that packs.lock calls id; "" if there is none.
func (p *Policy) NameOf(id string) string {
	if s := p.Signer(id); s != nil {
		return s.Name
	}
	return ""
}

// Signer returns the signer that packs.lock calls id; nil if there is none.
func (p *Policy) Signer(id string) *Signer {
	for _, s := range p.signers {
		if s.ID() == id {
			return s
		}
	}
	return nil
}

// A Match is the rule that holds for a pack.
type Match struct {
	Rule    string    // its key, as written
	Signers []*Signer // one of these must have signed; none for an exception
	// Digest is the one manifest or index that the rule is for; "" for other rules.
	Digest ociref.Digest
}

// IsException tells whether the pack may be unsigned.
func (m Match) IsException() bool { return len(m.Signers) == 0 }

// Allowed returns the signers that may have signed a layer: a retired one is good for some
// layers alone.
func (m Match) Allowed(layer ociref.Digest) []*Signer {
	var allowed []*Signer
	for _, s := range m.Signers {
		if s.Allows(layer) {
			allowed = append(allowed, s)
		}
	}
	return allowed
}

// A NoRuleError reports a pack that no rule matches.
type NoRuleError struct {
	Repository string // as rules see it
	// Line is a line that would match it, for the table rules.
	Line string
}

func (e *NoRuleError) Error() string { return "no rule of [trust.rules] matches " + e.Repository }

// Match returns the rule for a pack: that for one of its digests before that for its
// repository, before that for the most path parts, before **. ref is packs.toml's, also
// where the pack came from a mirror. Its tag and digest do not count: digests are those of
// the manifest and, if there is one, of the index. The error is *NoRuleError.
func (p *Policy) Match(ref ociref.Reference, digests ...ociref.Digest) (Match, error) {
	name := ref.CanonicalName()
	for _, r := range p.rules {
		if r.scope.covers(name, digests) {
			return r.match(), nil
		}
	}
	var signers []string
	for _, s := range p.signers {
		signers = append(signers, fmt.Sprintf("%q", s.Name))
	}
	return Match{}, &NoRuleError{Repository: name, Line: fmt.Sprintf("%q = [%s]", name, strings.Join(signers, ", "))}
}

// MatchFile returns the rule for the pack of that name, which is a file: that for its name
// before that for all files, before **. ref is the reference that packs.toml has beside the
// file; the zero value if it has none. The rule for ref has to be met as well, whatever its
// digest: the one of the two that asks for a signature is returned. The error is *NoRuleError.
func (p *Policy) MatchFile(name string, ref ociref.Reference) (Match, error) {
	i := slices.IndexFunc(p.rules, func(r rule) bool { return r.scope.coversFile(name) })
	if i < 0 {
		return Match{}, &NoRuleError{Repository: filePath + name, Line: fmt.Sprintf("%q = []", filePath+name)}
	}
	match := p.rules[i].match()
	if ref == (ociref.Reference{}) || !match.IsException() {
		return match, nil
	}
	beside, err := p.Match(ref)
	if err != nil || !beside.IsException() {
		return beside, err
	}
	return match, nil
}

func (r rule) match() Match {
	return Match{Rule: r.text, Signers: slices.Clone(r.signers), Digest: r.scope.digest}
}
