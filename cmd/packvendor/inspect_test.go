package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/greenticai/packvendor/internal/gtpack"
	"github.com/greenticai/packvendor/internal/packtest"
	"github.com/greenticai/packvendor/internal/verified"
	"github.com/greenticai/packvendor/vendorer"
)

func TestSBOMText(t *testing.T) {
	for _, test := range []struct {
		sbom gtpack.SBOM
		want string
	}{
		{gtpack.SBOM{}, "none"},
		{gtpack.SBOM{File: "sbom.cbor"}, "sbom.cbor matches: 0 files"},
		{gtpack.SBOM{File: "sbom.cbor", Files: 1, Matching: 1}, "sbom.cbor matches: 1 file"},
		{gtpack.SBOM{File: "sbom.json", Files: 9, Matching: 9}, "sbom.json matches: 9 files"},
		{gtpack.SBOM{File: "sbom.cbor", Files: 2, Matching: 1, Mismatched: []string{"a"}}, "sbom.cbor does not match: 1 of 2 files as listed, 1 differs"},
		{gtpack.SBOM{File: "sbom.cbor", Files: 1, Missing: []string{"a"}}, "sbom.cbor does not match: 0 of 1 file as listed, 1 is missing"},
		{gtpack.SBOM{File: "sbom.cbor", Unlisted: []string{"a"}}, "sbom.cbor does not match: 0 of 0 files as listed, 1 is not listed"},
		{
			gtpack.SBOM{File: "sbom.cbor", Files: 5, Matching: 1, Mismatched: []string{"a", "b"}, Missing: []string{"c", "d"}, Unlisted: []string{"e", "f"}},
			"sbom.cbor does not match: 1 of 5 files as listed, 2 differ, 2 are missing, 2 are not listed",
		},
		{gtpack.SBOM{File: "sbom.cbor", Err: &gtpack.MalformedError{File: "sbom.cbor", Err: errors.New("it is empty")}}, "sbom.cbor cannot be read: it is empty"},
	} {
		if got := sbomText(test.sbom); got != test.want {
			t.Errorf("%+v: %q, want %q", test.sbom, got, test.want)
		}
	}
}

func TestComponentText(t *testing.T) {
	for _, test := range []struct {
		component gtpack.Component
		want      string
	}{
		{gtpack.Component{ID: "a", Version: "1.0.0", Path: "a.wasm", Size: 1500}, "a 1.0.0, 1.5 kB"},
		{gtpack.Component{ID: "a", Path: "a.wasm"}, "a, 0 B"},
		{gtpack.Component{ID: "a", Version: "1.0.0"}, "a 1.0.0, not in the pack"},
	} {
		if got := componentText(test.component); got != test.want {
			t.Errorf("%+v: %q, want %q", test.component, got, test.want)
		}
	}
	if got := signaturesText(nil); got != "none in the pack" {
		t.Errorf("no signatures are %q", got)
	}
	if got := signaturesText([]string{"a", "b"}); got != "a, b (not verified)" {
		t.Errorf("signatures are %q", got)
	}
}

// The output about a pack is bounded, whatever the pack contains.
func TestInspectBounded(t *testing.T) {
	long := strings.Repeat("x", 2000)
	pack := &gtpack.Pack{Format: gtpack.FormatV1, ID: long, SBOM: gtpack.SBOM{File: "sbom.cbor"}}
	for n := range maxRows + 2 {
		pack.Components = append(pack.Components, gtpack.Component{ID: fmt.Sprint("c", n)})
		pack.Dependencies = append(pack.Dependencies, gtpack.Dependency{ID: fmt.Sprint("d", n)})
		pack.SBOM.Unlisted = append(pack.SBOM.Unlisted, long)
	}
	var stdout, stderr strings.Builder
	c := newCLI(process{stdout: &stdout, stderr: &stderr, getenv: func(string) string { return "" }})
	c.say.Verbose = true
	if err := c.reportInspection(&vendorer.Inspection{Pack: pack, Content: verified.Content{}}); err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{
		"id          " + long[:1000] + "...\n", "            c99, not in the pack\n            and 2 more\n", "            d99\n            and 2 more\n",
	} {
		if !strings.Contains(stdout.String(), line) {
			t.Errorf("there is no %.100q in:\n%s", line, stdout.String())
		}
	}
	if strings.Contains(stdout.String(), "c100") {
		t.Error("there is no bound")
	}
	want := strings.Repeat("packvendor: sbom.cbor: "+long[:200]+"... is not listed\n", maxRows) + "packvendor: sbom.cbor: 2 more\n"
	if got := stderr.String(); got != want {
		t.Errorf("stderr:\n%s\nwant:\n%s", got, want)
	}
}

// packFile returns the name of a file with a small valid pack.
func packFile(t *testing.T) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "pack.gtpack")
	if err := os.WriteFile(file, packtest.Zip("pack", "1.0.0", 100), 0o666); err != nil {
		t.Fatal(err)
	}
	return file
}
