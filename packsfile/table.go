package packsfile

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"reflect"
)

// checkEdit checks that edited differs from d in those entries of the table at path alone,
// and there in those keys alone; an entry without keys must be gone. It returns edited as a
// document.
func (d *document) checkEdit(edited []byte, path []string, keys map[string][]assignment) (*document, error) {
	after := d
	if !bytes.Equal(edited, d.data) {
		var err error
		if after, err = parseDocument(defaultName, edited); err != nil {
			return nil, fmt.Errorf("the file would become unreadable: %w", err)
		}
	}
	want, wantRest := d.content(path, keys)
	got, gotRest := after.content(path, keys)
	for name, entry := range keys {
		want.assign(name, entry)
	}
	if !reflect.DeepEqual(want, got) || !reflect.DeepEqual(wantRest, gotRest) {
		return nil, errors.New("the edit would change something else too: edit the file by hand")
	}
	return after, nil
}

// A table is the TOML library's value of one.
type table map[string]any

// content returns the entries of the table at path, and everything else in the file. It
// treats the entries of edited as tables, whatever their form, and a missing table like an
// empty one.
func (d *document) content(path []string, edited map[string][]assignment) (entries, rest table) {
	entries = make(table)
	rest = cut(d.root.decoded.(map[string]any), path, entries)
	for name := range edited {
		if ref, ok := entries[name].(string); ok {
			entries[name] = map[string]any{"ref": ref}
		}
	}
	return entries, rest
}

// cut moves the entries of the table at path into entries, and returns what is left. It
// leaves the tables as they are.
func cut(from map[string]any, path []string, entries table) table {
	inner, ok := from[path[0]].(map[string]any)
	if !ok {
		return from
	}
	rest := maps.Clone(from)
	if len(path) == 1 {
		maps.Copy(entries, inner)
		inner = nil
	} else {
		inner = cut(inner, path[1:], entries)
	}
	if rest[path[0]] = inner; len(inner) == 0 {
		delete(rest, path[0])
	}
	return rest
}

// assign gives the entry called name those keys.
func (entries table) assign(name string, keys []assignment) {
	entry := make(map[string]any)
	if before, ok := entries[name].(map[string]any); ok {
		maps.Copy(entry, before)
	}
	for _, key := range keys {
		if delete(entry, key.key); key.value != nil {
			entry[key.key] = key.value
		}
	}
	if delete(entries, name); keys != nil {
		entries[name] = entry
	}
}
