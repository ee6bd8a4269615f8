package packsfile

import (
	"errors"
	"go/build"
	"io"
	"path"
	"strings"
	"unicode"

	"github.com/greenticai/packvendor/internal/names"
	"github.com/greenticai/packvendor/internal/printable"
)

// defaultEmbed is what holds where the embed table says nothing.
var defaultEmbed = Embed{Dir: ".", File: "packs_gen.go", Data: "packs"}

// embed checks the embed table n, which may be missing, and fills in the
// defaults.
func (c *checker) embed(n *node) Embed {
	e := defaultEmbed
	if !c.table(n, "embed") {
		return e
	}
	e.Line = n.line
	c.knownKeys(n, "embed", "dir", "package", "file", "data")
	c.place(n.child("dir"), "embed.dir", checkDir, &e.Dir)
	c.place(n.child("package"), "embed.package", names.CheckPackage, &e.Package)
	c.place(n.child("file"), "embed.file", checkFile, &e.File)
	c.place(n.child("data"), "embed.data", checkData, &e.Data)
	e.Dir = path.Clean(e.Dir)
	if top, _, _ := strings.Cut(e.Data, "/"); strings.EqualFold(top, e.File) {
		c.report(n, "embed", "data and file are both %s", printable.Quote(e.File, maxQuoted))
	}
	return e
}

// place reads the string n, if it is there and check likes it, into value.
func (c *checker) place(n *node, key string, check func(string) error, value *string) {
	text, ok := c.text(n, key, "")
	if !ok {
		return
	}
	if err := check(text); err != nil {
		c.report(n, key, "%s %v", printable.Quote(text, maxQuoted), err)
		return
	}
	*value = text
}

func checkDir(dir string) error {
	switch {
	case dir == "":
		return errors.New("is empty: write \".\" for the directory of this file")
	case strings.Contains(dir, `\`):
		return errors.New("has a backslash: separate with '/'")
	case path.IsAbs(dir) || strings.Contains(dir, ":"): // C:/dir is absolute where it matters
		return errors.New("is not relative to this file")
	case strings.ContainsFunc(dir, func(r rune) bool { return !unicode.IsPrint(r) }):
		return errors.New("has a character that cannot be printed")
	}
	return nil
}

func checkFile(file string) error {
	if err := names.CheckElement(file); err != nil {
		return err
	}
	switch {
	case !strings.HasSuffix(file, ".go"):
		return errors.New("does not end in .go")
	case strings.HasSuffix(file, "_test.go"):
		return errors.New("is the name of a test file")
	case !isBuiltEverywhere(file):
		return errors.New("is built on some systems only")
	}
	return nil
}

// isBuiltEverywhere reports whether the go command builds a file of this name
// for a system that nothing can be named for: the list of names that count is
// the toolchain's own.
func isBuiltEverywhere(file string) bool {
	none := build.Context{GOOS: "none", GOARCH: "none", Compiler: "gc"}
	none.OpenFile = func(string) (io.ReadCloser, error) {
		return io.NopCloser(strings.NewReader("package p\n")), nil
	}
	match, err := none.MatchFile(".", file)
	return err == nil && match
}

func checkData(data string) error {
	if clean := path.Clean(data); data == "" || data != clean || clean == "." {
		return errors.New("is not a clean path to a folder below dir")
	}
	return names.CheckData(data)
}
