package main

import (
	"errors"
	"strings"
	"testing"

	"github.com/greenticai/packvendor/cmd/packvendor/internal/problem"
	"github.com/greenticai/packvendor/vendorer"
)

// Exit codes, as in docs/cli.md.
const (
	exitDrift       = 1
	exitUsage       = 2
	exitNetwork     = 3
	exitIntegrity   = 4
	exitStorage     = 5
	exitInterrupted = 130
)

// An outcome may have an exit code without an error.
func TestExitCodeOfOutcome(t *testing.T) {
	for _, test := range []struct {
		outcome outcome
		want    int
	}{
		{outcome{}, 0},
		{outcome{kind: problem.Drift}, 1},
		{outcome{kind: problem.Drift, problems: []problem.Problem{{Kind: problem.Integrity}}}, 4},
	} {
		if got := test.outcome.result().ExitCode(); got != test.want {
			t.Errorf("%+v exits with %d, want %d", test.outcome, got, test.want)
		}
	}
}

// Several errors print each its line, then each hint once.
func TestTellSeveral(t *testing.T) {
	var stdout, stderr strings.Builder
	c := newCLI(process{stdout: &stdout, stderr: &stderr, getenv: func(string) string { return "" }})
	c.fail(errors.Join(
		&vendorer.VendoredError{Path: "packs/a.gtpack"},
		&vendorer.VendoredError{Path: "packs/b.gtpack"},
		&vendorer.InconsistentError{Name: "c", Field: "size", Got: "1", By: "the manifest has", Want: "2"},
	))
	want := `packvendor: error: packs/a.gtpack is missing
packvendor: error: packs/b.gtpack is missing
packvendor: error: packs.lock: c: size is 1, but the manifest has 2
packvendor: hint: packvendor -f packs.toml
packvendor: hint: packvendor update c
`
	if stderr.String() != want || stdout.Len() > 0 {
		t.Errorf("stderr:\n%s\nwant:\n%s\nstdout: %s", stderr.String(), want, stdout.String())
	}
}

func TestTellJSON(t *testing.T) {
	var stdout, stderr strings.Builder
	c := newCLI(process{stdout: &stdout, stderr: &stderr, getenv: func(string) string { return "" }})
	c.json = true
	if code := c.fail(errors.Join(&vendorer.LockedError{File: "packs.lock", Stale: []string{"a"}}, &vendorer.PackError{Name: "b", Err: &vendorer.RetagError{Repository: "r.io/b", Tag: "1.0.0", Locked: "x", Now: "y"}})).ExitCode(); code != 4 {
		t.Errorf("exit code %d", code)
	}
	want := `{
  "error": {
    "code": 4,
    "message": "packs.lock would change (stale: a)\nb: version tag 1.0.0 was pushed again\n\tlocked: x\n\tnow:    y",
    "problems": [
      {
        "code": 1,
        "message": "packs.lock would change (stale: a)",
        "hint": "packvendor -f packs.toml"
      },
      {
        "code": 4,
        "message": "b: version tag 1.0.0 was pushed again\n\tlocked: x\n\tnow:    y",
        "hint": "packvendor diff r.io/b@x r.io/b@y",
        "then": "packvendor update --accept-retag b"
      }
    ]
  }
}
`
	if got := stdout.String(); got != want || stderr.Len() > 0 {
		t.Errorf("stdout:\n%s\nwant:\n%s\nstderr: %s", got, want, stderr.String())
	}
}

func TestTellFindings(t *testing.T) {
	v := &vendorer.Verification{
		Packs: 1, Findings: []error{&vendorer.GeneratedError{Path: "packs_gen.go", Diff: "-a\n+b\n"}}, Unembedded: errors.New("no go"),
	}
	var stdout, stderr strings.Builder
	c := newCLI(process{stdout: &stdout, stderr: &stderr, getenv: func(string) string { return "" }})
	c.say.Quiet = true
	if code := c.fail(c.reportVerify(v)).ExitCode(); code != exitDrift {
		t.Errorf("exit code %d", code)
	}
	if got, want := stdout.String(), "-a\n+b\n0 of 1 pack verified\n"; got != want {
		t.Errorf("stdout %q, want %q", got, want)
	}
	if got, want := stderr.String(), "packvendor: error: packs_gen.go is not what packvendor generates\npackvendor: hint: packvendor -f packs.toml\n"; got != want {
		t.Errorf("stderr %q, want %q", got, want)
	}
	stdout.Reset()
	stderr.Reset()
	c.json = true
	c.fail(c.reportVerify(v))
	want := `{
  "packs": 1,
  "verified": 0,
  "findings": [
    {
      "code": 1,
      "message": "packs_gen.go is not what packvendor generates",
      "hint": "packvendor -f packs.toml"
    }
  ],
  "unembedded": "what the Go toolchain embeds was not checked: no go"
}
`
	if stdout.String() != want || stderr.Len() > 0 {
		t.Errorf("stdout:\n%s\nwant:\n%s\nstderr: %s", stdout.String(), want, stderr.String())
	}
}

// full is a standard output that is full.
type full struct{}

var errFull = errors.New("no room")

func (full) Write([]byte) (int, error) { return 0, errFull }

// A full standard output is a storage error of any printing command.
func TestTableFull(t *testing.T) {
	for _, args := range [][]string{{"cache", "dir"}, {"cache", "verify"}, {"cache", "dir", "--json"}, {"inspect", packFile(t)}} {
		var stderr strings.Builder
		code := run(t.Context(), process{args: append(args, "--cache-dir="+t.TempDir()), stdout: full{}, stderr: &stderr, getenv: func(string) string { return "" }})
		if got := stderr.String(); code != exitStorage || got != "packvendor: error: no room\n" {
			t.Errorf("%v: exit code %d, stderr %q", args, code, got)
		}
	}
}
