package embedgen

import (
	"bytes"
	"go/scanner"
	"go/token"
	"net/url"
	"slices"
	"strings"

	"github.com/greenticai/packvendor/internal/lazyregexp"
)

// A Linkname is a go:linkname directive: https://pkg.go.dev/cmd/compile#hdr-Linkname_Directive
type Linkname struct {
	Line   int
	Local  string // a name in the file's own package
	Symbol string // its name for the linker; "" if the directive has none
}

// Linknames returns the go:linkname directives of a Go file, even of one with other
// errors.
func Linknames(src []byte) []Linkname {
	if !bytes.Contains(src, linkname) {
		return nil
	}
	var found []Linkname
	file := token.NewFileSet().AddFile("", -1, len(src))
	var s scanner.Scanner
	s.Init(file, src, nil, scanner.ScanComments)
	for {
		pos, tok, text := s.Scan()
		if tok == token.EOF {
			return found
		}
		words := strings.Fields(text)
		if tok != token.COMMENT || len(words) < 2 || words[0] != "//go:linkname" {
			continue
		}
		words = append(words, "")
		found = append(found, Linkname{Line: file.PositionFor(pos, false).Line, Local: words[1], Symbol: unescaped(words[2])})
	}
}

// MayLink reports whether a Go file that begins with head may have a go:linkname
// directive. A directive requires an import of unsafe, which cgo adds to files that
// import C. If the imports end without one of these, there is none. In doubt MayLink
// returns true.
func MayLink(head []byte) bool {
	imports := head[:importsEnd(head)]
	if len(imports) == len(head) {
		return true
	}
	for _, sign := range maySigns {
		if bytes.Contains(imports, sign) {
			return true
		}
	}
	return false
}

// maySigns are texts in a file's beginning if it imports unsafe or C, or if its lines
// may mislead a quick look.
var maySigns = [][]byte{[]byte("unsafe"), []byte(`"C"`), []byte("`"), []byte("/*"), []byte(`\`)}

// importsEnd returns the start of the first line with a declaration other than an
// import, len(src) if there is none.
func importsEnd(src []byte) int {
	for at := 0; at < len(src); {
		for _, keyword := range declarations {
			if bytes.HasPrefix(src[at:], keyword) {
				return at
			}
		}
		next := bytes.IndexByte(src[at:], '\n')
		if next < 0 {
			break
		}
		at += next + 1
	}
	return len(src)
}

var declarations = [][]byte{[]byte("func "), []byte("type "), []byte("var "), []byte("const ")}

// linkname is part of every directive and rare elsewhere; its first byte is rare, too.
var linkname = []byte(":linkname")

// symbolRule finds symbols with a package in assembly: Go's assembler writes · and ∕
// for . and /, and GNU's needs quotes. https://go.dev/doc/asm#symbols
var symbolRule = lazyregexp.MustCompile(`[\pL\pN_∕·]*·[\pL\pN_∕·]+|"[^"\n]*\.[^"\n]+"`)

// Symbols returns the symbols that an assembly file names, in the linker's form: those
// of its own package begin with ".". Each occurs once.
func Symbols(src []byte) []Mention {
	var found []Mention
	seen := map[string]bool{}
	for _, at := range symbolRule().FindAllIndex(src, -1) {
		name := symbolName.Replace(string(src[at[0]:at[1]]))
		if !seen[name] {
			seen[name] = true
			found = append(found, Mention{Line: lineAt(src, at[0]), Name: unescaped(name)})
		}
	}
	return found
}

var symbolName = strings.NewReplacer("·", ".", "∕", "/", `"`, "")

// unescaped returns a symbol with its import path unescaped; the linker writes some
// characters as %xx.
func unescaped(symbol string) string {
	if plain, err := url.PathUnescape(symbol); err == nil {
		return plain
	}
	return symbol
}

// Owns reports whether the file generated from p declares a name of its package, or the
// type that the name is a method of.
func (p Package) Owns(name string) bool {
	name, _, _ = strings.Cut(name, ".")
	return slices.Contains(p.Declarations(), name)
}

// LocalName returns the name that a symbol has inside the package with that import
// path; false if it belongs to another package. Every program has a package main, and
// its symbols have no path: of them only those count that p owns.
func (p Package) LocalName(path, symbol string) (string, bool) {
	if p.Name == "main" {
		name, ok := strings.CutPrefix(symbol, "main.")
		return name, ok && p.Owns(name)
	}
	name, ok := strings.CutPrefix(symbol, path+".")
	return name, ok && path != ""
}
