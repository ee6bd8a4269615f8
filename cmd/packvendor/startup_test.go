package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// maxStartUp bounds what a package of ours may allocate when the program starts, in bytes:
// every run pays for it. A regular expression needs more.
const maxStartUp = 1200

// TestStartUp holds what the packages do before main, which is most of the time of a run with
// nothing to do.
func TestStartUp(t *testing.T) {
	t.Parallel()
	binary := build(t)
	allocated := startUp(t, binary)
	if allocated["main"] == 0 || allocated["github.com/spf13/cobra"] == 0 {
		t.Fatalf("no account of the start: %v", allocated)
	}
	for name, bytes := range allocated {
		if isOurs := name == "main" || strings.HasPrefix(name, "github.com/greenticai/"); isOurs && bytes > maxStartUp {
			t.Errorf("%s allocates %d bytes at start-up: let its variables have their values at their first use", name, bytes)
		}
	}
	if allocated["go/build"] > 0 {
		t.Error("go/build is linked: its packages take 0.1 ms at start-up")
	}
	program, err := os.ReadFile(binary)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(program, []byte("text/template.(*state)")) {
		t.Error("text/template is linked, and with it every exported method: a seventh of the program")
	}
}

// build returns packvendor as its users build it.
func build(t *testing.T) string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "packvendor.exe")
	build := exec.Command("go", "build", "-o", binary, ".")
	build.Env = append(os.Environ(), goEnvironment(t)...)
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return binary
}

// initLine is one of GODEBUG=inittrace=1: https://pkg.go.dev/runtime#hdr-Environment_Variables
var initLine = regexp.MustCompile(`(?m)^init (\S+) @.*, (\d+) bytes,`)

// startUp returns the bytes that the packages of packvendor allocate before main.
func startUp(t *testing.T, binary string) map[string]int {
	t.Helper()
	run := exec.Command(binary, "version")
	run.Env = append(os.Environ(), "GODEBUG=inittrace=1")
	out, err := run.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	allocated := map[string]int{}
	for _, match := range initLine.FindAllStringSubmatch(string(out), -1) {
		allocated[match[1]], _ = strconv.Atoi(match[2])
	}
	return allocated
}
