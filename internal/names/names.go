// Package names owns the rules for the names of packs, of their files and of the Go
// package that embeds them.
package names

import (
	"errors"
	"fmt"
	"go/token"
	"path"
	"slices"
	"strings"
)

// Taken are the exported names in the generated Go file besides the packs' accessors.
var Taken = []string{"Lookup", "Pack", "Packs"}

// Sets of characters. A regular expression would cost more to compile than all names to check.
const (
	lower  = "abcdefghijklmnopqrstuvwxyz"
	upper  = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	digits = "0123456789"
)

// hasOnly reports whether s has no characters but these of ASCII.
func hasOnly(s, characters string) bool { return strings.TrimLeft(s, characters) == "" }

// maxPack bounds the name of a pack, in characters.
const maxPack = 64

// CheckPack reports why s cannot be a pack's name; the error reads on from the name. A
// pack's name is also its file's, on every system.
func CheckPack(s string) error {
	switch {
	case s == "" || len(s) > maxPack || !hasOnly(s[:1], lower) || !hasOnly(s, lower+digits+"_-"):
		return errors.New("must start with a-z and hold only a-z, 0-9, '_' and '-', 64 characters at most")
	case isReserved(s):
		return errors.New("is reserved on Windows")
	}
	return nil
}

// CheckPackage reports why s cannot be the name of the Go package; the error reads on
// from the name. go/build skips the files of a package called documentation:
// https://pkg.go.dev/go/build#Context.Import.
func CheckPackage(s string) error {
	switch {
	case !isIdentifier(s) || s == "_":
		return errors.New("is not an ASCII Go identifier")
	case strings.HasSuffix(s, "_test"):
		return errors.New("is the name of a test package")
	case s == "documentation":
		return errors.New("is a package name whose files the go command ignores")
	}
	return nil
}

// isIdentifier is token.IsIdentifier for ASCII: the generated file has no look-alike
// characters.
func isIdentifier(s string) bool {
	return token.IsIdentifier(s) && !strings.ContainsFunc(s, func(r rune) bool { return r > '~' })
}

// IsExported reports whether s is an exported ASCII identifier.
func IsExported(s string) bool { return isIdentifier(s) && token.IsExported(s) }

// CheckData reports why s cannot be the folder of the packs: a slash-separated path
// below the package's directory that is the same on every system, that go:embed
// accepts, and that stays in a module's archive
// (https://go.dev/ref/mod#zip-path-size-constraints). The error reads on from the path.
func CheckData(s string) error {
	for element := range strings.SplitSeq(s, "/") {
		if err := CheckElement(element); err != nil {
			return err
		}
		if strings.EqualFold(element, "vendor") || strings.EqualFold(element, "go.mod") {
			return fmt.Errorf("has an element that the go command treats apart: %s", element)
		}
	}
	return nil
}

// CheckElement reports why s cannot be one element of a path that packvendor writes;
// the error reads on from the path.
func CheckElement(s string) error {
	switch {
	case s == "" || !hasOnly(s, lower+upper+digits+"._-"):
		return errors.New("has characters besides A-Z, a-z, 0-9, '.', '_' and '-'")
	case s[0] == '.' || s[0] == '_': // the go command ignores such files
		return fmt.Errorf("has an element that starts with %q", s[0])
	case strings.HasSuffix(s, "."):
		return errors.New("has an element that ends with '.'")
	case isReserved(s):
		return errors.New("has an element that is reserved on Windows")
	}
	return nil
}

// maxLocalFile bounds the path of a pack's file, in characters.
const maxLocalFile = 1024

// CheckLocalFile reports why s cannot be the path of a pack's file, relative to packs.toml: a
// path that leads to one place, on every system, and that packs.toml and packs.lock hold
// without escapes. It may begin with "..". The error reads on from the path.
func CheckLocalFile(s string) error {
	switch {
	case s == "":
		return errors.New("is empty")
	case len(s) > maxLocalFile:
		return fmt.Errorf("has more than %d characters", maxLocalFile)
	case strings.Contains(s, `\`):
		return errors.New("has a backslash: separate with '/'")
	case path.IsAbs(s) || strings.Contains(s, ":"): // C:/file is absolute on Windows
		return errors.New("is not relative to packs.toml")
	case strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r > '~' || r == '"' || r == '\'' }):
		return errors.New("has a quotation mark, or a character that is not printable ASCII")
	case path.Clean(s) != s:
		return fmt.Errorf("has more than one spelling: write %s", path.Clean(s))
	}
	rest := s
	for strings.HasPrefix(rest, "../") {
		rest = rest[len("../"):]
	}
	if rest == "." || rest == ".." {
		return errors.New("is a folder")
	}
	for element := range strings.SplitSeq(rest, "/") {
		switch {
		case strings.HasSuffix(element, ".") || strings.HasSuffix(element, " "): // Windows drops it
			return errors.New("has an element that ends with '.' or a space")
		case isReserved(element):
			return errors.New("has an element that is reserved on Windows")
		}
	}
	return nil
}

// isReserved reports whether Windows takes a file of this name for a device, whatever
// its extension: https://learn.microsoft.com/windows/win32/fileio/naming-a-file.
func isReserved(name string) bool {
	stem, _, _ := strings.Cut(strings.ToLower(name), ".")
	if slices.Contains([]string{"con", "prn", "aux", "nul"}, stem) {
		return true
	}
	return len(stem) == 4 && (stem[:3] == "com" || stem[:3] == "lpt") && '0' <= stem[3] && stem[3] <= '9'
}

// Stub returns the name of the stub beside the generated file of that name.
func Stub(file string) string { return strings.TrimSuffix(file, ".go") + "_stub.go" }
