package keyless

import (
	"context"
	"errors"

	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/signature"
	"github.com/greenticai/packvendor/internal/trust"
)

// A Signer verifies the bundles of one signer without a key.
type Signer struct {
	ctx    context.Context
	helper *Helper
	signer *trust.Signer
	root   []byte
}

// Signer returns what verifies the bundles of a signer. The questions end with ctx.
func (h *Helper) Signer(ctx context.Context, signer *trust.Signer, root []byte) *Signer {
	return &Signer{ctx, h, signer, root}
}

// VerifyBundle asks the program whether a bundle is valid about a digest, and decides
// whether the signer made it. It returns the payload that the program verified. A
// *signature.Error says why the bundle does not count: Invalid is the program's verdict,
// Foreign the decision. The other errors are those of [Helper.Ask].
func (s *Signer) VerifyBundle(bundle []byte, about ociref.Digest) ([]byte, error) {
	answer, err := s.helper.Ask(s.ctx, Question{bundle, about, s.root})
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
