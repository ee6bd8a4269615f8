package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/greenticai/packvendor/internal/packtest"
	"github.com/greenticai/packvendor/internal/packtest/distribution"
)

// Programs are those that run against each other, by their paths.
type programs struct {
	packvendor, hashall string // built from the checkout
	oras, crane, curl   string
}

// findPrograms builds packvendor and the hash program in dir, and looks up the
// others. The error says of all that are missing how to get them.
func findPrograms(ctx context.Context, checkout, dir string) (programs, error) {
	t := programs{packvendor: filepath.Join(dir, "packvendor"), hashall: filepath.Join(dir, "hashall")}
	var missing []string
	var registry string
	for name, tool := range map[string]*string{
		"oras": &t.oras, "crane": &t.crane, "curl": &t.curl, distribution.Program: &registry,
	} {
		var err error
		if *tool, err = packtest.LookPath(name); err != nil {
			missing = append(missing, err.Error())
		}
	}
	if missing != nil {
		return t, fmt.Errorf("%s", strings.Join(missing, "\n"))
	}
	if _, err := output(ctx, checkout, os.Environ(), "go", "build", "-o", t.packvendor, "./cmd/packvendor"); err != nil {
		return t, err
	}
	_, err := output(ctx, filepath.Join(checkout, "bench"), os.Environ(), "go", "build", "-o", t.hashall, "./hashall")
	return t, err
}

// A version is what a program says it is.
type version struct{ Program, Version string }

// versions asks the programs.
func (t programs) versions(ctx context.Context, checkout string) []version {
	var versions []version
	for _, ask := range []struct {
		program string
		args    []string
	}{
		{"packvendor", []string{"git", "-C", checkout, "describe", "--always", "--dirty", "--tags"}},
		{"go", []string{"go", "version"}},
		{"docker-registry", []string{"docker-registry", "--version"}},
		{"oras", []string{t.oras, "version"}},
		{"crane", []string{t.crane, "version"}},
		{"curl", []string{t.curl, "--version"}},
		{"cp, sha256sum, sync", []string{"cp", "--version"}},
	} {
		out, err := output(ctx, checkout, os.Environ(), ask.args...)
		if err != nil {
			out = []byte("unknown")
		}
		versions = append(versions, version{ask.program, briefly(string(out))})
	}
	return versions
}

var versionWord = regexp.MustCompile(`v?\d+\.\d+[^ \n]*|go\d[^ \n]*`)

// briefly is the version in what a program says of itself; its first line, if it
// is no word there.
func briefly(said string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(said), "\n")
	if word := versionWord.FindString(line); word != "" {
		return word
	}
	return line
}
