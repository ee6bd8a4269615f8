package verdict

import (
	"github.com/greenticai/packvendor/internal/referrers"
	"github.com/greenticai/packvendor/internal/trust"
)

// Prove returns the first of the signers by whom a candidate proves that the pack is theirs.
// The error says why it proves nothing.
func Prove(pack Pack, signers []*trust.Signer, c referrers.Candidate) (*Found, error) {
	return New(pack, signers).prove(c)
}
