package packsfile

import (
	"bytes"
	"errors"
	"slices"

	"github.com/greenticai/packvendor/internal/tomltext"
)

const byteOrderMark = "\ufeff"

// A document is a TOML text with the places of its keys.
type document struct {
	data       []byte
	root       *node
	statements []statement
	conflict   int // 1-based line of the first key that is defined a second time, or 0
}

// A span is a range of bytes in the file.
type span struct{ start, end int }

// A statement is a header, or a key with its value: on lines of its own, or as an
// element of an inline table.
type statement struct {
	whole    span // from the start of its first line through its last line end; for an element, key through value
	key      span
	last     int // where the last part of the key starts
	value    span
	comma    int // for an element: the place of the comma after it, 0 if there is none
	isHeader bool
	table    *node // the table that the header opens, or that the key is put into
	first    *node // the first part of the key, in table
	node     *node // the table that the header opens, or the last part of the key
}

// A form is a way to write a node.
type form int

const (
	implied    form = iota // an earlier part of a header or a dotted key
	header                 // [name]
	tableArray             // [[name]]
	inline                 // name = { … }
	leaf                   // name = any other value
)

// A node is a key of the document. Its children stand in the order of their first
// mention; a tableArray keeps only its last element.
type node struct {
	key      string
	line     int // 1-based, of its first mention
	offset   int // of its first mention
	form     form
	value    span // of an inline table or a leaf
	decoded  any  // the TOML library's value
	parent   *node
	children []*node
	byKey    map[string]*node
	elements []statement // of an inline table
}

// child returns the child called key, or nil.
func (n *node) child(key string) *node {
	if n == nil {
		return nil
	}
	return n.byKey[key]
}

// isTable reports whether n exists and is a table.
func (n *node) isTable() bool {
	if n == nil {
		return false
	}
	_, ok := n.decoded.(map[string]any)
	return ok
}

// isAnyTable reports whether n is a table, or an array of tables.
func (n *node) isAnyTable() bool { return n.form != leaf }

// isIn reports whether n is one of nodes, or inside one.
func (n *node) isIn(nodes []*node) bool {
	for ; n != nil; n = n.parent {
		if slices.Contains(nodes, n) {
			return true
		}
	}
	return false
}

// within returns the statements that may concern the content of n, and the inline table
// whose elements they are; nil if they have lines of their own.
func (d *document) within(n *node) ([]statement, *node) {
	for ; n != nil; n = n.parent {
		if n.form == inline {
			return n.elements, n
		}
	}
	return d.statements, nil
}

// parseDocument scans data and decodes it with the TOML library. Its errors are
// *SyntaxError. The scanner runs first: its bounds keep hostile nesting from the
// library.
func parseDocument(filename string, data []byte) (*document, error) {
	s := newScanner(data)
	err := s.scan()
	if err == nil {
		err = s.doc.decode()
	}
	var broken *tomltext.Error
	if errors.As(err, &broken) {
		err = &SyntaxError{Line: broken.Line, Msg: broken.Msg}
	}
	var syntax *SyntaxError
	if errors.As(err, &syntax) {
		if line := conflictLine(data); line > 0 {
			syntax = &SyntaxError{Line: line, Msg: "unresolved merge conflict: edit the file, then run packvendor"}
		}
		syntax.File = filename
		return nil, syntax
	}
	return s.doc, nil
}

// conflictLine returns the line of the first marker with which git begins or ends a
// conflict, 0 if there is none. A marker may be part of a string, so only a text that
// is not TOML is judged by it.
func conflictLine(data []byte) int {
	n := 0
	for line := range bytes.Lines(data[:min(len(data), MaxSize)]) {
		n++
		for _, marker := range []string{"<<<<<<<", ">>>>>>>"} {
			rest, ok := bytes.CutPrefix(bytes.TrimRight(line, "\r\n"), []byte(marker))
			if ok && (len(rest) == 0 || rest[0] == ' ') {
				return n
			}
		}
	}
	return 0
}

// decode fills in the decoded values. It refuses keys that are defined twice, which the
// library allows in some inline tables. It also refuses the text if scanner and library
// disagree about its keys: an uncertain place must never be edited.
func (d *document) decode() error {
	tree, err := tomltext.Decode(d.data)
	if err != nil {
		return err
	}
	if d.conflict != 0 {
		return &SyntaxError{Line: d.conflict, Msg: "a key or table is defined a second time"}
	}
	if line := d.root.adopt(tree); line != 0 {
		return &SyntaxError{Line: line, Msg: "valid TOML, but written in a form that is not understood here"}
	}
	return nil
}

// adopt gives the decoded values to n and its children. It returns 0, or the line of
// the first key without a counterpart.
func (n *node) adopt(value any) int {
	n.decoded = value
	table, isTable := value.(map[string]any)
	_, isArray := value.([]map[string]any)
	if isTable != (n.form != leaf && n.form != tableArray) || isArray != (n.form == tableArray) {
		return max(n.line, 1)
	}
	if !isTable {
		return 0
	}
	if len(table) != len(n.children) {
		return max(n.line, 1)
	}
	for _, child := range n.children {
		value, ok := table[child.key]
		if !ok {
			return child.line
		}
		if line := child.adopt(value); line != 0 {
			return line
		}
	}
	return 0
}
