package lockfile

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/greenticai/packvendor/internal/nearest"
)

// MaxSize bounds a packs.lock, in bytes: room for some tens of thousands of packs.
const MaxSize = 16 << 20

// Parse reads a packs.lock; only messages use filename. Blocks may stand in any order;
// Parse sorts the entries. The error is an Errors with every fault of the file; a merge
// conflict or an unknown version stands alone.
//
// The syntax is a small part of TOML: comments, [[pack]], and one `key = "string"` or
// `key = number` a line. Parse uses no TOML library because it must accept nothing more
// than Format writes.
func Parse(filename string, data []byte) (*Lock, error) {
	p := &parser{file: filename}
	if len(data) > MaxSize {
		p.errorf(1, "", "the file is larger than %d bytes", MaxSize)
		return nil, p.errs
	}
	lines := strings.Split(string(data), "\n")
	for i := range lines {
		lines[i] = strings.TrimSuffix(lines[i], "\r")
	}
	if i := slices.IndexFunc(lines, isConflict); i >= 0 {
		p.conflict(i+1, slices.ContainsFunc(lines, isDriverLine))
		return nil, p.errs
	}
	for i, s := range lines {
		p.line(i+1, s)
		if len(p.errs) > maxErrors {
			return nil, p.errs.byLine()
		}
	}
	return p.lock()
}

// A parser collects blocks and faults; it goes on after every fault.
type parser struct {
	file    string
	errs    Errors
	foreign *Error // unknown version: nothing else means anything
	version int    // line of the version, 0 if there was none yet
	blocks  []*block
	block   *block // the one being read, nil before the first
}

// A block is one [[pack]], or an unknown table, whose keys are skipped.
type block struct {
	pack    Entry
	line    int
	seen    map[string]int // key → its line
	unknown bool
}

func (p *parser) errorf(line int, key, format string, args ...any) *Error {
	e := &Error{File: p.file, Line: line, Key: key, Msg: fmt.Sprintf(format, args...)}
	p.errs = append(p.errs, e)
	return e
}

// conflict reports a marker of an unresolved merge; merged tells that packvendor was the driver.
func (p *parser) conflict(line int, merged bool) {
	what := "either side will do, since the next run locks what it lacks"
	if merged {
		what = "keep one side of it, then run packvendor"
	}
	e := p.errorf(line, "", "unresolved merge conflict: %s", what)
	e.Conflict, e.Merged = true, merged
}

// newerf is errorf for a line that a newer packvendor may have written.
func (p *parser) newerf(line int, key, format string, args ...any) *Error {
	e := p.errorf(line, key, format, args...)
	e.Newer = true
	return e
}

func (p *parser) line(n int, s string) {
	if c := badByte(s); c >= 0 {
		p.badLine(n, s, c)
		return
	}
	s = strings.Trim(s, " \t")
	if isBlank(s) {
		return
	}
	if s[0] == '[' {
		p.table(n, s)
		return
	}
	l, err := parseLine(s)
	if err != nil {
		p.see(n, l.key)
		p.errorf(n, l.key, "%s", err)
		return
	}
	p.pair(n, l)
}

func (p *parser) badLine(n int, s string, c int) {
	l, _ := parseLine(s)
	p.see(n, l.key)
	p.errorf(n, l.key, "byte 0x%02x is not printable ASCII", c)
}

func (p *parser) table(n int, s string) {
	name, isArray := headerName(s)
	p.block = &block{line: n, seen: map[string]int{}, unknown: !isArray || name != packTable}
	switch {
	case !p.block.unknown:
		p.blocks = append(p.blocks, p.block)
	case name == "" || nearest.Of(name, []string{packTable}) != "":
		p.errorf(n, "", "unknown table, want [[pack]]")
	default:
		p.newerf(n, "", "unknown table, want [[pack]]: a newer packvendor may have written it")
	}
}

// see records a key that exists but cannot be read.
func (p *parser) see(n int, key string) {
	switch {
	case key == "":
	case p.block != nil:
		p.block.seen[key] = n
	case key == "version":
		p.version = n
	}
}

func (p *parser) pair(n int, l line) {
	switch {
	case p.block == nil:
		p.top(n, l)
	case !p.block.unknown:
		p.entry(n, l)
	}
}

// top handles a key before the first [[pack]].
func (p *parser) top(n int, l line) {
	if l.key != "version" {
		p.unknownKey(n, l.key, []string{"version"})
		return
	}
	if p.version != 0 {
		p.errorf(n, l.key, "version is also on line %d", p.version)
		return
	}
	p.version = n
	v, err := parseNumber(l.value)
	switch {
	case !l.number:
		p.errorf(n, l.key, "version: want a number without quotes")
	case err != nil:
		p.errorf(n, l.key, "version: want a whole number")
	case v > Version:
		p.foreign = p.newerf(n, l.key, "version %d is newer than this packvendor understands (%d)", v, Version)
	case v < Version:
		p.foreign = p.errorf(n, l.key, "version %d is older than this packvendor understands (%d)", v, Version)
	}
}

// entry handles a key of a [[pack]].
func (p *parser) entry(n int, l line) {
	i := slices.IndexFunc(fields, func(f field) bool { return f.key == l.key })
	if i < 0 {
		p.unknownKey(n, l.key, keys())
		return
	}
	first, again := p.block.seen[l.key]
	if again {
		p.errorf(n, l.key, "%s is also on line %d", l.key, first)
		return
	}
	p.block.seen[l.key] = n
	f := fields[i]
	switch {
	case f.number && !l.number:
		p.errorf(n, l.key, "%s: want a number without quotes", l.key)
	case !f.number && l.number:
		p.errorf(n, l.key, "%s: want a string in double quotes", l.key)
	default:
		p.set(n, f, l.value)
	}
}

func (p *parser) set(n int, f field, value string) {
	err := checkText(value)
	if err == nil {
		err = f.set(&p.block.pack, value)
	}
	if err != nil {
		p.errorf(n, f.key, "%s: %s", f.key, err)
	}
}

func (p *parser) unknownKey(n int, key string, known []string) {
	if near := nearest.Of(key, known); near != "" {
		p.newerf(n, key, "unknown key %+q: did you mean %+q, or has a newer packvendor written it?", key, near)
		return
	}
	p.newerf(n, key, "unknown key %+q: a newer packvendor may have written it", key)
}

// lock ends the parse: it checks the file as a whole and returns the result.
func (p *parser) lock() (*Lock, error) {
	if p.foreign != nil {
		return nil, Errors{p.foreign}
	}
	if p.version == 0 {
		p.errorf(1, "version", "the file has no version = %d before the first [[pack]]", Version)
	}
	l := &Lock{lines: map[string]int{}}
	names := map[string]int{}
	for _, b := range p.blocks {
		p.complete(b)
		p.paired(b)
		p.unique(b, names)
		l.Entries = append(l.Entries, b.pack)
		l.lines[b.pack.Name] = b.line
	}
	if len(p.errs) > 0 {
		return nil, p.errs.byLine()
	}
	l.Entries = sorted(l.Entries)
	return l, nil
}

func (p *parser) complete(b *block) {
	has := func(key string) bool { return b.seen[key] != 0 }
	for _, f := range fields {
		if reason := f.excluded(has); reason != "" {
			p.errorf(b.seen[f.key], f.key, "%s", reason)
		}
		if !f.missing(has) {
			continue
		}
		if b.pack.Name == "" {
			p.errorf(b.line, f.key, "this [[pack]] has no %s", f.key)
		} else {
			p.errorf(b.line, f.key, "pack %s has no %s", b.pack.Name, f.key)
		}
	}
}

// paired reports a field that the pack has without the other one that belongs to it.
func (p *parser) paired(b *block) {
	if key, other := unpaired(b.seen["signer"] != 0, b.seen["evidence"] != 0); key != "" {
		p.errorf(b.seen[key], key, "%s stands without %s", key, other)
	}
}

func (p *parser) unique(b *block, names map[string]int) {
	name, n := b.pack.Name, b.seen["name"]
	if name == "" {
		return
	}
	if first, ok := names[name]; ok {
		p.errorf(n, "name", "pack %s is also on line %d", name, first)
		return
	}
	names[name] = n
}

// A line is one `key = value` of the file, its value still unchecked.
type line struct {
	key    string
	value  string
	number bool // the value has no quotes
}

// maxKey bounds a key, in characters.
const maxKey = 64

func isKey(s string) bool {
	const characters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-"
	return s != "" && len(s) <= maxKey && strings.TrimLeft(s, characters) == ""
}

// parseLine splits s. It returns a readable key with the error too: that key is then
// wrong, not missing.
func parseLine(s string) (line, error) {
	key, rest, ok := strings.Cut(s, "=")
	key = strings.Trim(key, " \t")
	if !ok || !isKey(key) {
		return line{}, errors.New("cannot read this line: want key = value, [[pack]] or a comment")
	}
	l := line{key: key}
	rest = strings.Trim(rest, " \t")
	var err error
	if quoted, ok := strings.CutPrefix(rest, `"`); ok {
		l.value, err = parseString(quoted)
	} else {
		l.value, err = parseBare(rest)
		l.number = true
	}
	if err != nil {
		return l, fmt.Errorf("%s: %w", key, err)
	}
	return l, nil
}

// parseString reads the text after the opening quote. A pack's values need none of
// TOML's escapes, so it accepts none: the bytes of the file are the value.
func parseString(s string) (string, error) {
	end := strings.IndexAny(s, "\"\\\t")
	switch {
	case end < 0:
		return "", errors.New("the string has no closing quote")
	case s[end] != '"':
		return "", fmt.Errorf("character %+q is not accepted in a string", s[end:end+1])
	case !isBlank(s[end+1:]):
		return "", errors.New("unexpected text after the string")
	}
	return s[:end], nil
}

// parseBare reads a value without quotes: a number, or an error that its key explains.
func parseBare(s string) (string, error) {
	s, _, _ = strings.Cut(s, "#")
	s = strings.Trim(s, " \t")
	if s == "" {
		return "", errors.New("no value after =")
	}
	return s, nil
}

// packTable is the name of the tables in a packs.lock.
const packTable = "pack"

// headerName returns the name in s, a header [name] or [[name]]; isArray reports the
// latter. The name is "" if s is neither.
func headerName(s string) (name string, isArray bool) {
	s, _, _ = strings.Cut(s, "#")
	s = strings.TrimRight(s, " \t")
	open, end := "[", "]"
	if isArray = strings.HasPrefix(s, "[["); isArray {
		open, end = "[[", "]]"
	}
	s, opened := strings.CutPrefix(s, open)
	s, closed := strings.CutSuffix(s, end)
	if !opened || !closed || strings.ContainsAny(s, "[]") {
		return "", isArray
	}
	return strings.Trim(s, " \t"), isArray
}

// isBlank reports whether s is white space, a comment, or nothing.
func isBlank(s string) bool {
	s = strings.TrimLeft(s, " \t")
	return s == "" || s[0] == '#'
}

// badByte returns the first byte of s that is neither printable ASCII nor a tab, or -1.
func badByte(s string) int {
	for _, c := range []byte(s) {
		if c != '\t' && (c < ' ' || c > '~') {
			return int(c)
		}
	}
	return -1
}

// isConflict reports whether s is one of git's conflict markers, the diff3 style
// included.
func isConflict(s string) bool { return markerOf(s) != "" }

// isDriverLine reports whether s is a marker that Merged.Format writes.
func isDriverLine(s string) bool { return s == oursLine || s == theirsLine }

// markerOf returns the conflict marker with which a line begins; "" if it is none.
func markerOf(s string) string {
	for _, marker := range []string{oursMarker, baseMarker, middleMarker, theirsMarker} {
		if rest, ok := strings.CutPrefix(s, marker); ok && (rest == "" || rest[0] == ' ') {
			return marker
		}
	}
	return ""
}
