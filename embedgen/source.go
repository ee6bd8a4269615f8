package embedgen

import (
	"bytes"
	"fmt"
	"path"
	"strconv"
)

// Generate returns the source of the file: gofmt-clean, ASCII, and independent of the
// order of the packs. The error names a package name, a data folder or a pack that
// cannot stand in Go source or cannot be embedded.
//
// It writes the source as gofmt would, without running gofmt: that took about a tenth
// of a run without changes.
func Generate(p Package) ([]byte, error) {
	if err := p.check(); err != nil {
		return nil, err
	}
	p.Packs = p.byName()
	var b bytes.Buffer
	b.Grow(len(packType) + 2560*(1+len(p.Packs))) // approximate size
	writeHead(&b, p)
	for _, pack := range p.Packs {
		marker, err := p.marker(pack)
		if err != nil {
			return nil, err
		}
		writePack(&b, p.Data, pack, marker)
	}
	writePacks(&b, p.Packs)
	writeLookup(&b, p.Packs)
	b.WriteString(packType)
	return b.Bytes(), nil
}

func writeHead(b *bytes.Buffer, p Package) {
	fmt.Fprintf(b, "%s\n\n", Header)
	if p.Stub {
		fmt.Fprintf(b, "//go:build !%s\n\n", StubTag)
	}
	fmt.Fprintf(b, "package %s\n\nimport (\n\t\"crypto/sha256\"\n", p.Name)
	if len(p.Packs) > 0 {
		b.WriteString("\t_ \"embed\" // for go:embed\n")
	}
	for _, dependency := range imports[1:] {
		fmt.Fprintf(b, "\t%q\n", dependency)
	}
	b.WriteString(")\n")
}

// imports are the packages that packType uses, sorted as gofmt does; embed
// comes second.
var imports = []string{"crypto/sha256", "encoding/hex", "errors", "io", "strings"}

// bytesType is the type of the variables that hold the packs' bytes, and packedType that of
// the variables that hold the packs with their markers. Such a variable has the name of its
// type with an accessor's name behind it. No variable has another's name or that of a type:
// an accessor's name begins with an upper-case letter.
const (
	bytesType  = "gtpack"
	packedType = "gtpacked"
)

// writePack writes all of a pack in one place, so that a change of one pack is one hunk
// for the reviewer. In the comment every external string stands quoted in a
// preformatted block, where gofmt changes nothing.
func writePack(b *bytes.Buffer, data string, pack Pack, marker string) {
	file := path.Join(data, FileName(pack.Name))
	fmt.Fprintf(b, "\n//go:embed %s\nvar %s %s\n", file, pack.bytesVariable(), bytesType)

	fmt.Fprintf(b, "\nvar %s = %s{\n", pack.packedVariable(), packedType)
	fmt.Fprintf(b, "%s%s,\n", markerField, quote(marker))
	writeFields(b, "\t", pack)
	fmt.Fprintf(b, "\tdata:           &%s,\n}\n\n", pack.bytesVariable())

	writeComment(b, pack, "")
	fmt.Fprintf(b, "func %s() Pack { return Pack{&%s} }\n", pack.GoName, pack.packedVariable())
}

// writeFields writes the fields that say where a pack comes from, as a composite literal has
// them.
func writeFields(b *bytes.Buffer, indent string, p Pack) {
	for _, field := range []struct{ key, value string }{
		{"name:          ", p.Name},
		{"ref:           ", p.Ref},
		{"manifestDigest:", p.ManifestDigest},
		{"layerDigest:   ", p.LayerDigest},
		{"mediaType:     ", p.MediaType},
	} {
		fmt.Fprintf(b, "%s%s %s,\n", indent, field.key, quote(field.value))
	}
}

// writeComment writes the comment of a pack's accessor. without follows the pack's name.
func writeComment(b *bytes.Buffer, p Pack, without string) {
	layer := quote(p.LayerDigest)
	fmt.Fprintf(b, "// %s returns the pack %s%s.\n//\n", p.GoName, quote(p.Name), without)
	if p.Path != "" {
		fmt.Fprintf(b, "//\tfile        %s\n", quote(p.Path))
		fmt.Fprintf(b, "//\tdigest      %s\n", layer)
	} else {
		fmt.Fprintf(b, "//\treference   %s\n", quote(p.Ref))
		fmt.Fprintf(b, "//\tmanifest    %s\n", quote(p.ManifestDigest))
		fmt.Fprintf(b, "//\tlayer       %s\n", layer)
		fmt.Fprintf(b, "//\tmedia type  %s\n", quote(p.MediaType))
	}
	fmt.Fprintf(b, "//\tsize        %d bytes\n", p.Size)
}

// writePacks and writeLookup write functions, not package-level tables: a
// table would keep every pack in every program that imports the package.
func writePacks(b *bytes.Buffer, packs []Pack) {
	b.WriteString("\n// Packs returns all packs, sorted by name, in a slice of the caller's own.\nfunc Packs() []Pack {\n")
	b.WriteString("\treturn []Pack{")
	for i, p := range packs {
		if i == 0 {
			b.WriteString("\n")
		}
		fmt.Fprintf(b, "\t\t%s(),\n", p.GoName)
	}
	if len(packs) > 0 {
		b.WriteString("\t")
	}
	b.WriteString("}\n}\n")
}

func writeLookup(b *bytes.Buffer, packs []Pack) {
	b.WriteString("\n// Lookup returns the pack of that name, and whether there is one.\nfunc Lookup(name string) (Pack, bool) {\n")
	if len(packs) > 0 {
		b.WriteString("\tswitch name {\n")
		for _, p := range packs {
			fmt.Fprintf(b, "\tcase %s:\n\t\treturn %s(), true\n", quote(p.Name), p.GoName)
		}
		b.WriteString("\t}\n")
	}
	b.WriteString("\treturn Pack{}, false\n}\n")
}

// quote is strconv.QuoteToASCII, and quick with plain text: that is most of a generated file.
func quote(s string) string {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			return strconv.QuoteToASCII(s)
		}
	}
	return `"` + s + `"`
}
