package packsfile

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/greenticai/packvendor/internal/nearest"
	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/printable"
)

// A checker turns a document into a File and collects everything that is
// wrong with it.
type checker struct {
	filename string
	found    []problem
}

// A problem is an Error that still knows its place in the file: several may
// stand on one line.
type problem struct {
	offset int
	err    *Error
}

// report adds a problem with n. key is what the message is about.
func (c *checker) report(n *node, key, format string, args ...any) *Error {
	e := &Error{File: c.filename, Line: n.line, Key: key, Msg: fmt.Sprintf(format, args...)}
	c.found = append(c.found, problem{n.offset, e})
	return e
}

// errors returns what was found, in the order of the file.
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
	c.knownKeys(root, "", "allow_tags", "insecure_registries", "accept_media_types", "embed", "packs")
	f := &File{
		AllowTags:          c.boolean(root.child("allow_tags"), "allow_tags", ""),
		InsecureRegistries: c.hosts(root.child("insecure_registries")),
		AcceptMediaTypes:   c.mediaTypes(root.child("accept_media_types")),
		Embed:              c.embed(root.child("embed")),
	}
	f.Packs = c.packs(root.child("packs"), f.AllowTags)
	return f
}

// knownKeys reports the children of n that are none of known.
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

// table reports whether n is there and a table.
func (c *checker) table(n *node, key string) bool {
	if n == nil {
		return false
	}
	if !n.isTable() {
		c.report(n, key, "must be a table")
	}
	return n.isTable()
}

// boolean returns the value of n, false if it is not there. subject is put
// before "must be …" where key does not name n itself.
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

// text returns the value of n, and whether it is there and a string.
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
