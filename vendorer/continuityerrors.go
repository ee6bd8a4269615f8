package vendorer

import (
	"fmt"

	"github.com/greenticai/packvendor/internal/printable"
)

// A SignerChangedError reports another signer than the one that was locked, which the rule
// does not have.
type SignerChangedError struct {
	SignerChange
	Acceptance
	Rule string
}

func (e *SignerChangedError) Error() string {
	return fmt.Sprintf("another signer has signed it, and its rule does not list the one that is locked\n\tlocked: %s\n\tnow:    %s\n\trule %q", e.Was, e.Now, e.Rule)
}

// A SignerLostError reports a pack that would be locked without a signature, which it had.
type SignerLostError struct {
	SignerChange
	Acceptance
}

func (e *SignerLostError) Error() string {
	return fmt.Sprintf("it would lose its signature\n\tlocked: %s\n\tnow:    no rule asks for a signature", e.Was)
}

// An OtherPackError reports a signed pack whose ID is another one than that of the locked
// pack.
type OtherPackError struct {
	Acceptance
	Name, Was, Now string
}

func (e *OtherPackError) Error() string {
	return fmt.Sprintf("the signed bytes are another pack\n\tlocked: %s\n\tnow:    %s", printable.Word(e.Was, maxVersion), printable.Word(e.Now, maxVersion))
}

// An UncomparedError reports a signed pack that is to be replaced and cannot be had: what
// follows may be older, or another pack.
type UncomparedError struct {
	Acceptance
	Name string
	Err  error
}

func (e *UncomparedError) Error() string {
	return fmt.Sprintf("the locked pack is needed to compare its ID and version: %v", e.Err)
}

func (e *UncomparedError) Unwrap() error { return e.Err }

// An OtherVersionError reports a signed pack with a lower version than that of the locked
// pack, or another one than its tag's. An old pack keeps its signature for ever.
type OtherVersionError struct {
	Acceptance
	Name string
	Now  string
	Was  string // the version that is locked, if that is higher; else ""
	Tag  string // the tag, if it is another version; else ""
}

func (e *OtherVersionError) Error() string {
	text := "the signed bytes have the version " + printable.Word(e.Now, maxVersion)
	if e.Was != "" {
		text += "\n\tlocked: " + printable.Word(e.Was, maxVersion)
	}
	if e.Tag != "" {
		text += "\n\ttag:    " + e.Tag
	}
	return text
}
