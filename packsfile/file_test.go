package packsfile

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/versions"
)

const digest = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

func TestParse(t *testing.T) {
	for _, file := range testFiles(t, "testdata/parse/*.toml") {
		t.Run(filepath.Base(file), func(t *testing.T) {
			data := readFile(t, file)
			f, err := Parse("packs.toml", data)
			checkGolden(t, strings.TrimSuffix(file, ".toml")+".golden", describe(f, err))
			checkInvariants(t, f, err)
			checkSame(t, data, f, err)
		})
	}
}

// Line ends and a byte order mark change nothing about what a file means.
func TestParseEncodings(t *testing.T) {
	for _, file := range testFiles(t, "testdata/parse/*.toml") {
		data := string(readFile(t, file))
		f, err := Parse("packs.toml", []byte(data))
		for _, variant := range []string{
			strings.ReplaceAll(data, "\n", "\r\n"),
			byteOrderMark + data,
			strings.TrimRight(data, "\n"),
		} {
			got, gotErr := Parse("packs.toml", []byte(variant))
			if describe(got, gotErr) != describe(f, err) {
				t.Errorf("%s: variant gives\n%s\nnot\n%s", file, describe(got, gotErr), describe(f, err))
			}
		}
	}
}

func TestPackLookup(t *testing.T) {
	f, err := Parse("packs.toml", readFile(t, "testdata/parse/full.toml"))
	if err != nil {
		t.Fatal(err)
	}
	p, ok := f.Pack("odd")
	want := Pack{
		Name:      "odd",
		Ref:       "ghcr.io/o/odd:1.2@" + digest,
		Reference: ociref.Reference{Registry: "ghcr.io", Repository: "o/odd", Tag: "1.2", Digest: digest},
		Layer:     "application/octet-stream",
		GoName:    "Odd",
		Line:      19,
	}
	if !ok || p != want {
		t.Errorf("Pack(odd) = %+v, %v; want %+v", p, ok, want)
	}
	if p, ok := f.Pack("none"); ok || p != (Pack{}) {
		t.Errorf("Pack(none) = %+v, %v", p, ok)
	}
}

func TestVersions(t *testing.T) {
	f, err := Parse("packs.toml", readFile(t, "testdata/parse/versions_fine.toml"))
	if err != nil {
		t.Fatal(err)
	}
	p, _ := f.Pack("caret")
	in, _ := versions.Parse("v0.4.38")
	out, _ := versions.Parse("0.5.0")
	if !p.Pinned() || !p.Range.Contains(in) || p.Range.Contains(out) {
		t.Errorf("%+v is pinned: %v", p, p.Pinned())
	}
}

func TestErrorsAreTyped(t *testing.T) {
	_, err := Parse("dir/packs.toml", readFile(t, "testdata/parse/unpinned.toml"))
	var errs Errors
	if !errors.As(err, &errs) || !errs.OnlyUnpinned() || len(errs) != 2 {
		t.Fatalf("got %v", err)
	}
	want := Error{
		File: "dir/packs.toml", Line: 2, Key: "packs.b", Unpinned: "b", Ref: "ghcr.io/o/b:stable",
		Msg: `"ghcr.io/o/b:stable" is a tag, not a pin: tags can move`,
	}
	if *errs[0] != want {
		t.Errorf("got %+v, want %+v", *errs[0], want)
	}
	if errs = nil; errs.OnlyUnpinned() {
		t.Error("no errors at all are not unpinned packs")
	}
}

func testFiles(t testing.TB, pattern string) []string {
	t.Helper()
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) == 0 {
		t.Fatalf("%s: %v, %v", pattern, files, err)
	}
	return files
}

func readFile(t testing.TB, file string) []byte {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// describe writes down everything that Parse returned.
func describe(f *File, err error) string {
	var b strings.Builder
	if err != nil {
		fmt.Fprintf(&b, "%s\n", err)
	}
	if f == nil {
		return b.String()
	}
	fmt.Fprintf(&b, "allow_tags %v\ninsecure_registries %q\naccept_media_types %q\nembed %+v\n",
		f.AllowTags, f.InsecureRegistries, f.AcceptMediaTypes, f.Embed)
	if f.Trust != nil {
		fmt.Fprintf(&b, "\ntrust, line %d, root %q\n", f.Trust.Line, f.Trust.Root)
		for _, s := range f.Trust.Signers {
			fmt.Fprintf(&b, "\tsigner %s, line %d, file %q, %s\n", s.Name, s.Line, s.KeyFile, s.written.ID())
		}
		for _, r := range f.Trust.Rules {
			fmt.Fprintf(&b, "\trule %s, line %d, %q\n", r.Key, r.Line, r.Signers)
		}
	}
	for _, p := range f.Packs {
		fmt.Fprintf(&b, "\n%s, line %d\n\tref %s\n\treference %s\n\tversion %q\n\tlayer %q\n\tgo_name %s\n\tallow_tags %v\n",
			p.Name, p.Line, p.Ref, p.Reference, p.Version, p.Layer, p.GoName, p.AllowTags)
		if p.Path != "" {
			fmt.Fprintf(&b, "\tpath %s\n", p.Path)
		}
	}
	return b.String()
}

// checkInvariants demands what callers rely on, whatever the file says.
func checkInvariants(t *testing.T, f *File, err error) {
	t.Helper()
	var errs Errors
	errors.As(err, &errs)
	if (f != nil) != (err == nil || errs.OnlyUnpinned()) {
		t.Errorf("file %v with error %v", f, err)
	}
	checkErrors(t, err)
	if f == nil {
		return
	}
	for i, p := range f.Packs {
		if p.GoName == "" || p.Line < 1 || (p.Reference.Registry == "") != (p.Ref == "") || p.Ref == "" && p.Path == "" || i > 0 && p.Name <= f.Packs[i-1].Name {
			t.Errorf("pack %d: %+v", i, p)
		}
		if (p.Version == "") != (p.Range == versions.Range{}) {
			t.Errorf("pack %s has version %q and range %v", p.Name, p.Version, p.Range)
		}
		if got, ok := f.Pack(p.Name); !ok || got != p {
			t.Errorf("Pack(%q) = %+v, %v", p.Name, got, ok)
		}
	}
}

// checkErrors demands that all problems stand in the order of the file, in ASCII.
func checkErrors(t *testing.T, err error) {
	t.Helper()
	var errs Errors
	errors.As(err, &errs)
	for i, e := range errs {
		if e.Line < 1 || i > 0 && e.Line < errs[i-1].Line {
			t.Errorf("error %d is out of order: %v", i, err)
		}
	}
	if err != nil && strings.ContainsFunc(err.Error(), func(r rune) bool { return r != '\n' && (r < ' ' || r > '~') }) {
		t.Errorf("not printable ASCII: %q", err)
	}
}

// checkSame demands that a second reading gives the same.
func checkSame(t *testing.T, data []byte, f *File, err error) {
	t.Helper()
	again, againErr := Parse("packs.toml", data)
	if !reflect.DeepEqual(f, again) || !reflect.DeepEqual(err, againErr) {
		t.Errorf("second reading: %v, %v; first: %v, %v", again, againErr, f, err)
	}
}
