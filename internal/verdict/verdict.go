// Package verdict judges what may be the signature of a pack: which of the candidates
// proves that one of the allowed signers made it, and why the others do not.
package verdict

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/greenticai/packvendor/internal/evidence"
	"github.com/greenticai/packvendor/internal/keyless"
	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/printable"
	"github.com/greenticai/packvendor/internal/publickey"
	"github.com/greenticai/packvendor/internal/referrers"
	"github.com/greenticai/packvendor/internal/registry"
	"github.com/greenticai/packvendor/internal/signature"
	"github.com/greenticai/packvendor/internal/trust"
)

// A Pack is what has to be signed.
type Pack struct {
	Reference ociref.Reference // its repository, as rules see it
	Manifest  []byte           // the exact bytes
	Index     []byte           // of the image index that lists the manifest; nil if none does
	// Annotations are the manifest's.
	Annotations map[string]string
	Claim       evidence.Claim // without a signer
	// Keyless verifies the bundles of signers without a key. If it is nil, these have signed
	// nothing.
	Keyless Keyless
}

// A Keyless returns what verifies the bundles of a signer without a key.
type Keyless func(*trust.Signer) evidence.Keyless

// A Judge judges the candidates of one pack, one after the other.
type Judge struct {
	pack     Pack
	signers  []*trust.Signer // in the order of the rule
	best     *Found
	rank     int // of the best one's signer
	verdicts []string
	open     error // why a candidate has no verdict; nil if each has one
}

// A Found is a proof that a signer made a pack.
type Found struct {
	Signer   *trust.Signer
	Evidence *evidence.Evidence
	File     []byte // of the evidence
}

// New returns a judge.
func New(pack Pack, signers []*trust.Signer) *Judge {
	j := &Judge{pack: pack}
	for _, s := range signers {
		if s.Key != nil || pack.Keyless != nil {
			j.signers = append(j.signers, s)
		}
	}
	return j
}

// Judge is for [referrers.Search]. It returns true once no other candidate can be better:
// the order of the signers decides, then that of the candidates.
func (j *Judge) Judge(c referrers.Candidate) bool {
	found, err := j.prove(c)
	if err != nil {
		j.verdicts = append(j.verdicts, c.String()+": "+err.Error())
		if keyless.IsUnanswered(err) {
			j.open = err
		}
		return false
	}
	if rank := slices.Index(j.signers, found.Signer); j.best == nil || rank < j.rank {
		j.best, j.rank = found, rank
	}
	return j.rank == 0
}

// Result returns the best proof. Without one it returns what the search means:
// *UnsignedError, *UnverifiedError or *UnsearchedError.
func (j *Judge) Result(searched referrers.Result) (*Found, error) {
	if j.best != nil {
		return j.best, nil
	}
	e := UnsignedError{Verdicts: j.verdicts, Created: created(j.pack.Annotations)}
	for _, a := range searched.Answers() {
		e.Looked = append(e.Looked, a.String())
		for _, r := range a.Refused {
			e.Verdicts = append(e.Verdicts, "refused: "+r.String())
		}
	}
	for _, s := range j.signers {
		e.Signers = append(e.Signers, s.Name)
	}
	if j.open != nil {
		return nil, &UnverifiedError{Verdicts: e.Verdicts, Looked: e.Looked, Err: j.open}
	}
	if incomplete, ok := searched.(*referrers.Incomplete); ok {
		return nil, &UnsearchedError{Verdicts: e.Verdicts, Looked: e.Looked, Err: incomplete}
	}
	return nil, &e
}

// prove makes evidence of a candidate. All keys are tried together first: what makes a
// signature fail for one of them makes it fail.
func (j *Judge) prove(c referrers.Candidate) (*Found, error) {
	e := &evidence.Evidence{Format: c.Format, Manifest: j.pack.Manifest, Index: j.pack.Index}
	var keys []*publickey.Key
	for _, s := range j.signers {
		if s.Key != nil {
			keys = append(keys, s.Key)
		}
	}
	var v *signature.Verified
	var err error
	switch e.Format {
	case signature.Greentic:
		v, err = signature.VerifyGreentic(string(c.Payload), keys)
	case signature.Bundle:
		if c.MediaType != signature.BundleMediaType {
			return nil, fmt.Errorf("a bundle of type %s is not supported yet", printable.Word(c.MediaType, maxQuoted))
		}
		e.Bundle = c.Payload
		v, err = signature.VerifyBundle(c.Payload, keys)
		if hasProblem(err, signature.Certificate) && j.hasKeyless() {
			return j.proveKeyless(e)
		}
	case signature.Simple:
		e.Payload = c.Payload
		if e.Signature, err = signature.SimpleSignature(c.Annotations); err == nil {
			v, err = signature.VerifySimple(e.Payload, e.Signature, keys)
		}
	default:
		return nil, fmt.Errorf("format %s is not supported", printable.Quote(string(e.Format), maxQuoted))
	}
	if err != nil {
		return nil, err
	}
	return j.proveBy(e, v.Key)
}

// maxQuoted bounds the bytes of foreign text in a message.
const maxQuoted = 120

// proveBy returns the first signer by whom evidence proves the pack. If there is none, the
// error is about the signer with that key.
func (j *Judge) proveBy(e *evidence.Evidence, key *publickey.Key) (*Found, error) {
	var reason error
	for _, s := range j.signers {
		if s.Key == nil {
			continue
		}
		e.Key = s.Key.SPKI()
		found, err := j.proveAs(s, e)
		if found != nil {
			return found, err
		}
		if s.Key == key {
			reason = fmt.Errorf("signed by %s, but %w", s.Name, err)
		}
	}
	return nil, reason
}

// proveAs returns the proof that a signer made the pack by the evidence. If the evidence
// proves it, but cannot be written, it returns both.
func (j *Judge) proveAs(s *trust.Signer, e *evidence.Evidence) (*Found, error) {
	claim := j.pack.Claim
	claim.Signer = s.ID()
	if _, err := e.Prove(claim, []evidence.Signer{Signer(s, j.pack.Reference, j.pack.Keyless)}); err != nil {
		return nil, err
	}
	file, err := e.Bytes()
	return &Found{Signer: s, Evidence: e, File: file}, err
}

func hasProblem(err error, problem signature.Problem) bool {
	var e *signature.Error
	return errors.As(err, &e) && e.Problem == problem
}

func (j *Judge) hasKeyless() bool {
	return slices.ContainsFunc(j.signers, func(s *trust.Signer) bool { return s.Key == nil })
}

// proveKeyless returns the first signer without a key by whom evidence proves the pack.
func (j *Judge) proveKeyless(e *evidence.Evidence) (*Found, error) {
	var reasons []string
	for _, s := range j.signers {
		if s.Key != nil {
			continue
		}
		found, err := j.proveAs(s, e)
		if found != nil {
			return found, err
		}
		if keyless.IsUnanswered(err) || hasProblem(err, signature.Invalid) {
			return nil, err // the same for each signer
		}
		reasons = append(reasons, "not by "+s.Name+": "+err.Error())
	}
	return nil, errors.New(strings.Join(reasons, "; "))
}

// Signer returns a signer of packs of a repository, for evidence. verifier may be nil.
func Signer(s *trust.Signer, ours ociref.Reference, verifier Keyless) evidence.Signer {
	signer := evidence.Signer{
		Key: s.Key, ID: s.ID(), Provenance: s.Workflow != nil,
		MayName: func(named ociref.Reference) bool { return s.MayName(ours, named) },
	}
	if s.Key == nil && verifier != nil {
		signer.Keyless = verifier(s)
	}
	return signer
}

// created returns when a manifest says that it was made; "" if it does not say so.
func created(annotations map[string]string) string {
	at, err := time.Parse(time.RFC3339, annotations["org.opencontainers.image.created"])
	if err != nil {
		return ""
	}
	return at.UTC().Format(time.RFC3339)
}

// An UnsignedError reports a pack that none of the allowed signers has signed. Every place
// was searched.
type UnsignedError struct {
	Rule     string   // that lists the signers
	File     string   // that has the rule; "" is packs.toml
	Signers  []string // their names
	Retired  []string // signers of the rule that are not good for this layer
	Verdicts []string // a candidate each, and why it does not count
	Looked   []string // a place each, and what it had
	Created  string   // when the manifest was made; "" if that is not known
	Was      string   // who signed what is locked; "" if nobody did
	Back     string   // the tag that update goes back to; "" if packs.toml still has that
}

func (e *UnsignedError) Error() string {
	text := fmt.Sprintf("none of the candidates is a signature by %s", orList(e.Signers))
	if len(e.Verdicts) == 0 {
		text = "no signature yet"
		if e.Created != "" {
			text += "; published " + e.Created
		}
		text += "; publishers sign after pushing: try again later, or take an older version"
	}
	if e.Was != "" {
		text += "\n\tlocked: signed by " + e.Was
	}
	return text + wanted(e.Rule, e.File, e.listed()) + lines(e.Verdicts) + lines(prefixed("looked at ", e.Looked))
}

// listed returns the signers as the rule lists them.
func (e *UnsignedError) listed() []string {
	list := slices.Clone(e.Signers)
	for _, name := range e.Retired {
		list = append(list, name+" (retired, not good for this layer)")
	}
	return list
}

// wanted says what a rule asks for.
func wanted(rule, file string, signers []string) string {
	switch {
	case rule == "":
		return ""
	case file != "":
		return fmt.Sprintf("\n\trule %s in %s: %s", printable.Quote(rule, maxQuoted), file, orList(signers))
	}
	return fmt.Sprintf("\n\trule %s: %s", printable.Quote(rule, maxQuoted), orList(signers))
}

func orList(names []string) string {
	if len(names) == 0 {
		return "anybody who may sign it"
	}
	return strings.Join(names, " or ")
}

func prefixed(prefix string, list []string) []string {
	var all []string
	for _, s := range list {
		all = append(all, prefix+s)
	}
	return all
}

func lines(list []string) string {
	var b strings.Builder
	for _, s := range list {
		b.WriteString("\n\t" + strings.ReplaceAll(s, "\n", "\n\t"))
	}
	return b.String()
}

// An UnverifiedError reports a signature without a key that the program for such signatures
// did not verify, so that nobody knows whether the pack is signed.
type UnverifiedError struct {
	Verdicts []string // those of a search, as Looked; none for evidence
	Looked   []string
	Err      error // of the program, or why there is none
}

func (e *UnverifiedError) Error() string {
	const text = "a signature without a key cannot be verified here"
	if len(e.Verdicts) == 0 {
		return text + ": " + e.Err.Error()
	}
	return text + lines(e.Verdicts) + lines(prefixed("looked at ", e.Looked))
}

func (e *UnverifiedError) Unwrap() error { return e.Err }

// An UnsearchedError reports that no valid signature was found, and that there may be one:
// a place could not be searched to its end.
type UnsearchedError struct {
	Verdicts []string
	Looked   []string
	Err      error // of the search
}

func (e *UnsearchedError) Error() string {
	return "not fully searched for signatures" + lines(e.Verdicts) + lines(prefixed("looked at ", e.Looked))
}

// Unwrap returns the first failed request, which says what to do about it. Whatever else a
// registry does wrong is of no consequence: the pack may be signed all the same.
func (e *UnsearchedError) Unwrap() error {
	var failed *registry.Error
	if errors.As(e.Err, &failed) {
		return failed
	}
	return nil
}
