// Package strictjson reads the JSON of signatures so that no two readers can disagree
// about it.
//
// A document has one reading: valid UTF-8, no key twice in any object, no half of a
// surrogate pair, nothing after it but white space, at most [MaxDepth] objects and lists in
// one another. Keys match exactly, in case too. encoding/json is laxer in each of these
// points. What this package accepts, encoding/json accepts with the same values.
package strictjson

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/greenticai/packvendor/internal/printable"
)

// An Error says what is wrong in a document, and where.
type Error struct {
	// Path leads to the value: "signatures[0].sig"; "" is the whole document.
	Path   string
	Reason string
}

func (e *Error) Error() string {
	if e.Path == "" {
		return e.Reason
	}
	return e.Path + ": " + e.Reason
}

// Read reads a document that is one object, and calls read with it. It returns what is
// wrong with the document, or else the first error that read met in it: an *Error. After
// that error all methods of objects return zero values, so that read need not look for it.
func Read(data []byte, read func(Object)) error {
	value, err := parse(data)
	if err != nil {
		return &Error{Reason: err.Error()}
	}
	members, ok := value.(map[string]any)
	if !ok {
		return &Error{Reason: "not a JSON object"}
	}
	doc := &document{}
	read(Object{doc: doc, members: members})
	if doc.err != nil {
		return doc.err
	}
	return nil
}

// A document keeps the first error of its reader.
type document struct{ err *Error }

// An Object is one object of a document. The zero value has no keys.
type Object struct {
	doc     *document
	path    string
	members map[string]any
}

// Fail makes Read return an error about the value under key, whatever its reader finds
// later. An earlier error counts.
func (o Object) Fail(key, format string, args ...any) {
	o.fail(o.at(key), fmt.Sprintf(format, args...))
}

func (o Object) fail(path, reason string) {
	if o.doc != nil && o.doc.err == nil {
		o.doc.err = &Error{Path: path, Reason: reason}
	}
}

func (o Object) at(key string) string {
	if key != "" && !isPlain(key) {
		key = printable.Quote(key, maxQuoted)
	}
	if o.path == "" || key == "" {
		return o.path + key
	}
	return o.path + "." + key
}

// isPlain tells whether a key needs no quotation marks in a path.
func isPlain(key string) bool {
	return !strings.ContainsFunc(key, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("_-$", r)
	})
}

// Only refuses keys that are not in known.
func (o Object) Only(known ...string) {
	for _, key := range slices.Sorted(maps.Keys(o.members)) {
		if !slices.Contains(known, key) {
			o.Fail(key, "unknown field")
		}
	}
}

// Has tells whether the key is there, whatever its value.
func (o Object) Has(key string) bool {
	_, ok := o.members[key]
	return ok && o.doc.err == nil
}

// get returns the value under key, which must be a T.
func get[T any](o Object, key, kind string) (value T) {
	found, ok := o.members[key]
	switch {
	case o.doc == nil || o.doc.err != nil:
		return value
	case !ok:
		o.Fail(key, "missing")
		return value
	}
	if value, ok = found.(T); !ok {
		o.Fail(key, "not %s", kind)
	}
	return value
}

// String returns the string under key. A missing key is an error, here and below.
func (o Object) String(key string) string { return get[string](o, key, "a string") }

// Object returns the object under key.
func (o Object) Object(key string) Object {
	return Object{doc: o.doc, path: o.at(key), members: get[map[string]any](o, key, "an object")}
}

// Objects returns the list of objects under key.
func (o Object) Objects(key string) []Object {
	var objects []Object
	for i, element := range get[[]any](o, key, "a list") {
		path := o.at(key) + "[" + strconv.Itoa(i) + "]"
		members, ok := element.(map[string]any)
		if !ok {
			o.fail(path, "not an object")
			return nil
		}
		objects = append(objects, Object{doc: o.doc, path: path, members: members})
	}
	return objects
}

// Strings returns the object of strings under key.
func (o Object) Strings(key string) map[string]string {
	inner := o.Object(key)
	texts := map[string]string{}
	for _, key := range slices.Sorted(maps.Keys(inner.members)) {
		texts[key] = inner.String(key)
	}
	return texts
}

// Int returns the whole number under key, written in decimal digits without a sign.
func (o Object) Int(key string) int {
	number := get[json.Number](o, key, "a number")
	n, err := strconv.ParseUint(string(number), 10, 31)
	if err != nil && number != "" {
		o.Fail(key, "not a whole number that is small enough")
	}
	return int(n)
}

// Base64 returns the bytes that the string under key holds in base64. See [Base64].
func (o Object) Base64(key string) []byte {
	text := o.String(key)
	data, err := Base64(text)
	if err != nil {
		o.Fail(key, "%v", err)
	}
	return data
}

// strictBase64 refuses other bits in the last character.
var strictBase64 = base64.StdEncoding.Strict()

// Base64 decodes a text that is the one encoding of its bytes in the standard alphabet of
// RFC 4648, section 4, with padding. The error continues a sentence that begins with the text.
func Base64(text string) ([]byte, error) {
	data, err := strictBase64.DecodeString(text)
	if err != nil || len(text) != strictBase64.EncodedLen(len(data)) { // it skips line breaks
		return nil, errors.New("not base64 as its bytes are encoded: standard alphabet, padding, no line breaks")
	}
	return data, nil
}
