package packsfile

import (
	"cmp"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"unicode"

	"github.com/greenticai/packvendor/internal/names"
	"github.com/greenticai/packvendor/internal/nearest"
	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/printable"
)

// topKeys are the keys above the first table.
var topKeys = []string{"allow_tags", "insecure_registries", "accept_media_types"}

// A checker turns a document into a File and collects all problems.
type checker struct {
	filename string
	found    []problem
}

// A problem is an Error with its place in the file: several may stand on one line.
type problem struct {
	offset int
	err    *Error
}

// report adds a problem with n. key is the message's subject.
func (c *checker) report(n *node, key, format string, args ...any) *Error {
	e := &Error{File: c.filename, Line: n.line, Key: key, Msg: fmt.Sprintf(format, args...)}
	c.found = append(c.found, problem{n.offset, e})
	return e
}

// errors returns the problems in the order of the file.
func (c *checker) errors() Errors {
	slices.SortStableFunc(c.found, func(a, b problem) int { return cmp.Compare(a.offset, b.offset) })
	var errs Errors
	for _, p := range c.found {
		errs = append(errs, p.err)
	}
	return errs
}

// file checks the whole document.
func (c *checker) file(root *node) *File {
	c.knownKeys(root, "", slices.Concat(topKeys, []string{"embed", "limits", "trust", "packs"})...)
	f := &File{
		AllowTags:          c.boolean(root.child("allow_tags"), "allow_tags", ""),
		InsecureRegistries: c.hosts(root.child("insecure_registries")),
		AcceptMediaTypes:   c.mediaTypes(root.child("accept_media_types")),
		Embed:              c.embed(root.child("embed")),
		Limits:             c.limits(root.child("limits")),
		Trust:              c.trust(root.child("trust")),
	}
	f.Packs = c.packs(root.child("packs"), f.AllowTags)
	return f
}

// knownKeys reports the children of n that are not in known.
func (c *checker) knownKeys(n *node, key string, known ...string) {
	for _, child := range n.children {
		switch {
		case slices.Contains(known, child.key):
		case child.isAnyTable() && nearest.Of(child.key, known) == "":
			c.report(child, key, "unknown table %s: a newer packvendor may have written it", printable.Quote(child.key, maxQuoted)).Newer = true
		default:
			c.report(child, key, "%s", unknownKey(child.key, known))
		}
	}
}

// table reports whether n exists and is a table.
func (c *checker) table(n *node, key string) bool {
	if n == nil {
		return false
	}
	if !n.isTable() {
		c.report(n, key, "must be a table")
	}
	return n.isTable()
}

// boolean returns the value of n, false if n is nil. subject precedes "must be …" in
// the message, unless key names n itself.
func (c *checker) boolean(n *node, key, subject string) bool {
	if n == nil {
		return false
	}
	b, ok := n.decoded.(bool)
	if !ok {
		c.report(n, key, "%smust be true or false", subject)
	}
	return b
}

// text returns the value of n, and whether n exists and is a string.
func (c *checker) text(n *node, key, subject string) (string, bool) {
	if n == nil {
		return "", false
	}
	s, ok := n.decoded.(string)
	if !ok {
		c.report(n, key, "%smust be a string", subject)
	}
	return s, ok
}

// texts returns the strings in the array n.
func (c *checker) texts(n *node, key string) []string {
	if n == nil {
		return nil
	}
	array, ok := n.decoded.([]any)
	texts := make([]string, len(array))
	for i, element := range array {
		text, isText := element.(string)
		texts[i], ok = text, ok && isText
	}
	if !ok {
		c.report(n, key, "must be a list of strings")
		return nil
	}
	return texts
}

func (c *checker) hosts(n *node) []string {
	hosts := c.texts(n, "insecure_registries")
	for _, host := range hosts {
		if err := ociref.ParseHost(host); err != nil {
			c.report(n, "insecure_registries", "%s", printable.Line(err.Error(), maxMessage))
		}
	}
	return hosts
}

func (c *checker) mediaTypes(n *node) []string {
	types := c.texts(n, "accept_media_types")
	for _, t := range types {
		if !ociref.IsMediaType(t) {
			c.report(n, "accept_media_types", "%s is not a media type like %q", printable.Quote(t, maxQuoted), "application/zip")
		}
	}
	return types
}

// unknownKey says that key is not in known, and suggests a similar one.
func unknownKey(key string, known []string) string {
	best := nearest.Of(key, known)
	if best == "" {
		return "unknown key " + printable.Quote(key, maxQuoted)
	}
	return fmt.Sprintf("unknown key %s: did you mean %q?", printable.Quote(key, maxQuoted), best)
}

// defaultEmbed holds the defaults of the embed table.
var defaultEmbed = Embed{Dir: ".", File: "packs_gen.go", Data: "packs"}

// embed checks the embed table n, which may be missing, and fills in the defaults.
func (c *checker) embed(n *node) Embed {
	e := defaultEmbed
	if !c.table(n, "embed") {
		return e
	}
	e.Line = n.line
	c.knownKeys(n, "embed", "dir", "package", "file", "data", "stub")
	c.place(n.child("dir"), "embed.dir", checkDir, &e.Dir)
	c.place(n.child("package"), "embed.package", names.CheckPackage, &e.Package)
	c.place(n.child("file"), "embed.file", checkFile, &e.File)
	c.place(n.child("data"), "embed.data", checkData, &e.Data)
	e.Stub = c.boolean(n.child("stub"), "embed.stub", "")
	e.Dir = path.Clean(e.Dir)
	top, _, _ := strings.Cut(e.Data, "/")
	if strings.EqualFold(top, e.File) {
		c.report(n, "embed", "data and file are both %s", printable.Quote(e.File, maxQuoted))
	}
	if stub := names.Stub(e.File); e.Stub && strings.EqualFold(top, stub) {
		c.report(n, "embed", "data and the stub are both %s", printable.Quote(stub, maxQuoted))
	}
	return e
}

// place reads the string n into value, if n exists and passes check.
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
	case path.IsAbs(dir) || strings.Contains(dir, ":"): // C:/dir is absolute on Windows
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

func checkData(data string) error {
	if clean := path.Clean(data); data == "" || data != clean || clean == "." {
		return errors.New("is not a clean path to a folder below dir")
	}
	return names.CheckData(data)
}
