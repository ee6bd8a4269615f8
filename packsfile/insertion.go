package packsfile

import (
	"bytes"
	"strings"
)

// addPack finds the edit that adds a pack in the form of the packs table. packs is nil
// if the file has no such table.
func (d *document) addPack(packs *node, name string, keys []assignment) []edit {
	pack := []assignment{{name, keys}}
	usual := style{equals, quoted}
	switch {
	case packs == nil:
		return d.appendBlock("[packs]", usual.assign("", pack))
	case packs.form == inline:
		return d.addElements(packs, usual.assign("", pack))
	}
	if body := last(d.statements, func(st statement) bool { return st.table == packs }); body != nil {
		return d.addLines(body, d.styleOf(*body).assign("", pack))
	}
	if dotted := last(d.statements, func(st statement) bool { return st.first == packs }); dotted != nil {
		return d.addLines(dotted, d.styleOf(*dotted).assign("packs.", pack))
	}
	return d.appendBlock("[packs."+name+"]", usual.assign("", keys))
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
		return d.addElements(n, style{equals, quoted}.assign("", keys)), nil
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

// An assignment is a key to write, with its value: a string, true, or the keys of a
// pack. A key with a nil value must not exist.
type assignment struct {
	key   string
	value any
}

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
}

const (
	equals = " = "
	quoted = `"`
)

// styleOf returns the style of a statement.
func (d *document) styleOf(st statement) style {
	if st.isHeader {
		return style{equals, quoted}
	}
	s := style{equals, d.markAt(st.value.start)}
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
	case []assignment:
		if len(value) == 1 {
			return s.value(value[0].value)
		}
		return "{ " + strings.Join(s.assign("", value), ", ") + " }"
	}
	return "true"
}
