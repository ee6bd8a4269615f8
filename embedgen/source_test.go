package embedgen_test

import (
	"bytes"
	"flag"
	"go/format"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/greenticai/packvendor/embedgen"
	"github.com/greenticai/packvendor/internal/ociref"
)

var update = flag.Bool("update", false, "rewrite the golden files")

var (
	digestA = "sha256:" + strings.Repeat("a", 64)
	digestB = "sha256:" + strings.Repeat("b", 64)
	digestC = "sha256:" + strings.Repeat("c", 64)
)

func slack() embedgen.Pack {
	return embedgen.Pack{
		Name: "messaging-slack", GoName: "MessagingSlack",
		Ref:            "ghcr.io/greenticai/greentic-packs/messaging-slack:0.4.38@" + digestA,
		ManifestDigest: digestA, LayerDigest: digestB,
		MediaType: "application/vnd.greentic.gtpack.v1+zip", Size: 1279746,
		Sample: embedgen.Sample{Head: "PK\x03\x04\x14\x00\x08\x00\x08\x00\x00\x00!\x00\x12\x34", Part: ociref.Digest(digestC)},
	}
}

func redis() embedgen.Pack {
	return embedgen.Pack{
		Name: "state-redis", GoName: "Redis",
		Ref:            "ghcr.io/greenticai/greentic-packs/state-redis:stable",
		ManifestDigest: digestB, LayerDigest: digestA,
		MediaType: "application/octet-stream", Size: 0, Sample: embedgen.Sample{Part: ociref.Digest(digestA)},
	}
}

// tools is a pack that is a file.
func tools() embedgen.Pack {
	return embedgen.Pack{Name: "tools", GoName: "Tools", Path: "../tools/dist/tools.gtpack", LayerDigest: digestA, Size: 12, Sample: embedgen.Sample{Head: "PK\x05\x06\x00\x00\x00\x00\x00\x00\x00\x00", Part: ociref.Digest(digestA)}}
}

func generate(t *testing.T, p embedgen.Package) []byte {
	t.Helper()
	src, err := embedgen.Generate(p)
	if err != nil {
		t.Fatal(err)
	}
	return src
}

func TestGenerate(t *testing.T) {
	hostile := slack()
	hostile.Ref = "\n//go:embed /etc/passwd\nvar x string // */ \u0430\u202e\ufeff\xff\"`"
	hostile.MediaType, hostile.Head = hostile.Ref, hostile.Ref
	tests := map[string]embedgen.Package{
		"none":    {Name: "packs", Data: "packs"},
		"one":     {Name: "packs", ImportPath: "example.com/app/internal/packs", Data: "packs", Packs: []embedgen.Pack{slack()}},
		"two":     {Name: "main", Data: "internal/data", Packs: []embedgen.Pack{redis(), slack()}},
		"file":    {Name: "packs", Data: "packs", Packs: []embedgen.Pack{tools(), slack()}},
		"stub":    {Name: "packs", ImportPath: "example.com/app/internal/packs", Data: "packs", Packs: []embedgen.Pack{tools(), redis()}, Stub: true},
		"hostile": {Name: "packs", ImportPath: hostile.Ref, Data: "packs", Packs: []embedgen.Pack{hostile}},
	}
	for name, p := range tests {
		t.Run(name, func(t *testing.T) {
			got := generate(t, p)
			wantGolden(t, name, got)
			checkSource(t, p, got)
		})
	}
}

func wantGolden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name+".golden")
	if *update {
		if err := os.WriteFile(path, got, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestGenerateOrder(t *testing.T) {
	p := embedgen.Package{Name: "packs", Data: "packs", Packs: []embedgen.Pack{redis(), slack()}}
	q := embedgen.Package{Name: "packs", Data: "packs", Packs: []embedgen.Pack{slack(), redis()}}
	if !bytes.Equal(generate(t, p), generate(t, q)) {
		t.Error("the order of the packs shows in the source")
	}
	if p.Packs[0].Name != "state-redis" {
		t.Error("Generate sorted its argument")
	}
}

// A reviewer of an update sees one hunk: the pack's comment and constructor.
func TestGenerateSmallDiff(t *testing.T) {
	moved := slack()
	moved.Ref, moved.ManifestDigest, moved.LayerDigest, moved.Size = "ghcr.io/a/b@"+digestB, digestB, digestA, 7
	before := lines(generate(t, embedgen.Package{Name: "packs", Data: "packs", Packs: []embedgen.Pack{slack(), redis()}}))
	after := lines(generate(t, embedgen.Package{Name: "packs", Data: "packs", Packs: []embedgen.Pack{moved, redis()}}))
	if len(before) != len(after) {
		t.Fatalf("got %d lines, want %d", len(after), len(before))
	}
	changed := 0
	for i := range before {
		if before[i] != after[i] {
			changed++
		}
	}
	if changed != 8 {
		t.Errorf("%d lines changed, want 8", changed)
	}
}

func lines(src []byte) []string { return strings.Split(string(src), "\n") }

func TestGenerateErrors(t *testing.T) {
	long := "a" + strings.Repeat("b", 64)
	tests := []struct {
		name  string
		spoil func(p *embedgen.Package)
		want  string
	}{
		{"no package name", func(p *embedgen.Package) { p.Name = "" }, `package name "" is not an ASCII Go identifier`},
		{"blank package", func(p *embedgen.Package) { p.Name = "_" }, `package name "_" is not an ASCII Go identifier`},
		{"keyword", func(p *embedgen.Package) { p.Name = "func" }, `package name "func" is not an ASCII Go identifier`},
		{"injecting package", func(p *embedgen.Package) { p.Name = "x\nvar y int" }, `package name "x\nvar y int" is not an ASCII Go identifier`},
		{"Unicode package", func(p *embedgen.Package) { p.Name = "p\u0430cks" }, `package name "p\u0430cks" is not an ASCII Go identifier`},
		{"documentation", func(p *embedgen.Package) { p.Name = "documentation" }, `package name "documentation" is a package name whose files the go command ignores`},

		{"no data", func(p *embedgen.Package) { p.Data = "" }, `data folder "" has characters besides A-Z, a-z, 0-9, '.', '_' and '-'`},
		{"data is the package", func(p *embedgen.Package) { p.Data = "." }, `data folder "." has an element that starts with '.'`},
		{"data outside", func(p *embedgen.Package) { p.Data = "a/../../b" }, `data folder "a/../../b" has an element that starts with '.'`},
		{"absolute data", func(p *embedgen.Package) { p.Data = "/etc" }, `data folder "/etc" has characters besides A-Z, a-z, 0-9, '.', '_' and '-'`},
		{"data pattern", func(p *embedgen.Package) { p.Data = "a*" }, `data folder "a*" has characters besides A-Z, a-z, 0-9, '.', '_' and '-'`},
		{"data with a backslash", func(p *embedgen.Package) { p.Data = `a\b` }, `data folder "a\\b" has characters besides A-Z, a-z, 0-9, '.', '_' and '-'`},
		{"data with a newline", func(p *embedgen.Package) { p.Data = "a\n" }, `data folder "a\n" has characters besides A-Z, a-z, 0-9, '.', '_' and '-'`},
		{"data with a space", func(p *embedgen.Package) { p.Data = "a /etc/passwd" }, `data folder "a /etc/passwd" has characters besides A-Z, a-z, 0-9, '.', '_' and '-'`},
		{"reserved data", func(p *embedgen.Package) { p.Data = "a/Aux.d" }, `data folder "a/Aux.d" has an element that is reserved on Windows`},
		{"vendor", func(p *embedgen.Package) { p.Data = "vendor/packs" }, `data folder "vendor/packs" has an element that the go command treats apart: vendor`},
		{"repository", func(p *embedgen.Package) { p.Data = ".git" }, `data folder ".git" has an element that starts with '.'`},

		{"no name", func(p *embedgen.Package) { p.Packs[0].Name = "" }, `pack "": the name must start with a-z and hold only a-z, 0-9, '_' and '-', 64 characters at most`},
		{"path as name", func(p *embedgen.Package) { p.Packs[0].Name = "a/b" }, `pack "a/b": the name must start with a-z and hold only a-z, 0-9, '_' and '-', 64 characters at most`},
		{"long name", func(p *embedgen.Package) { p.Packs[0].Name = long }, `pack "` + long + `": the name must start with a-z and hold only a-z, 0-9, '_' and '-', 64 characters at most`},
		{"newline in name", func(p *embedgen.Package) { p.Packs[0].Name = "a\n" }, `pack "a\n": the name must start with a-z and hold only a-z, 0-9, '_' and '-', 64 characters at most`},
		{"reserved name", func(p *embedgen.Package) { p.Packs[0].Name = "con" }, `pack "con": the name is reserved on Windows`},
		{"name twice", func(p *embedgen.Package) { p.Packs[1].Name = "messaging-slack" }, `pack "messaging-slack" is given twice`},

		{"unexported", func(p *embedgen.Package) { p.Packs[0].GoName = "slack" }, `pack "messaging-slack": accessor name "slack" is not an exported ASCII identifier`},
		{"no identifier", func(p *embedgen.Package) { p.Packs[0].GoName = "A-B" }, `pack "messaging-slack": accessor name "A-B" is not an exported ASCII identifier`},
		{"Unicode accessor", func(p *embedgen.Package) { p.Packs[0].GoName = "\u00c4" }, `pack "messaging-slack": accessor name "\u00c4" is not an exported ASCII identifier`},
		{"taken", func(p *embedgen.Package) { p.Packs[0].GoName = "Lookup" }, `pack "messaging-slack": accessor name Lookup is taken by the generated file itself`},
		{"accessor twice", func(p *embedgen.Package) { p.Packs[0].GoName = "Redis" }, `packs "messaging-slack" and "state-redis" have the same accessor name Redis`},
		{"size", func(p *embedgen.Package) { p.Packs[0].Size = -1 }, `pack "messaging-slack": size -1 is negative`},
		{"reference", func(p *embedgen.Package) { p.Packs[0].Ref = strings.Repeat("\xff", longest+1000) }, `pack "messaging-slack": the marker has 133544 bytes, more than 131072`},
		{"import path", func(p *embedgen.Package) { p.ImportPath = strings.Repeat("a", 131072) }, `pack "messaging-slack": the marker has 131573 bytes, more than 131072`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			p := embedgen.Package{Name: "packs", Data: "packs", Packs: []embedgen.Pack{slack(), redis()}}
			test.spoil(&p)
			src, err := embedgen.Generate(p)
			if src != nil || err == nil || err.Error() != test.want {
				t.Errorf("got  %v\nwant %s", err, test.want)
			}
		})
	}
}

// longest is nearly the length of a string that makes a marker too long, if all of its bytes
// are escaped.
const longest = 128<<10/3 - 300

// The longest strings, of bytes that take the most room, are still lined up as gofmt
// does it.
func TestGenerateLongest(t *testing.T) {
	p := embedgen.Package{Name: "packs", Data: "packs", Packs: []embedgen.Pack{slack(), redis()}}
	p.Packs[0].Ref = strings.Repeat("\xff", longest)
	p.Packs[1].MediaType = strings.Repeat("\xff", longest)
	checkSource(t, p, generate(t, p))
}

// Folders that look odd and can be embedded.
func TestGenerateData(t *testing.T) {
	for _, data := range []string{"packs", "a/b/c", "Packs-1.0", "-x", "testdata"} {
		p := embedgen.Package{Name: "packs", Data: data, Packs: []embedgen.Pack{slack()}}
		checkSource(t, p, generate(t, p))
	}
}

// Markers finds what Generate wrote, whatever line ends git gave the file.
func TestMarkers(t *testing.T) {
	p := embedgen.Package{Name: "packs", ImportPath: "example.com/\"app", Data: "packs", Packs: []embedgen.Pack{slack(), tools()}}
	want := []string{wantMarker(p, slack()), wantMarker(p, tools())}
	src := generate(t, p)
	for _, text := range [][]byte{src, bytes.ReplaceAll(src, []byte("\n"), []byte("\r\n"))} {
		if got := embedgen.Markers(text); !slices.Equal(got, want) {
			t.Errorf("got %q\nwant %q", got, want)
		}
	}
	if got := embedgen.Markers([]byte("\tmarker:         no literal,\n\tmarker:         \"cut")); got != nil {
		t.Errorf("got %q", got)
	}
}

func TestFileName(t *testing.T) {
	if got, want := embedgen.FileName("messaging-slack"), "messaging-slack.gtpack"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// checkSource proves of any output: it is ASCII and formatted, it declares
// what was promised, embeds exactly the packs' files, and says of each pack
// what it was told.
func checkSource(t *testing.T, p embedgen.Package, src []byte) {
	t.Helper()
	if i := slices.IndexFunc(src, func(c byte) bool { return c > '~' || c < ' ' && c != '\n' && c != '\t' }); i >= 0 {
		t.Errorf("byte 0x%02x is not ASCII text", src[i])
	}
	if formatted, err := format.Source(src); err != nil || !bytes.Equal(formatted, src) {
		t.Errorf("not formatted: %v", err)
	}
	if !embedgen.IsGenerated(src) || !bytes.HasSuffix(src, []byte("}\n")) {
		t.Error("wrong first or last line")
	}
	f := parseSource(t, src)
	if f.Name.Name != p.Name {
		t.Errorf("package %s, want %s", f.Name.Name, p.Name)
	}
	if got, want := declared(f), p.Declarations(); !slices.Equal(got, want) {
		t.Errorf("declares %q, want %q", got, want)
	}
	if got, want := directives(src, f), wantDirectives(p); !slices.Equal(got, want) {
		t.Errorf("directives %q, want %q", got, want)
	}
	if got, want := constructed(t, f), wantConstructed(p); !slices.Equal(got, want) {
		t.Errorf("packs %q, want %q", got, want)
	}
}
