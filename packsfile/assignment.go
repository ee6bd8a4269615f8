package packsfile

import "strings"

// An assignment is a key that is to be written, with its value: a string, true,
// or the keys of a pack. A nil value is a key that is not to be there.
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

// A style is how the file writes assignments.
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

// markAt returns the kind of quotation marks that the value at has, the usual
// ones if it has none.
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

// value returns a value as TOML. A pack of which there is only a reference to
// tell is just that.
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
