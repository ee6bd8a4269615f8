// Package marker writes and reads markers: the texts by which a compiled program names its
// packs. docs/format.md promises their form.
package marker

import (
	"encoding/hex"
	"strconv"
	"strings"

	"github.com/greenticai/packvendor/internal/ociref"
)

// A Marker describes one pack in a program. Parse returns only markers that obey the
// comments; Format escapes strings of any kind.
type Marker struct {
	Package        string // the import path of the Go package that embeds the pack; "" if it is unknown
	Name           string
	Ref            string        // the reference, or that of FileRef
	ManifestDigest ociref.Digest // "" if the pack is a file
	LayerDigest    ociref.Digest
	Size           int64
	MediaType      string // "" if the pack is a file
	Sample
}

// A Sample tells the bytes of a pack apart from most others without the rest of them.
type Sample struct {
	Head string        // the first HeadSize bytes of the pack, or all if it has fewer
	Part ociref.Digest // the digest of the first PartSize bytes of the pack, or of all
}

const (
	HeadSize = 16       // bytes
	PartSize = 64 << 10 // bytes
	// MaxSize bounds a marker, in bytes. Readers ignore longer ones.
	MaxSize = 128 << 10
)

// A marker begins with STX, the word and the version, and ends with ETX. Neither byte occurs
// in text, so a program that embeds documentation with an example has no marker. The first
// byte and the word are no single constant: packvendor's own program has no start of a marker.
const (
	stx     = 0x02
	etx     = 0x03
	word    = "greentic-pack"
	version = "v1"
)

// Start returns the first bytes of every marker, of any version.
func Start() []byte { return append([]byte{stx}, word+" "...) }

// filePrefix begins the Ref of a pack that is a file.
const filePrefix = "file:"

// FileRef returns the Ref of the pack that is the file with that path.
func FileRef(path string) string { return filePrefix + path }

// File returns the path of the file that is the pack; false if the pack is from a registry,
// which may be called file, too.
func (m Marker) File() (path string, ok bool) {
	path, ok = strings.CutPrefix(m.Ref, filePrefix)
	if !ok || m.ManifestDigest != "" {
		return "", false
	}
	return path, true
}

// Format returns the marker as it stands in a program.
func Format(m Marker) string {
	values := [len(fields)]string{
		m.Package, m.Name, m.Ref, string(m.ManifestDigest), string(m.LayerDigest), strconv.FormatInt(m.Size, 10),
		m.MediaType, hex.EncodeToString([]byte(m.Head)), m.Part.Hex(),
	}
	b := make([]byte, 0, 1024) // enough for most
	b = append(append(b, Start()...), version...)
	for i, value := range values {
		b = append(append(append(b, ' '), fields[i]...), '=')
		b = appendEscaped(b, value)
	}
	return string(append(b, etx))
}

// fields are the keys of a marker of this version, in their order.
var fields = [...]string{"in", "name", "ref", "manifest", "layer", "size", "media", "head", "part"}

// none stands for an empty value.
const none = "-"

// appendEscaped appends a value in printable ASCII without spaces.
func appendEscaped(b []byte, value string) []byte {
	switch value {
	case "":
		return append(b, none...)
	case none:
		return append(b, "%2D"...)
	}
	for _, c := range []byte(value) {
		if c <= ' ' || c > '~' || c == '%' {
			b = append(b, '%', upperHex[c>>4], upperHex[c&0xf])
		} else {
			b = append(b, c)
		}
	}
	return b
}

const upperHex = "0123456789ABCDEF"

// SampleOf returns the sample of a pack from its first PartSize bytes, or all of them.
func SampleOf(first []byte) Sample {
	return Sample{Head: HeadOf(first), Part: ociref.DigestOf(first[:min(PartSize, len(first))])}
}

// HeadOf returns the head of a pack from its first HeadSize bytes, or all of them.
func HeadOf(first []byte) string { return string(first[:min(HeadSize, len(first))]) }
