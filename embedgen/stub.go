package embedgen

import (
	"bytes"
	"fmt"
)

// StubTag is the build tag with which the stub replaces the generated file.
const StubTag = "packvendor_stub"

// stubHead begins every stub.
const stubHead = Header + "\n\n//go:build " + StubTag + "\n"

// IsStub reports whether this package wrote src as a stub, by its first lines alone; a CRLF
// checkout counts.
func IsStub(src []byte) bool {
	head := src[:min(len(src), StubHeadSize)]
	return bytes.HasPrefix(bytes.ReplaceAll(head, []byte("\r\n"), []byte("\n")), []byte(stubHead))
}

// StubHeadSize is how many bytes of a file IsStub looks at.
const StubHeadSize = len(stubHead) + 3 // three times CR

// GenerateStub returns the source of a file that has the API of Generate's, with the same names,
// references and digests, but no bytes: with StubTag the package compiles without the packs. Its
// declarations are some of those of Generate's file. The errors are those of Generate.
func GenerateStub(p Package) ([]byte, error) {
	if err := p.check(); err != nil {
		return nil, err
	}
	p.Packs = p.byName()
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s\npackage %s\n\nimport (\n\t\"errors\"\n\t\"strings\"\n)\n", stubHead, p.Name)
	for _, pack := range p.Packs {
		b.WriteString("\n")
		writeComment(&b, pack, " without its bytes")
		fmt.Fprintf(&b, "func %s() Pack {\n\treturn Pack{\n", pack.GoName)
		writeFields(&b, "\t\t", pack)
		b.WriteString("\t}\n}\n")
	}
	writePacks(&b, p.Packs)
	writeLookup(&b, p.Packs)
	b.WriteString(stubType)
	return b.Bytes(), nil
}

// stubType is the constant part of every stub. It has the methods of packType.
const stubType = `
// A Pack is one pack without its bytes: the program was built with the tag
// ` + StubTag + `. Its methods may be called from several goroutines at once.
type Pack struct {
	name           string
	ref            string
	manifestDigest string
	layerDigest    string
	mediaType      string
}

// Name returns the pack's name in packs.toml.
func (p Pack) Name() string { return p.name }

// Ref returns the reference in packs.toml that the pack was fetched by.
func (p Pack) Ref() string { return p.ref }

// ManifestDigest returns the digest of the manifest that holds the pack.
func (p Pack) ManifestDigest() string { return p.manifestDigest }

// LayerDigest returns the digest that packs.lock has for the pack's bytes.
func (p Pack) LayerDigest() string { return p.layerDigest }

// MediaType returns the media type of the pack's layer.
func (p Pack) MediaType() string { return p.mediaType }

// Size returns 0: no bytes are embedded.
func (p Pack) Size() int64 { return 0 }

// Reader returns a reader of no bytes.
func (p Pack) Reader() *strings.Reader { return strings.NewReader("") }

// Bytes returns no bytes.
func (p Pack) Bytes() []byte { return []byte{} }

// Verify returns an error: the bytes are not here.
func (p Pack) Verify() error {
	return errors.New("pack " + p.name + ": this program was built with -tags ` + StubTag + `, and has no bytes of packs")
}
`
