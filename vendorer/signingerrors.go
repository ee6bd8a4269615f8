package vendorer

import (
	"fmt"
	"strings"

	"github.com/greenticai/packvendor/internal/evidence"
	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/trust"
	"github.com/greenticai/packvendor/internal/verdict"
	"github.com/greenticai/packvendor/packsfile"
	"github.com/greenticai/packvendor/vendorer/internal/policies"
)

// Errors about the signatures of packs.
type (
	// An UnsignedError reports a pack without a valid signature by a signer of its rule.
	// Every place was searched.
	UnsignedError = verdict.UnsignedError
	// An UnsearchedError reports that no such signature was found, and that there may be
	// one: a place could not be searched to its end.
	UnsearchedError = verdict.UnsearchedError
	// A NoRuleError reports a pack that no rule of [trust.rules] matches.
	NoRuleError = policies.NoRuleError
	// A TrustFileError reports a value of PACKVENDOR_TRUST that cannot be used.
	TrustFileError = policies.VariableError
	// An EvidenceSyntaxError reports a file that is no evidence.
	EvidenceSyntaxError = evidence.SyntaxError
)

// An EvidenceError reports evidence that does not prove what packs.lock says.
type EvidenceError struct {
	Name, Path string
	Err        error
}

func (e *EvidenceError) Error() string {
	return fmt.Sprintf("%s does not prove who signed it: %v", e.Path, e.Err)
}

func (e *EvidenceError) Unwrap() error { return e.Err }

// An EvidenceMissingError reports a signed pack without evidence.
type EvidenceMissingError struct {
	Name, Path string
	NoRule     bool // no rule says who may have signed, so it cannot be found again
	Other      bool // the registry has another one, which packs.lock does not name
}

func (e *EvidenceMissingError) Error() string {
	switch {
	case e.NoRule:
		return e.Path + " is missing, and no rule says whose signature to look for"
	case e.Other:
		return e.Path + " is missing, and the registry has other evidence now: packs.lock would change"
	}
	return e.Path + " is missing"
}

// A SignerRefusedError reports a locked signer that the rule for the pack does not have.
type SignerRefusedError struct {
	Name    string
	Signer  string // as packs.lock calls it, with its name in packs.toml if it has one
	Rule    string
	Signers []string // the rule's
	Retired bool     // the rule has it, and it is good for other layers alone
}

func (e *SignerRefusedError) Error() string {
	if e.Retired {
		return fmt.Sprintf("signed by %s, which is retired and not good for this layer\n\trule %q: %s", e.Signer, e.Rule, strings.Join(e.Signers, " or "))
	}
	return fmt.Sprintf("signed by %s, which its rule does not have\n\trule %q: %s", e.Signer, e.Rule, strings.Join(e.Signers, " or "))
}

// An UnaskedSignerError reports a signed pack whose rule is gone.
type UnaskedSignerError struct{ Name string }

func (e *UnaskedSignerError) Error() string { return "it is signed, but no rule asks for it" }

// An ExceptionUnprovedError reports a pack that may be unsigned because its manifest has a
// certain digest. Nothing at hand proves that its layer is of that manifest.
type ExceptionUnprovedError struct {
	Name, Rule string
	// Manifest is the digest that a rule may have instead, where this one has that of an index.
	Manifest ociref.Digest
}

func (e *ExceptionUnprovedError) Error() string {
	text := fmt.Sprintf("it may be unsigned for one digest alone, and nothing here proves that its bytes have that digest\n\trule %q", e.Rule)
	if e.Manifest != "" {
		text += fmt.Sprintf("\n\tthe digest is that of an index, which is in the registry alone; a rule for the manifest %s needs no network", e.Manifest)
	}
	return text
}

// An UnsignedFileError reports a pack that is a file, under a rule that asks for a signature:
// nobody signs a file.
type UnsignedFileError struct {
	Name    string
	Path    string // as packs.toml has it
	Rule    string
	Signers []string
}

func (e *UnsignedFileError) Error() string {
	return fmt.Sprintf("it is from a file, %s, and a file has no signature\n\trule %q: %s", e.Path, e.Rule, strings.Join(e.Signers, " or "))
}

func unsignedFile(pack packsfile.Pack, match trust.Match) error {
	return &UnsignedFileError{Name: pack.Name, Path: pack.Path, Rule: match.Rule, Signers: namesOf(match.Signers)}
}
