package mirrors

import (
	"fmt"
	"slices"
	"strings"
)

// A table is a table of TOML with the places of its keys. As for the library of Podman, its
// keys may be in upper case.
type table struct {
	file   string
	values map[string]any
	at     *place // nil if it is unknown
}

func (t table) errorf(line int, format string, args ...any) error {
	return &Error{Position: Position{File: t.file, Line: line}, Msg: fmt.Sprintf(format, args...)}
}

// line returns the line of the table.
func (t table) line() int {
	if t.at == nil {
		return 1
	}
	return max(t.at.line, 1)
}

// lineOf returns the line of a key; of the table if the key's is unknown.
func (t table) lineOf(key string) int {
	for _, spelling := range t.spellings(key) {
		if at := t.at.key(spelling); at != nil {
			return at.line
		}
	}
	return t.line()
}

// spellings returns the table's keys that mean key.
func (t table) spellings(key string) []string {
	var all []string
	for k := range t.values {
		if strings.EqualFold(k, key) {
			all = append(all, k)
		}
	}
	slices.Sort(all)
	return all
}

// get returns the value of a key, nil if there is none.
func (t table) get(key string) (any, *place, error) {
	switch all := t.spellings(key); len(all) {
	case 0:
		return nil, nil, nil
	case 1:
		return t.values[all[0]], t.at.key(all[0]), nil
	default:
		return nil, nil, t.errorf(t.lineOf(key), "%s and %s are one key", all[0], all[1])
	}
}

// text returns a key's string, "" if there is none.
func (t table) text(key string) (string, error) {
	value, _, err := t.get(key)
	if value == nil || err != nil {
		return "", err
	}
	s, ok := value.(string)
	if !ok {
		return "", t.errorf(t.lineOf(key), "%s must be a string", key)
	}
	return s, nil
}

// flag returns a key's boolean, false if there is none.
func (t table) flag(key string) (bool, error) {
	value, _, err := t.get(key)
	if value == nil || err != nil {
		return false, err
	}
	b, ok := value.(bool)
	if !ok {
		return false, t.errorf(t.lineOf(key), "%s must be true or false", key)
	}
	return b, nil
}

// inner returns a key's table, if there is exactly one.
func (t table) inner(key string) (table, bool) {
	value, at, err := t.get(key)
	values, ok := value.(map[string]any)
	return table{file: t.file, values: values, at: at}, ok && err == nil
}

// tables returns a key's array of tables.
func (t table) tables(key string) ([]table, error) {
	value, at, err := t.get(key)
	if value == nil || err != nil {
		return nil, err
	}
	var all []table
	add := func(values map[string]any) {
		all = append(all, table{file: t.file, values: values, at: at.item(len(all))})
	}
	switch list := value.(type) {
	case []map[string]any:
		for _, values := range list {
			add(values)
		}
		return all, nil
	case []any:
		for _, one := range list {
			values, ok := one.(map[string]any)
			if !ok {
				return nil, t.noTables(key)
			}
			add(values)
		}
		return all, nil
	}
	return nil, t.noTables(key)
}

// noTables is the error of a key that is no array of tables.
func (t table) noTables(key string) error {
	header := key
	if key == "mirror" {
		header = "registry.mirror"
	}
	return t.errorf(t.lineOf(key), "%s must be an array of tables: write [[%s]]", key, header)
}
