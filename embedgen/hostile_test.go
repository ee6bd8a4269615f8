package embedgen_test

import (
	"strings"
	"testing"

	"github.com/greenticai/packvendor/embedgen"
)

// hostile are the strings of row 51 of docs/reliability.md, and a few more with the same aim.
var hostile = []string{
	"\n//go:embed /etc/passwd\nvar Stolen string",
	"\r//go:embed /etc/passwd\rvar Stolen string",
	"\n\n\tcode block\n\n# heading\n\n[link]: http://x",
	"*/ func init() { panic(0) } /*",
	"\"}\n}\nfunc Evil() {}\n//",
	"`",
	"\\",
	"\u202egpj.exe",
	"\ufeff",
	"p\u0430cks", // a Cyrillic letter
	"\u2028//go:embed x",
	"\xff\xfe",
	"\x00",
	"\x1b[2J",
	"%s%d%!",
	"{{.}}",
	"",
	strings.Repeat("x", 100_000),
}

// Each hostile string in each field: an error, or a file that parses to
// exactly the expected declarations.
func TestFault51_HostileStrings(t *testing.T) {
	fields := map[string]func(*embedgen.Package) *string{
		"package":         func(p *embedgen.Package) *string { return &p.Name },
		"data":            func(p *embedgen.Package) *string { return &p.Data },
		"name":            func(p *embedgen.Package) *string { return &p.Packs[0].Name },
		"accessor":        func(p *embedgen.Package) *string { return &p.Packs[0].GoName },
		"ref":             func(p *embedgen.Package) *string { return &p.Packs[0].Ref },
		"path":            func(p *embedgen.Package) *string { return &p.Packs[0].Path },
		"manifest digest": func(p *embedgen.Package) *string { return &p.Packs[0].ManifestDigest },
		"layer digest":    func(p *embedgen.Package) *string { return &p.Packs[0].LayerDigest },
		"import path":     func(p *embedgen.Package) *string { return &p.ImportPath },
		"head":            func(p *embedgen.Package) *string { return &p.Packs[0].Head },
		"part":            func(p *embedgen.Package) *string { return (*string)(&p.Packs[0].Part) },
		"media type":      func(p *embedgen.Package) *string { return &p.Packs[0].MediaType },
	}
	refuses := map[string]bool{"package": true, "data": true, "name": true, "accessor": true, "head": true}
	for field, at := range fields {
		t.Run(field, func(t *testing.T) {
			for _, s := range hostile {
				p := embedgen.Package{Name: "packs", Data: "packs", Packs: []embedgen.Pack{slack(), redis()}}
				*at(&p) = s
				src, err := embedgen.Generate(p)
				if err != nil {
					if !refuses[field] {
						t.Errorf("%.60q: got %v", s, err)
					}
					checkPrintable(t, err)
					continue
				}
				checkSource(t, p, src)
			}
		})
	}
}

func checkPrintable(t *testing.T, err error) {
	t.Helper()
	if strings.ContainsFunc(err.Error(), func(r rune) bool { return r < ' ' || r > '~' }) {
		t.Errorf("message is not printable: %+q", err.Error())
	}
}

func FuzzGenerate(f *testing.F) {
	f.Add("packs", "packs", "messaging-slack", "MessagingSlack", "ref", digestA, digestB, "a/b", int64(1))
	for _, s := range hostile[:len(hostile)-1] {
		f.Add("packs", "packs", "a", "A", s, s, s, s, int64(0))
		f.Add(s, s, s, s, s, s, s, s, int64(-1))
	}
	f.Fuzz(func(t *testing.T, name, data, pack, goName, ref, manifest, layer, mediaType string, size int64) {
		p := embedgen.Package{Name: name, Data: data, Packs: []embedgen.Pack{redis(), {
			Name: pack, GoName: goName, Ref: ref,
			ManifestDigest: manifest, LayerDigest: layer, MediaType: mediaType, Size: size,
		}}}
		src, err := embedgen.Generate(p)
		if err != nil {
			checkPrintable(t, err)
			return
		}
		checkSource(t, p, src)
	})
}
