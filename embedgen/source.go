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
	b.Grow(len(packType) + 1024*(1+len(p.Packs))) // approximate size
	writeHead(&b, p)
	if len(p.Packs) > 0 {
		b.WriteString(stringType)
	}
	for _, pack := range p.Packs {
		writePack(&b, p.Data, pack)
	}
	writePacks(&b, p.Packs)
	writeLookup(&b, p.Packs)
	b.WriteString(packType)
	return b.Bytes(), nil
}

func writeHead(b *bytes.Buffer, p Package) {
	fmt.Fprintf(b, "%s\n\npackage %s\n\nimport (\n\t\"crypto/sha256\"\n", Header, p.Name)
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

// variableType is the type of the variables that hold the packs' bytes. No variable has
// this name: theirs end in an accessor's name.
const variableType = "gtpack"

// stringType declares variableType: the linker's -X sets only variables of type string.
const stringType = `
// The bytes of a pack have a type of their own: -ldflags -X cannot set it.
type ` + variableType + ` string
`

// writePack writes all of a pack in one place, so that a change of one pack is one hunk
// for the reviewer. In the comment every external string stands quoted in a
// preformatted block, where gofmt changes nothing.
func writePack(b *bytes.Buffer, data string, p Pack) {
	name, ref, media := quote(p.Name), quote(p.Ref), quote(p.MediaType)
	manifest, layer := quote(p.ManifestDigest), quote(p.LayerDigest)

	fmt.Fprintf(b, "\n//go:embed %s\nvar %s %s\n\n", path.Join(data, FileName(p.Name)), p.variable(), variableType)

	fmt.Fprintf(b, "// %s returns the pack %s.\n//\n", p.GoName, name)
	if p.Path != "" {
		fmt.Fprintf(b, "//\tfile        %s\n", quote(p.Path))
		fmt.Fprintf(b, "//\tdigest      %s\n", layer)
	} else {
		fmt.Fprintf(b, "//\treference   %s\n", ref)
		fmt.Fprintf(b, "//\tmanifest    %s\n", manifest)
		fmt.Fprintf(b, "//\tlayer       %s\n", layer)
		fmt.Fprintf(b, "//\tmedia type  %s\n", media)
	}
	fmt.Fprintf(b, "//\tsize        %d bytes\n", p.Size)

	fmt.Fprintf(b, "func %s() Pack {\n\treturn Pack{\n", p.GoName)
	fmt.Fprintf(b, "\t\tname:           %s,\n", name)
	fmt.Fprintf(b, "\t\tref:            %s,\n", ref)
	fmt.Fprintf(b, "\t\tmanifestDigest: %s,\n", manifest)
	fmt.Fprintf(b, "\t\tlayerDigest:    %s,\n", layer)
	fmt.Fprintf(b, "\t\tmediaType:      %s,\n", media)
	fmt.Fprintf(b, "\t\tdata:           string(%s),\n\t}\n}\n", p.variable())
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

func quote(s string) string { return strconv.QuoteToASCII(s) }
