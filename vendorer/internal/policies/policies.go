// Package policies owns the policies that hold for a project: the table [trust] of
// packs.toml, and that of the file which PACKVENDOR_TRUST names. It reads their keys.
//
// Each of the two is judged alone, by its own names for signers. That of packs.toml decides
// what is looked for and locked. The other one only judges what is locked, so packs.toml
// cannot loosen it.
package policies

import (
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/regularfile"
	"github.com/greenticai/packvendor/internal/trust"
	"github.com/greenticai/packvendor/packsfile"
	"github.com/greenticai/packvendor/vendorer/internal/project"
)

// A Policy is a table [trust] with the file that has it.
type Policy struct {
	File   string // as the user names it
	policy *trust.Policy
	root   []byte // nil if each signer has a key
}

// ReadKey reads a file with a key that a project's packs.toml names.
func ReadKey(p *project.Project, file string) ([]byte, error) {
	return readFile(p, file, packsfile.MaxKeyFile)
}

func readFile(p *project.Project, file string, most int64) ([]byte, error) {
	name := path.Join(p.Base, file)
	if name == ".." || strings.HasPrefix(name, "../") {
		return nil, &regularfile.PlaceError{Path: file, Reason: "is outside the module"}
	}
	if err := p.CheckFile(name); err != nil {
		return nil, err
	}
	return p.ReadFile(name, most)
}

// A NoRuleError reports a pack that no rule of a policy matches.
type NoRuleError struct {
	File       string // that holds the rules
	Repository string // as rules see it
	Line       string // of [trust.rules], that would match it
}

func (e *NoRuleError) Error() string {
	return fmt.Sprintf("no rule of [trust.rules] in %s matches %s", e.File, e.Repository)
}

// Match returns the rule for a pack. A nil Policy has one that asks for nothing. ref and
// digests are those of [trust.Policy.Match]. The error is *NoRuleError.
func (p *Policy) Match(ref ociref.Reference, digests ...ociref.Digest) (trust.Match, error) {
	if p == nil {
		return trust.Match{}, nil
	}
	match, err := p.policy.Match(ref, digests...)
	return match, InFile(err, p.File)
}

// MatchFile returns the rule for a pack that is a file, as [trust.Policy.MatchFile] does.
func (p *Policy) MatchFile(name string, ref ociref.Reference) (trust.Match, error) {
	if p == nil {
		return trust.Match{}, nil
	}
	match, err := p.policy.MatchFile(name, ref)
	return match, InFile(err, p.File)
}

// InFile adds the file that has the rules to an error of a [trust.Policy] about them.
func InFile(err error, file string) error {
	var none *trust.NoRuleError
	if errors.As(err, &none) {
		return &NoRuleError{File: file, Repository: none.Repository, Line: none.Line}
	}
	return err
}

// SignerOf returns the name of a signer that packs.lock calls id; "" if the policy has none.
func (p *Policy) SignerOf(id string) string {
	if p == nil {
		return ""
	}
	return p.policy.NameOf(id)
}

// Signer returns the signer that packs.lock calls id; nil if the policy has none.
func (p *Policy) Signer(id string) *trust.Signer {
	if p == nil {
		return nil
	}
	return p.policy.Signer(id)
}

// Root returns the documents of those that are trusted to know who signed without a key.
func (p *Policy) Root() []byte {
	if p == nil {
		return nil
	}
	return p.root
}

// Variable is the variable that names an organisation's file.
const Variable = "PACKVENDOR_TRUST"

// A VariableError reports a value of the variable that cannot be used.
type VariableError struct {
	Value  string
	Reason string
	Err    error // of the file; nil if Reason says it all
}

func (e *VariableError) Error() string {
	if e.Err != nil {
		return fmt.Sprintf("%s: %v", Variable, e.Err)
	}
	return Variable + " " + e.Reason
}

func (e *VariableError) Unwrap() error { return e.Err }

// FromVariable returns the policy of the file that the variable names; nil if it is not set.
func FromVariable(value *string) (*Policy, error) {
	if value == nil {
		return nil, nil
	}
	file := *value
	switch {
	case file == "":
		return nil, &VariableError{Reason: "is empty: it must be the absolute path of a file"}
	case !filepath.IsAbs(file):
		return nil, &VariableError{Value: file, Reason: fmt.Sprintf("%+q is not an absolute path", file)}
	}
	data, err := regularfile.Read(nil, file, packsfile.MaxSize)
	if err != nil {
		return nil, &VariableError{Value: file, Err: err}
	}
	table, err := packsfile.ParseTrust(file, data)
	if err != nil {
		return nil, &VariableError{Value: file, Err: err}
	}
	p, err := newTable(table, file, func(named string, most int64) ([]byte, error) {
		name := filepath.Join(filepath.Dir(file), filepath.FromSlash(named))
		info, err := os.Lstat(name)
		if err != nil {
			return nil, err
		}
		if reason := regularfile.Irregular(info); reason != "" {
			return nil, &regularfile.PlaceError{Path: name, Reason: reason}
		}
		return regularfile.Read(nil, name, most)
	}).Policy()
	if err != nil {
		return nil, &VariableError{Value: file, Err: err}
	}
	return p, nil
}
