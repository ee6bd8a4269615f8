package main

import (
	"github.com/spf13/cobra"

	"github.com/greenticai/packvendor/vendorer"
)

// trustCommand is about who signed the packs.
func (c *cli) trustCommand() *cobra.Command {
	return c.parentCommand(&cobra.Command{
		Use:   "trust COMMAND",
		Short: "Say whose signatures packs need",
		Long: `Work on the table [trust] of packs.toml, which says whose signatures packs need.
[trust.signers] has the signers with their keys. [trust.rules] says which of
them must have signed which packs; no command writes a rule.`,
		Example: "  packvendor trust add greentic greentic.pub\n  packvendor trust explain messaging-slack",
	}, c.trustAddCommand(), c.trustExplainCommand(), c.trustListCommand(), c.trustRetireCommand())
}

// signerKeyJSON describes a public key.
type signerKeyJSON struct {
	Fingerprint string `json:"fingerprint"`      // the SHA-256 of its SubjectPublicKeyInfo, in hexadecimal digits
	Algorithm   string `json:"algorithm"`        // Ed25519, ECDSA P-256, or RSA with its bits
	KeyID       string `json:"key_id,omitempty"` // what its file or Greentic's programs call it
}

func newSignerKeyJSON(k vendorer.SignerKey) signerKeyJSON { return signerKeyJSON(k) }
