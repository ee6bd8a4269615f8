package evidence

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/greenticai/packvendor/internal/fetch"
	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/printable"
	"github.com/greenticai/packvendor/internal/publickey"
	"github.com/greenticai/packvendor/internal/signature"
)

// A Claim is what evidence has to prove: what packs.lock says of a pack, and how packs.toml
// says that its layer is selected.
type Claim struct {
	Signer    string        // the identity of the key that signed, or the ID of a signer without one
	Manifest  ociref.Digest // that holds the layer
	Index     ociref.Digest // that the reference led to; "" if there was none
	Layer     ociref.Digest
	Size      int64 // of the layer, in bytes
	MediaType string

	Select string   // the media type or digest that selects the layer; "" leaves it to the rules
	Accept []string // media types of layers that are accepted besides the default ones
}

// A Signer may have signed the pack. It has a key, or else an ID.
type Signer struct {
	Key *publickey.Key

	ID string // what packs.lock calls a signer without a key
	// Keyless verifies that signer's bundles. If it is nil, they are not verified: see
	// ErrKeyless.
	Keyless Keyless
	// Provenance says that a statement of how the pack was built is a signature, too, if it is
	// made without a key.
	Provenance bool

	// MayName tells whether a statement of the signer about the pack may name a repository.
	MayName func(ociref.Reference) bool
}

// A Keyless verifies bundles of one signer that have a certificate instead of a key.
type Keyless interface {
	// VerifyBundle verifies that the bundle is about a digest and that the signer made it.
	// It returns the payload that it verified. A *signature.Error says why the bundle does
	// not count, with the problem Invalid if it is not valid about the digest. With any
	// other error that is not known.
	VerifyBundle(bundle []byte, about ociref.Digest) (payload []byte, err error)
}

// A Link is a part of the chain from packs.lock to the key.
type Link string

// The links, in the order in which they are checked.
const (
	File      Link = "evidence"
	Manifest  Link = "manifest"
	Index     Link = "index"
	Layer     Link = "layer"
	Key       Link = "signer"
	Signature Link = "signature"
	Subject   Link = "subject"
	Name      Link = "name"
)

// An Error says which link of the chain breaks, and why. Behind it may be the error of
// package signature or fetch.
type Error struct {
	Link Link
	Err  error
}

func (e *Error) Error() string { return e.Err.Error() }
func (e *Error) Unwrap() error { return e.Err }

func (l Link) broken(format string, args ...any) *Error {
	return &Error{Link: l, Err: fmt.Errorf(format, args...)}
}

// ErrKeyless is behind the *Error of evidence that holds a certificate, if its signer has no
// Keyless. All before the signature is proved then.
var ErrKeyless = errors.New("signed without a key, and nothing says by whom to verify that")

// TooLong is the error about a file of more than [MaxFile] bytes, which need not be read.
func TooLong() *Error { return File.broken("the evidence is larger than %d bytes", MaxFile) }

// Open reads a file whose digest packs.lock has. Its errors are *Error and *SyntaxError.
func Open(file []byte, digest ociref.Digest) (*Evidence, error) {
	if len(file) > MaxFile+1 { // with CRLF
		return nil, TooLong()
	}
	if got := Digest(file); got != digest {
		return nil, File.broken("the evidence is %s, not %s", got, digest)
	}
	return Parse(file)
}

// Prove proves the claim, with a signature by one of the signers. Its errors are *Error; that
// of a Keyless is behind one of the link Signature.
func (e *Evidence) Prove(claim Claim, signers []Signer) (*signature.Verified, error) {
	annotations, err := e.proveLayer(claim)
	if err != nil {
		return nil, err
	}
	signer, err := e.signer(claim, signers)
	if err != nil {
		return nil, err
	}
	var v *signature.Verified
	switch {
	case signer.Key != nil:
		v, err = e.verify(annotations, []*publickey.Key{signer.Key})
	default:
		v, err = e.verifyKeyless(claim, signer)
	}
	if err != nil {
		return nil, &Error{Link: Signature, Err: err}
	}
	subjects, err := claim.subjects(v)
	if err != nil {
		return nil, err
	}
	if err := checkNames(v, subjects, signer); err != nil {
		return nil, err
	}
	return v, nil
}

// proveLayer proves that the manifest is the claim's and selects its layer. It returns the
// manifest's annotations.
func (e *Evidence) proveLayer(claim Claim) (map[string]string, error) {
	if got := ociref.DigestOf(e.Manifest); got != claim.Manifest {
		return nil, Manifest.broken("its manifest is %s, not %s", got, claim.Manifest)
	}
	if err := e.proveIndex(claim); err != nil {
		return nil, err
	}
	sel, err := fetch.Select(e.Manifest, claim.Accept, claim.Select)
	if err != nil {
		return nil, &Error{Link: Layer, Err: fmt.Errorf("its manifest selects no pack: %w", err)}
	}
	switch l := sel.Layer; {
	case l.Digest != claim.Layer.String():
		return nil, Layer.broken("its manifest selects the layer %s, not %s", l.Digest, claim.Layer)
	case l.Size != claim.Size:
		return nil, Layer.broken("its manifest selects a layer of %d bytes, not %d", l.Size, claim.Size)
	case l.MediaType != claim.MediaType:
		return nil, Layer.broken("its manifest selects a layer of type %s, not %s", l.MediaType, printable.Word(claim.MediaType, maxQuoted))
	}
	return sel.Annotations, nil
}

// maxQuoted bounds the bytes of a quotation in a message.
const maxQuoted = 200

func (e *Evidence) proveIndex(claim Claim) error {
	switch has := len(e.Index) > 0; {
	case has && claim.Index == "":
		return Index.broken("it holds an image index, but the pack was found without one")
	case !has && claim.Index != "":
		return Index.broken("it holds no image index, but the pack was found by %s", claim.Index)
	case !has:
		return nil
	}
	if got := ociref.DigestOf(e.Index); got != claim.Index {
		return Index.broken("its image index is %s, not %s", got, claim.Index)
	}
	if err := fetch.CheckListed(e.Index, e.Manifest); err != nil {
		return &Error{Link: Index, Err: err}
	}
	return nil
}

// signer returns the signer whose key the evidence holds, or that the claim names if it
// holds none.
func (e *Evidence) signer(claim Claim, signers []Signer) (Signer, error) {
	switch {
	case len(e.Key) > 0:
	case strings.HasPrefix(claim.Signer, "key:"):
		return Signer{}, Key.broken("it holds no key, not %s", printable.Word(claim.Signer, maxQuoted))
	default:
		at := slices.IndexFunc(signers, func(s Signer) bool { return s.Key == nil && s.ID != "" && s.ID == claim.Signer })
		if at < 0 {
			return Signer{}, Key.broken("%s may not sign it", printable.Word(claim.Signer, maxQuoted))
		}
		return signers[at], nil
	}
	at := slices.IndexFunc(signers, func(s Signer) bool { return s.Key != nil && bytes.Equal(s.Key.SPKI(), e.Key) })
	var id string
	if at >= 0 {
		id = signers[at].Key.Identity()
	} else if key, err := publickey.ParseSPKI(e.Key); err != nil {
		return Signer{}, &Error{Link: Key, Err: fmt.Errorf("its key: %w", err)}
	} else {
		id = key.Identity()
	}
	switch {
	case id != claim.Signer:
		return Signer{}, Key.broken("it holds %s, not %s", id, printable.Word(claim.Signer, maxQuoted))
	case at < 0:
		return Signer{}, Key.broken("%s may not sign it", id)
	}
	return signers[at], nil
}

// verify verifies the signature.
func (e *Evidence) verify(annotations map[string]string, allowed []*publickey.Key) (*signature.Verified, error) {
	switch e.Format {
	case signature.Greentic:
		value, ok := annotations[signature.GreenticAnnotation]
		if !ok {
			return nil, fmt.Errorf("its manifest has no annotation %s", signature.GreenticAnnotation)
		}
		return signature.VerifyGreentic(value, allowed)
	case signature.Bundle:
		return signature.VerifyBundle(e.Bundle, allowed)
	case signature.Simple:
		return signature.VerifySimple(e.Payload, e.Signature, allowed)
	}
	return nil, fmt.Errorf("format %s is not supported", printable.Quote(string(e.Format), maxQuoted))
}

// verifyKeyless verifies a signature without a key.
func (e *Evidence) verifyKeyless(claim Claim, signer Signer) (*signature.Verified, error) {
	payload, err := signature.ReadCertified(e.Bundle)
	if err != nil {
		return nil, err
	}
	if signer.Keyless == nil {
		return nil, ErrKeyless
	}
	var verified []byte
	for _, about := range claim.manifests() {
		verified, err = signer.Keyless.VerifyBundle(e.Bundle, about)
		var refused *signature.Error
		if !errors.As(err, &refused) || refused.Problem != signature.Invalid {
			break // else it may be valid about another digest
		}
	}
	switch {
	case err != nil:
		return nil, err
	case !bytes.Equal(verified, payload):
		return nil, errors.New("the program that verified it read another payload")
	}
	return signature.ReadStatement(payload, signer.Provenance)
}

// manifests returns the digests that a signature about a manifest may name.
func (c Claim) manifests() []ociref.Digest {
	if c.Index != "" {
		return []ociref.Digest{c.Index, c.Manifest}
	}
	return []ociref.Digest{c.Manifest}
}

// subjects returns the subjects of a signature that are the claim's pack.
func (c Claim) subjects(v *signature.Verified) ([]signature.Subject, error) {
	wanted, nouns := c.manifests(), fmt.Sprintf("the manifest %s", c.Manifest)
	switch {
	case v.Format == signature.Greentic:
		wanted, nouns = []ociref.Digest{c.Layer}, fmt.Sprintf("the layer %s", c.Layer)
	case c.Index != "":
		nouns = fmt.Sprintf("the manifest %s or the image index %s", c.Manifest, c.Index)
	}
	var found []signature.Subject
	var others []string
	for _, s := range v.Subjects {
		if slices.Contains(wanted, s.Digest) {
			found = append(found, s)
		} else if len(others) < maxShown {
			others = append(others, subjectText(s))
		}
	}
	if len(found) == 0 {
		return nil, Subject.broken("it is about %s, not about %s", strings.Join(others, ", "), nouns)
	}
	return found, nil
}

// maxShown bounds how many subjects a message lists.
const maxShown = 4

func subjectText(s signature.Subject) string {
	if s.Digest == "" {
		return "something without a SHA-256"
	}
	return s.Digest.String()
}

// checkNames checks that one of the subjects that are the pack is named as the signer may.
// Greentic's names are file names. The other formats' may be repositories, and that of
// cosign's older kind, if it is not empty, always is one.
func checkNames(v *signature.Verified, subjects []signature.Subject, signer Signer) error {
	if v.Format == signature.Greentic {
		return nil
	}
	for _, s := range subjects {
		ref, err := ociref.Parse(s.Name)
		switch {
		case s.Name == "", err != nil && v.Format != signature.Simple:
			return nil
		case err == nil && signer.MayName != nil && signer.MayName(ref):
			return nil
		}
	}
	return Name.broken("it names %s, another repository", printable.Word(subjects[0].Name, maxQuoted))
}
