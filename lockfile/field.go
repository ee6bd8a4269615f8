package lockfile

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/greenticai/packvendor/internal/names"
	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/printable"
	"github.com/greenticai/packvendor/internal/trust"
	"github.com/greenticai/packvendor/internal/versions"
)

// A field is one key of a [[pack]] block. Only the table of fields knows the keys,
// their order and their valid values.
type field struct {
	key      string
	optional bool
	pulled   bool // not of a pack that is a file
	needed   bool // of every pack that is no file, although it is optional
	number   bool
	get      func(*Entry) string        // "" if the key is absent
	set      func(*Entry, string) error // checks; leaves the pack alone on error
}

var fields = []field{
	text("name", func(p *Entry) *string { return &p.Name }, checkName),
	unlessFile(text("ref", func(p *Entry) *string { return &p.Ref }, checkRef)),
	optional(text("version", func(p *Entry) *string { return &p.Version }, checkVersion)),
	optional(text("layer", func(p *Entry) *string { return &p.Layer }, checkLayer)),
	optional(text("path", func(p *Entry) *string { return &p.Path }, checkPath)),
	pulled(optional(text("tag", func(p *Entry) *string { return &p.Tag }, checkTag))),
	pulled(optional(digest("index_digest", func(p *Entry) *ociref.Digest { return &p.IndexDigest }))),
	pulled(unlessFile(digest("manifest_digest", func(p *Entry) *ociref.Digest { return &p.ManifestDigest }))),
	digest("layer_digest", func(p *Entry) *ociref.Digest { return &p.LayerDigest }),
	size("size", func(p *Entry) *int64 { return &p.Size }),
	pulled(unlessFile(text("media_type", func(p *Entry) *string { return &p.MediaType }, checkMediaType))),
	pulled(optional(text("signer", func(p *Entry) *string { return &p.Signer }, checkSigner))),
	pulled(optional(digest("evidence", func(p *Entry) *ociref.Digest { return &p.Evidence }))),
}

func text(key string, at func(*Entry) *string, check func(string) error) field {
	return field{
		key: key,
		get: func(p *Entry) string { return *at(p) },
		set: func(p *Entry, s string) error {
			if err := check(s); err != nil {
				return err
			}
			*at(p) = s
			return nil
		},
	}
}

func digest(key string, at func(*Entry) *ociref.Digest) field {
	return field{
		key: key,
		get: func(p *Entry) string { return string(*at(p)) },
		set: func(p *Entry, s string) error {
			d, err := ociref.ParseDigest(s)
			if err != nil {
				return err
			}
			*at(p) = d
			return nil
		},
	}
}

func size(key string, at func(*Entry) *int64) field {
	return field{
		key:    key,
		number: true,
		get:    func(p *Entry) string { return strconv.FormatInt(*at(p), 10) },
		set: func(p *Entry, s string) error {
			n, err := parseNumber(s)
			if err != nil {
				return err
			}
			*at(p) = n
			return nil
		},
	}
}

func optional(f field) field {
	f.optional = true
	return f
}

// unlessFile makes a field optional of a pack that is a file.
func unlessFile(f field) field {
	f.optional, f.needed = true, true
	return f
}

func pulled(f field) field {
	f.pulled = true
	return f
}

// missing tells whether a pack must have the field and does not. has tells which it has.
func (f field) missing(has func(key string) bool) bool {
	return !has(f.key) && (!f.optional || f.needed && !has("path"))
}

// excluded returns why a pack may not have the field beside its others; "" if it may.
func (f field) excluded(has func(key string) bool) string {
	switch {
	case !has(f.key):
		return ""
	case f.pulled && has("path"):
		return f.key + " stands beside path: a file has none"
	case (f.key == "version" || f.key == "layer") && !has("ref"):
		return f.key + " stands without ref"
	}
	return ""
}

// keys returns the keys of a [[pack]] block in the order of the file.
func keys() []string {
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = f.key
	}
	return names
}

// Validate reports the first value that Parse would not accept, so that nobody writes a
// file that cannot be read back.
func (p Entry) Validate() error {
	has := p.has()
	for _, f := range fields {
		value := f.get(&p)
		if value == "" && !f.missing(has) {
			continue
		}
		if err := checkValue(f, value); err != nil {
			return fmt.Errorf("packs.lock: %s: %s: %w", printable.Word(p.Name, maxText), f.key, err)
		}
		if reason := f.excluded(has); reason != "" {
			return fmt.Errorf("packs.lock: %s: %s", printable.Word(p.Name, maxText), reason)
		}
	}
	if key, other := unpaired(p.Signer != "", p.Evidence != ""); key != "" {
		return fmt.Errorf("packs.lock: %s: %s stands without %s", printable.Word(p.Name, maxText), key, other)
	}
	return nil
}

// has returns a function that tells which fields the entry has.
func (p Entry) has() func(key string) bool {
	present := map[string]bool{}
	for _, f := range fields {
		present[f.key] = f.get(&p) != ""
	}
	return func(key string) bool { return present[key] }
}

func checkValue(f field, value string) error {
	if err := checkText(value); err != nil {
		return err
	}
	return f.set(new(Entry), value)
}

// maxText bounds one value, and so one message about it.
const maxText = 4096

// checkText accepts a value that the file can hold without escapes.
func checkText(s string) error {
	if s == "" {
		return errors.New("the value is empty")
	}
	if len(s) > maxText {
		return fmt.Errorf("the value is longer than %d characters", maxText)
	}
	for _, c := range []byte(s) {
		if c < ' ' || c > '~' || c == '"' {
			return fmt.Errorf("character %+q is not accepted", []byte{c})
		}
	}
	return nil
}

func checkName(s string) error {
	if err := names.CheckPack(s); err != nil {
		return fmt.Errorf("%+q %w", s, err)
	}
	return nil
}

func checkRef(s string) error {
	_, err := ociref.Parse(s)
	return err
}

func checkVersion(s string) error {
	if _, err := versions.ParseRange(s); err != nil {
		return fmt.Errorf("version %w", err)
	}
	return nil
}

func checkLayer(s string) error {
	if strings.HasPrefix(s, "sha256:") {
		_, err := ociref.ParseDigest(s)
		return err
	}
	return checkMediaType(s)
}

func checkPath(s string) error {
	if err := names.CheckLocalFile(s); err != nil {
		return fmt.Errorf("%+q %w", s, err)
	}
	return nil
}

func checkTag(s string) error {
	if err := ociref.CheckTag(s); err != nil {
		return fmt.Errorf("%+q %w", s, err)
	}
	return nil
}

func checkMediaType(s string) error {
	if !ociref.IsMediaType(s) {
		return fmt.Errorf("%+q is not a media type: type/subtype of letters, digits and !#$&-^_.+", s)
	}
	return nil
}

func checkSigner(s string) error {
	if err := trust.CheckID(s); err != nil {
		return fmt.Errorf("%+q %w", s, err)
	}
	return nil
}

// unpaired returns which of two fields the pack has without the other one, which it then has
// to have as well; "" if none.
func unpaired(hasSigner, hasEvidence bool) (key, other string) {
	switch {
	case hasSigner && !hasEvidence:
		return "signer", "evidence"
	case hasEvidence && !hasSigner:
		return "evidence", "signer"
	}
	return "", ""
}

// parseNumber reads a whole number as packvendor writes it, in none of TOML's other
// spellings.
func parseNumber(s string) (int64, error) {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n < 0 || strconv.FormatInt(n, 10) != s {
		return 0, fmt.Errorf("%s is not a whole number of bytes", printable.Word(s, maxText))
	}
	return n, nil
}

const header = "# Code generated by packvendor. DO NOT EDIT."

// Format returns the canonical text of l, sorted by name. It is the identity on
// canonical files: Format(Parse(x)) == x. For invalid packs the text is one that Parse
// refuses, never one with another meaning.
func Format(l *Lock) []byte {
	var b bytes.Buffer
	writeHead(&b)
	for _, p := range sorted(l.Entries) {
		b.WriteByte('\n')
		writeBlock(&b, p)
	}
	return b.Bytes()
}

func writeHead(b *bytes.Buffer) { fmt.Fprintf(b, "%s\nversion = %d\n", header, Version) }

func writeBlock(b *bytes.Buffer, p Entry) {
	b.WriteString("[[pack]]\n")
	for _, f := range fields {
		writeField(b, f, f.get(&p))
	}
}

func writeField(b *bytes.Buffer, f field, value string) {
	switch {
	case value == "" && f.optional:
	case f.number:
		fmt.Fprintf(b, "%s = %s\n", f.key, value)
	default:
		// No valid value needs escapes, and Parse refuses them: quoting keeps an
		// invalid value from starting a line of its own.
		fmt.Fprintf(b, "%s = %s\n", f.key, strconv.QuoteToASCII(value))
	}
}
