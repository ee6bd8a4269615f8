package main

import (
	"testing"

	"github.com/greenticai/packvendor/vendorer"
)

// What a program says of its packs is foreign text, and begins no line of its own.
func TestVerifiedProgramTextHostile(t *testing.T) {
	foreign := vendorer.ProgramPack{Package: "example.com/\x1b[2J", Name: "x\n2 of 2 packs verified", Linked: &vendorer.LinkedPack{}}
	v := &vendorer.ProgramVerification{Program: &vendorer.Program{Path: "a\nb", Packs: []vendorer.ProgramPack{
		foreign, {Name: "y\u202e", Lock: "packs.lock"},
	}}, Locked: 1}
	want := `0 of 1 pack verified in a\nb; 1 not linked: "y\u202e"; 1 in no packs.lock: "example.com/\x1b[2J" "x\n2 of 2 packs verified"` + "\n"
	if got := verifiedProgramText(v); got != want {
		t.Errorf("%q\nwant: %q", got, want)
	}
}
