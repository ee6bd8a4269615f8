// Package packsfile owns packs.toml: it reads the file into checked values and edits it
// as text.
package packsfile

import (
	"bytes"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"

	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/versions"
)

// MaxSize bounds a packs.toml, in bytes: room for some tens of thousands of packs.
const MaxSize = 4 << 20

type (
	// A Digest is sha256: and 64 hexadecimal digits.
	Digest = ociref.Digest
	// A Reference names a manifest in a registry, by tag or digest.
	Reference = ociref.Reference
	// A Range is a range of versions.
	Range = versions.Range
	// A Version is a semantic version, as a tag has it.
	Version = versions.Version
)

// defaultName stands for the file in messages without a name.
const defaultName = "packs.toml"

// A File is a packs.toml that Parse has checked. Nothing in this package changes it
// afterwards, so goroutines may share it.
type File struct {
	AllowTags          bool     // allow_tags for all packs; Pack.AllowTags is the value that counts
	InsecureRegistries []string // host[:port], for plain HTTP
	AcceptMediaTypes   []string // layer media types beside the default list
	Embed              Embed
	Limits             Limits
	Trust              *Trust // nil if there is no table [trust]
	Packs              []Pack // sorted by name
}

// Embed says where the generated Go goes. Missing keys hold their defaults. Paths are
// slash-separated on every system.
type Embed struct {
	Dir     string // directory of the Go package, relative to packs.toml; default "."
	Package string // name of the Go package; "" to derive it
	File    string // base name of the generated file; default "packs_gen.go"
	Data    string // folder of the packs' bytes, below Dir; default "packs"
	Stub    bool   // a second generated file stands in for File in builds without the packs
	Line    int    // 1-based line of the embed table's key, 0 if there is none
}

// A Pack is one entry of the packs table.
type Pack struct {
	Name      string
	Ref       string           // the reference as in packs.toml; may be empty if there is a Path
	Reference ociref.Reference // Ref, parsed; the zero value if that is empty
	Version   string           // the range of versions; empty if Ref has a tag or digest
	Range     versions.Range   // Version, parsed; unused if that is empty
	Layer     string           // media type or digest of the layer to take; mostly empty
	Path      string           // of the file that the pack is, relative to packs.toml; mostly empty
	GoName    string           // go_name, or the name derived from the key
	AllowTags bool             // the pack's own allow_tags, else the file's
	Line      int              // 1-based line of the pack's key
}

// Pinned reports whether packs.toml may hold the pack's reference: it has a digest, a
// tag that is allowed, or a range of versions; or there is a file and no reference.
func (p Pack) Pinned() bool {
	return p.Reference.Digest != "" || p.AllowTags || p.Version != "" || p.Ref == "" && p.Path != ""
}

// Pack returns the pack called name, and whether there is one.
func (f *File) Pack(name string) (Pack, bool) {
	i, ok := slices.BinarySearchFunc(f.Packs, name, func(p Pack, name string) int {
		return strings.Compare(p.Name, name)
	})
	if !ok {
		return Pack{}, false
	}
	return f.Packs[i], true
}

// Parse reads a packs.toml. Only messages use the file name.
//
// A file that is not TOML yields a *SyntaxError alone. A file that makes no sense
// yields Errors, all of them at once. If all of these are unpinned packs
// (Errors.OnlyUnpinned), Parse also returns the File with all packs; with any other
// error the File is nil.
func Parse(filename string, data []byte) (*File, error) {
	doc, err := parseDocument(filename, data)
	if err != nil {
		return nil, err
	}
	c := &checker{filename: filename}
	file := c.file(doc.root)
	errs := c.errors()
	switch {
	case len(errs) == 0:
		return file, nil
	case errs.OnlyUnpinned():
		return file, errs
	default:
		return nil, errs
	}
}

const (
	repository = "https://github.com/greenticai/packvendor"
	schemaURL  = "https://raw.githubusercontent.com/greenticai/packvendor/main/packs.schema.json"
)

// New returns the text of a packs.toml without packs. It writes the fields of e that
// are neither empty nor defaults. Parse accepts the text if it accepts e.
func New(e Embed) []byte {
	var b bytes.Buffer
	b.WriteString("#:schema " + schemaURL + "\n")
	b.WriteString("# All keys: " + repository + "/blob/main/packs.toml.example\n\n")
	if keys := embedKeys(e); len(keys) > 0 {
		b.WriteString("[embed]\n")
		b.Write(keys)
		b.WriteString("\n")
	}
	b.WriteString("# \"packvendor add REF\" writes lines here: NAME = \"REFERENCE\"\n[packs]\n")
	return b.Bytes()
}

// embedKeys returns the lines of the embed table.
func embedKeys(e Embed) []byte {
	keys, _ := toml.Marshal(struct { // never fails for strings
		Dir     string `toml:"dir,omitempty"`
		Package string `toml:"package,omitempty"`
		File    string `toml:"file,omitempty"`
		Data    string `toml:"data,omitempty"`
		Stub    bool   `toml:"stub,omitempty"`
	}{
		Dir:     unlessDefault(e.Dir, defaultEmbed.Dir),
		Package: e.Package,
		File:    unlessDefault(e.File, defaultEmbed.File),
		Data:    unlessDefault(e.Data, defaultEmbed.Data),
		Stub:    e.Stub,
	})
	return keys
}

func unlessDefault(value, usual string) string {
	if value == usual {
		return ""
	}
	return value
}
