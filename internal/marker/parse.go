package marker

import (
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/greenticai/packvendor/internal/names"
	"github.com/greenticai/packvendor/internal/ociref"
)

// A VersionError reports a marker of another version, which a newer packvendor wrote.
type VersionError struct{ Version string }

func (e *VersionError) Error() string {
	return fmt.Sprintf("the marker has the version %+q, and this packvendor knows %s", e.Version, version)
}

// Parse is the reverse of Format. It refuses what no release writes: another name than a pack
// may have, and text that is not printable. It ignores fields that follow those of this
// version. The error is *VersionError if the marker has another version.
func Parse(text string) (Marker, error) {
	body, ok := strings.CutPrefix(text, string(Start()))
	if ok {
		body, ok = strings.CutSuffix(body, string(rune(etx)))
	}
	if !ok || len(text) > MaxSize || !isLine(body) {
		return Marker{}, errors.New("this is no marker")
	}
	words := strings.Split(body, " ")
	if words[0] != version {
		return Marker{}, &VersionError{Version: words[0]}
	}
	words = words[1:]
	if len(words) < len(fields) {
		return Marker{}, fmt.Errorf("the marker has %d fields instead of %d", len(words), len(fields))
	}
	p := &parser{words: words}
	m := Marker{
		Package:        p.text(),
		Name:           p.name(),
		Ref:            p.required(),
		ManifestDigest: p.digest(p.value()),
		LayerDigest:    p.digest(p.required()),
		Size:           p.size(),
		MediaType:      p.text(),
		Sample:         Sample{Head: p.head(), Part: p.digest("sha256:" + p.required())},
	}
	if p.err != nil {
		return Marker{}, p.err
	}
	return m, nil
}

// isLine tells whether s is printable ASCII.
func isLine(s string) bool { return lineLength([]byte(s)) == len(s) }

// lineLength returns how many bytes of printable ASCII begin b.
func lineLength(b []byte) int {
	for i, c := range b {
		if c < ' ' || c > '~' {
			return i
		}
	}
	return len(b)
}

// A parser reads the fields in their order. After the first error its results mean nothing.
type parser struct {
	words []string
	next  int   // the field
	bytes int64 // the size of the pack
	err   error
}

// fail keeps the first error, with the field that was read last.
func (p *parser) fail(err error) {
	if p.err == nil {
		p.err = fmt.Errorf("the marker's field %q: %w", fields[p.next-1], err)
	}
}

// value returns the value of the next field, "" if it has none.
func (p *parser) value() string {
	word, key := p.words[p.next], fields[p.next]
	p.next++
	escaped, ok := strings.CutPrefix(word, key+"=")
	if !ok {
		p.fail(fmt.Errorf("found %+q", word))
		return ""
	}
	if escaped == none {
		return ""
	}
	value, err := url.PathUnescape(escaped)
	if err == nil && string(appendEscaped(nil, value)) != escaped {
		err = fmt.Errorf("%+q is not escaped as packvendor does it", escaped)
	}
	if err != nil {
		p.fail(err)
	}
	return value
}

// text returns the value of the next field, which has to be printable. This includes no
// control characters, and none that change the order of a line.
func (p *parser) text() string {
	value := p.value()
	if !utf8.ValidString(value) || strings.ContainsFunc(value, func(r rune) bool { return !unicode.IsPrint(r) }) {
		p.fail(fmt.Errorf("%+q is not printable", value))
	}
	return value
}

func (p *parser) name() string {
	name := p.required()
	if err := names.CheckPack(name); err != nil {
		p.fail(fmt.Errorf("%+q %w", name, err))
	}
	return name
}

func (p *parser) required() string {
	value := p.text()
	if value == "" {
		p.fail(errors.New("it has no value"))
	}
	return value
}

// digest parses a value; no value is no digest.
func (p *parser) digest(value string) ociref.Digest {
	if value == "" {
		return ""
	}
	digest, err := ociref.ParseDigest(value)
	if err != nil {
		p.fail(err)
	}
	return digest
}

func (p *parser) size() int64 {
	value := p.required()
	size, err := strconv.ParseInt(value, 10, 64)
	if err != nil || size < 0 || strconv.FormatInt(size, 10) != value {
		p.fail(fmt.Errorf("%+q is not a size in bytes", value))
	}
	p.bytes = size
	return size
}

func (p *parser) head() string {
	value := p.value()
	head, err := hex.DecodeString(value)
	if err != nil || strings.ToLower(value) != value {
		p.fail(fmt.Errorf("%+q is not lower-case hexadecimal", value))
	}
	if want := min(p.bytes, HeadSize); int64(len(head)) != want {
		p.fail(fmt.Errorf("it has %d bytes instead of %d", len(head), want))
	}
	return string(head)
}
