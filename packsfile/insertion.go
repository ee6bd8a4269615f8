package packsfile

import (
	"bytes"
	"strings"
)

// addPack finds the edit that adds a pack in the form that the packs table
// has. packs is nil where the file has no such table.
func (d *document) addPack(packs *node, name, ref string) edit {
	assignment := name + " = " + `"` + ref + `"`
	switch {
	case packs == nil:
		return d.appendBlock("[packs]", assignment)
	case packs.form == inline:
		return d.addInline(packs, assignment)
	}
	if body := d.last(func(st statement) bool { return st.table == packs }); body != nil {
		return d.addLine(body, name, ref)
	}
	if dotted := d.last(func(st statement) bool { return st.first == packs }); dotted != nil {
		return d.addLine(dotted, "packs."+name, ref)
	}
	return d.appendBlock("[packs."+name+"]", `ref = "`+ref+`"`)
}

// last returns the last statement that match accepts, or nil.
func (d *document) last(match func(statement) bool) *statement {
	for i := len(d.statements) - 1; i >= 0; i-- {
		if match(d.statements[i]) {
			return &d.statements[i]
		}
	}
	return nil
}

// addLine adds a line after the statement, in its style.
func (d *document) addLine(after *statement, key, ref string) edit {
	equals, mark := " = ", `"`
	if !after.isHeader {
		if string(d.data[after.key.end:after.value.start]) == "=" {
			equals = "="
		}
		if d.data[after.value.start] == '\'' {
			mark = `'`
		}
	}
	indent := string(d.data[after.whole.start:after.key.start])
	eol := d.lineEnd(after.whole)
	line := indent + key + equals + mark + ref + mark + eol
	end := after.whole.end
	if d.data[end-1] != '\n' { // the file's last line lacks its end
		line = eol + line
	}
	return edit{span{end, end}, line}
}

// addInline adds to `packs = { … }`, after its last value: what follows it, a
// comma or a comment included, then stays right.
func (d *document) addInline(packs *node, assignment string) edit {
	if len(packs.children) > 0 {
		end := packs.lastValue()
		return edit{span{end, end}, ", " + assignment}
	}
	start := packs.value.start + len("{")
	text := " " + assignment
	if d.data[start] == '}' {
		text += " "
	}
	return edit{span{start, start}, text}
}

// lastValue returns where the last value in the inline table n ends.
func (n *node) lastValue() int {
	end := 0
	for _, child := range n.children {
		if child.form == implied {
			end = max(end, child.lastValue())
		} else {
			end = max(end, child.value.end)
		}
	}
	return end
}

// appendBlock adds lines at the end of the file, after a blank one.
func (d *document) appendBlock(lines ...string) edit {
	eol := d.lineEnd(span{0, len(d.data)})
	text := strings.Join(lines, eol) + eol
	rest := bytes.TrimPrefix(d.data, []byte(byteOrderMark))
	switch {
	case len(rest) == 0 || bytes.HasSuffix(rest, []byte(eol+eol)):
	case bytes.HasSuffix(rest, []byte("\n")):
		text = eol + text
	default:
		text = eol + eol + text
	}
	end := len(d.data)
	return edit{span{end, end}, text}
}

// lineEnd returns the line end that the text at s has, the file's if it has
// none, and LF if there is none at all.
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
