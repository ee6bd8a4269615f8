package main

import (
	"strings"

	"github.com/spf13/cobra"

	"github.com/greenticai/packvendor/cmd/packvendor/internal/phrase"
	"github.com/greenticai/packvendor/vendorer"
)

func (c *cli) trustAddCommand() *cobra.Command {
	so := vendorer.AddSignerOptions{Stdin: c.stdin}
	command := &cobra.Command{
		Use:   "add NAME FILE|-",
		Short: "Add a signer with a public key",
		Long: `Add a signer to [trust.signers] in packs.toml, and write its public key into
keys/NAME.pub beside it. FILE holds the key: in PEM, as a trust-root.json, or as
a did.json that you saved; - is standard input. If it has several keys, --key-id
chooses one. No network is used, and no rule is written.

Compare the fingerprint with the publisher by another way than the one by which
the file came. With --fingerprint it must be the one that you give. It is the
SHA-256 of the key's SubjectPublicKeyInfo. OpenSSL prints it:

  openssl pkey -pubin -in FILE -outform DER | sha256sum`,
		Example: `  packvendor trust add greentic greentic.pub
  packvendor trust add greentic did.json --key-id key-1
  packvendor trust add example -`,
		Args:              arguments(2, 2, "NAME and FILE"),
		ValidArgsFunction: completeFiles(1, 1), // the name of the signer is new
		RunE: func(command *cobra.Command, args []string) error {
			for _, flag := range []string{"key-id", "fingerprint"} {
				if f := command.Flags().Lookup(flag); f.Changed && f.Value.String() == "" {
					return misuse(command, "--%s is empty", flag)
				}
			}
			o, err := c.oneProject(command)
			if err != nil {
				return err
			}
			so.Name, so.File = args[0], args[1]
			added, err := vendorer.AddSigner(command.Context(), o, so)
			if err != nil {
				return err
			}
			return c.reportTrustAdd(added)
		},
	}
	c.fileFlag(command, "use `FILE` as packs.toml")
	command.Flags().StringVar(&so.KeyID, "key-id", "", "take the key that FILE calls `ID`")
	command.Flags().StringVar(&so.Fingerprint, "fingerprint", "", "the key must have this fingerprint, in `HEX` digits")
	noFiles(command, "key-id", "fingerprint")
	return command
}

// trustAddJSON is the document of trust add --json.
type trustAddJSON struct {
	Name    string `json:"name"`     // of the signer
	KeyFile string `json:"key_file"` // as packs.toml names it
	signerKeyJSON
	Compared bool     `json:"compared"` // whether --fingerprint demanded that fingerprint
	Written  []string `json:"written"`  // files that were written; none if all was there
}

func (c *cli) reportTrustAdd(added *vendorer.AddedSigner) error {
	doc := trustAddJSON{
		Name: added.Name, KeyFile: added.KeyFile, signerKeyJSON: newSignerKeyJSON(added.SignerKey),
		Compared: added.Compared, Written: append([]string{}, added.Written...),
	}
	o := outcome{document: doc}
	if !c.quiet {
		t := phrase.NewTable()
		t.Add("signer", added.Name)
		t.Add("key", added.KeyFile)
		t.Add("algorithm", added.Algorithm)
		if added.KeyID != "" {
			t.Add("key id", added.KeyID)
		}
		t.Add("fingerprint", added.Fingerprint)
		o.before = t.String()
	}
	if err := c.end(o); err != nil || c.json {
		return err
	}
	if !added.Compared {
		c.say.Notice("compare the fingerprint with the publisher by another way")
	}
	switch {
	case added.IsExample:
		c.say.Notice("no rule names %s yet; at the end of packs.toml, such lines demand its signatures:\n\t%s", added.Name, strings.Join(added.Rules, "\n\t"))
	case len(added.Rules) > 0:
		c.say.Notice("no rule names %s yet; at the end of packs.toml, these lines demand its signatures:\n\t%s", added.Name, strings.Join(added.Rules, "\n\t"))
	case !added.IsRuled:
		c.say.Notice("no rule names %s yet", added.Name)
	}
	return nil
}
