package lockfile

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// A line is one `key = value` of the file, its value still unchecked.
type line struct {
	key    string
	value  string
	number bool // the value has no quotes
}

var keyRule = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

// parseLine splits s. It returns a readable key with the error too: that key is then
// wrong, not missing.
func parseLine(s string) (line, error) {
	key, rest, ok := strings.Cut(s, "=")
	key = strings.Trim(key, " \t")
	if !ok || !keyRule.MatchString(key) {
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
func isConflict(s string) bool {
	for _, marker := range []string{"<<<<<<<", "=======", ">>>>>>>", "|||||||"} {
		if rest, ok := strings.CutPrefix(s, marker); ok && (rest == "" || rest[0] == ' ') {
			return true
		}
	}
	return false
}
