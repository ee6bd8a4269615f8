package packsfile

import (
	"bytes"
	"slices"
	"strings"
)

// addEntry finds the edit that adds an entry to the table at path, in the form that the table
// has. value is the entry's keys.
func (d *document) addEntry(path []string, name string, value any) []edit {
	entry := []assignment{{name, value}}
	usual := d.usual()
	n, rest := d.root, path
	for len(rest) > 0 && n.child(rest[0]) != nil {
		n, rest = n.child(rest[0]), rest[1:]
	}
	switch {
	case n.form == inline:
		for _, key := range slices.Backward(rest) {
			entry = []assignment{{key, tableKeys(entry)}}
		}
		return d.addElements(n, usual.assign("", entry))
	case len(rest) > 0:
		return d.appendBlock("["+strings.Join(path, ".")+"]", usual.assign("", entry))
	}
	if elements, table := d.within(n); table != nil { // by dotted keys
		dotted := last(elements, func(st statement) bool { return st.node.isIn([]*node{n}) })
		texts := d.styleOf(*dotted).assign(n.keyBelow(table), entry)
		return []edit{{span{dotted.value.end, dotted.value.end}, ", " + strings.Join(texts, ", ")}}
	}
	if body := last(d.statements, func(st statement) bool { return st.table == n }); body != nil {
		return d.addLines(body, d.styleOf(*body).assign("", entry))
	}
	isDotted := func(st statement) bool {
		return st.node.isIn([]*node{n}) && !st.table.isIn([]*node{n})
	}
	if dotted := last(d.statements, isDotted); dotted != nil {
		return d.addLines(dotted, d.styleOf(*dotted).assign(n.keyBelow(dotted.table), entry))
	}
	keys, ok := value.([]assignment)
	if !ok {
		keys = value.(tableKeys)
	}
	return d.appendBlock("["+strings.Join(path, ".")+"."+name+"]", usual.assign("", keys))
}

// keyBelow returns the key of n, relative to a table around it, and the dot after it. n and
// the tables between have names without quotation marks.
func (n *node) keyBelow(table *node) string {
	key := ""
	for ; n != table; n = n.parent {
		key = n.key + "." + key
	}
	return key
}

// addKeys finds the edit that adds keys to the pack's table n: after its ref, or after
// its last key if it has no ref.
func (d *document) addKeys(n *node, keys []assignment) ([]edit, error) {
	if len(keys) == 0 {
		return nil, nil
	}
	statements, table := d.within(n)
	isKey := func(st statement) bool { return !st.isHeader && st.node.parent == n }
	after := last(statements, func(st statement) bool { return isKey(st) && st.node.key == "ref" })
	if after == nil {
		after = last(statements, isKey)
	}
	if after == nil {
		after = last(statements, func(st statement) bool { return st.isHeader && st.node == n })
	}
	switch {
	case after == nil && table == n:
		return d.addElements(n, d.usual().assign("", keys)), nil
	case after == nil:
		return nil, errByHand
	}
	texts := d.styleOf(*after).assign(d.prefix(after), keys)
	if table != nil {
		return []edit{{span{after.value.end, after.value.end}, ", " + strings.Join(texts, ", ")}}, nil
	}
	return d.addLines(after, texts), nil
}

// prefix returns the text before the last part of a statement's key.
func (d *document) prefix(st *statement) string {
	if st.isHeader {
		return ""
	}
	return string(d.data[st.key.start:st.last])
}

// last returns the last statement that match accepts, or nil.
func last(statements []statement, match func(statement) bool) *statement {
	for i := len(statements) - 1; i >= 0; i-- {
		if match(statements[i]) {
			return &statements[i]
		}
	}
	return nil
}

// addLines adds lines after the statement, with its indentation and line end.
func (d *document) addLines(after *statement, texts []string) []edit {
	indent := string(d.data[after.whole.start:after.key.start])
	eol := d.lineEnd(after.whole)
	lines := indent + strings.Join(texts, eol+indent) + eol
	end := after.whole.end
	if d.data[end-1] != '\n' { // the file's last line lacks its end
		lines = eol + lines
	}
	return []edit{{span{end, end}, lines}}
}

// addElements adds to the inline table n, after its last value: a comma or a comment
// that follows stays in place.
func (d *document) addElements(n *node, texts []string) []edit {
	text := strings.Join(texts, ", ")
	if len(n.elements) > 0 {
		end := n.elements[len(n.elements)-1].value.end
		return []edit{{span{end, end}, ", " + text}}
	}
	start := n.value.start + len("{")
	text = " " + text
	if d.data[start] == '}' {
		text += " "
	}
	return []edit{{span{start, start}, text}}
}

// appendBlock adds a table at the end of the file, after a blank line.
func (d *document) appendBlock(header string, texts []string) []edit {
	eol := d.lineEnd(span{0, len(d.data)})
	text := header + eol + strings.Join(texts, eol) + eol
	rest := bytes.TrimPrefix(d.data, []byte(byteOrderMark))
	switch {
	case len(rest) == 0 || bytes.HasSuffix(rest, []byte(eol+eol)):
	case bytes.HasSuffix(rest, []byte("\n")):
		text = eol + text
	default:
		text = eol + eol + text
	}
	end := len(d.data)
	return []edit{{span{end, end}, text}}
}

// lineEnd returns the line end of the text at s, the file's if s has none, and LF if
// the file has none.
func (d *document) lineEnd(s span) string {
	for _, text := range [][]byte{d.data[s.start:s.end], d.data} {
		if i := bytes.IndexByte(text, '\n'); i >= 0 {
			if i > 0 && text[i-1] == '\r' {
				return "\r\n"
			}
			return "\n"
		}
	}
	return "\n"
}

// An assignment is a key to write, with its value: a string, true, a list of strings, the
// keys of a pack, or those of another table. A key with a nil value must not exist.
type assignment struct {
	key   string
	value any // of type string, bool, []any, []assignment or tableKeys
}

// tableKeys are the keys of a table that is one in any case.
type tableKeys []assignment

// present returns those keys that have a value.
func present(keys []assignment) []assignment {
	var with []assignment
	for _, key := range keys {
		if key.value != nil {
			with = append(with, key)
		}
	}
	return with
}

// A style is the file's way to write assignments.
type style struct {
	equals string // with the blanks around it
	mark   string // quotation mark
	eol    string // line end
}

const (
	equals = " = "
	quoted = `"`
)

// usual returns the style where there is none to follow.
func (d *document) usual() style {
	return style{equals, quoted, d.lineEnd(span{0, len(d.data)})}
}

// styleOf returns the style of a statement.
func (d *document) styleOf(st statement) style {
	if st.isHeader {
		return d.usual()
	}
	s := style{equals, d.markAt(st.value.start), d.lineEnd(st.whole)}
	if string(d.data[st.key.end:st.value.start]) == "=" {
		s.equals = "="
	}
	return s
}

// markAt returns the quotation mark of the value at a place, the usual one if it has
// none.
func (d *document) markAt(at int) string {
	if d.data[at] == '\'' {
		return `'`
	}
	return quoted
}

// assign returns `key = value`, for each key.
func (s style) assign(prefix string, keys []assignment) []string {
	var texts []string
	for _, key := range keys {
		texts = append(texts, prefix+key.key+s.equals+s.value(key.value))
	}
	return texts
}

// value returns a value as TOML. A pack with a reference alone becomes a string.
func (s style) value(value any) string {
	switch value := value.(type) {
	case string:
		return s.mark + value + s.mark
	case []any:
		return s.list(value)
	case tableKeys:
		return "{ " + strings.Join(s.assign("", value), ", ") + " }"
	case []assignment:
		if isRef(value) {
			return s.value(value[0].value)
		}
		return s.value(tableKeys(value))
	}
	return "true"
}

// list returns a list as TOML: on one line if it has one element, otherwise each on its own,
// which TOML allows in an inline table, too.
func (s style) list(elements []any) string {
	if len(elements) == 1 {
		return "[" + s.value(elements[0]) + "]"
	}
	text := "["
	for _, element := range elements {
		text += s.eol + "  " + s.value(element) + ","
	}
	return text + s.eol + "]"
}
