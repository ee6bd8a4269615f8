package keyless

import (
	"context"
	"errors"
	"sync"

	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/signature"
	"github.com/greenticai/packvendor/internal/trust"
)

// A Verifier verifies the bundles of signers without a key. It looks for the program when it
// is asked first. Its methods can be called at the same time.
type Verifier struct {
	find func() (*Helper, error)
}

// NewVerifier returns a Verifier that asks the program that a search finds.
func NewVerifier(search func() Search) *Verifier {
	return &Verifier{sync.OnceValues(func() (*Helper, error) { return search().Find() })}
}

// Signer returns what verifies the bundles of one signer. root holds the documents of those
// that are trusted to know who signed. The questions end with ctx.
func (v *Verifier) Signer(ctx context.Context, signer *trust.Signer, root []byte) *Signer {
	return &Signer{ctx, v, signer, root}
}

// A Signer verifies the bundles of one signer without a key.
type Signer struct {
	ctx      context.Context
	verifier *Verifier
	signer   *trust.Signer
	root     []byte
}

// VerifyBundle asks the program whether a bundle is valid about a digest, and decides
// whether the signer made it. It returns the payload that the program verified. A
// *signature.Error says why the bundle does not count: Invalid is the program's verdict,
// Foreign the decision. The other errors are those of [Helper.Ask].
func (s *Signer) VerifyBundle(bundle []byte, about ociref.Digest) ([]byte, error) {
	helper, err := s.verifier.find()
	if err != nil {
		return nil, err
	}
	answer, err := helper.Ask(s.ctx, Question{bundle, about, s.root})
	var invalid *InvalidError
	switch {
	case errors.As(err, &invalid):
		return nil, &signature.Error{Format: signature.Bundle, Problem: signature.Invalid, Reason: invalid.Error()}
	case err != nil:
		return nil, err
	}
	if err := s.signer.Accepts(answer.Identity); err != nil {
		return nil, &signature.Error{Format: signature.Bundle, Problem: signature.Foreign, Reason: err.Error()}
	}
	return answer.Payload, nil
}

// IsUnanswered tells whether an error leaves open if a signature is valid: there is no
// program, or it gave no answer.
func IsUnanswered(err error) bool {
	var missing *NotFoundError
	var setting *SettingError
	var failed *Error
	return errors.As(err, &missing) || errors.As(err, &setting) || errors.As(err, &failed)
}
