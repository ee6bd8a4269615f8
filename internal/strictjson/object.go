// Package strictjson reads JSON so that no two readers can disagree about it. It also says where
// objects and lists stand, for callers that edit the text.
//
// A document has one reading: valid UTF-8, no key twice in any object, no half of a surrogate
// pair, nothing after it but white space. Objects and lists are in one another at most as deep as
// [MaxDepth], or as [Limits] say. Keys match exactly, in case too. encoding/json is laxer in each
// of these points. What this package accepts, encoding/json accepts with the same values.
package strictjson

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
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
	return ReadWithin(usual, data, read)
}

// ReadWithin is Read with other limits.
func ReadWithin(limits Limits, data []byte, read func(Object)) error {
	value, err := parse(data, limits)
	if err != nil {
		return &Error{Reason: err.Error()}
	}
	root, ok := value.(*members)
	if !ok {
		return &Error{Reason: "not a JSON object"}
	}
	doc := &document{}
	read(Object{doc: doc, members: root.values, span: root.Span})
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
	span    Span
}

// Span is where the object stands in the document.
func (o Object) Span() Span { return o.span }

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
	inner := Object{doc: o.doc, path: o.at(key)}
	if found := get[*members](o, key, "an object"); found != nil {
		inner.members, inner.span = found.values, found.Span
	}
	return inner
}

// Objects returns the list of objects under key.
func (o Object) Objects(key string) []Object {
	var objects []Object
	for path, element := range list[*members](o, key, "an object") {
		objects = append(objects, Object{doc: o.doc, path: path, members: element.values, span: element.Span})
	}
	return objects
}

// Strings returns the list of strings under key.
func (o Object) Strings(key string) []string {
	var texts []string
	for _, text := range list[string](o, key, "a string") {
		texts = append(texts, text)
	}
	return texts
}

// ListSpan is where the list under key stands in the document.
func (o Object) ListSpan(key string) Span {
	if found := get[*elements](o, key, "a list"); found != nil {
		return found.Span
	}
	return Span{}
}

// list yields the elements of the list under key, which must be Ts, each with its path. It
// ends at the first that is none.
func list[T any](o Object, key, kind string) iter.Seq2[string, T] {
	return func(yield func(string, T) bool) {
		found := get[*elements](o, key, "a list")
		if found == nil {
			return
		}
		for i, element := range found.values {
			path := o.at(key) + "[" + strconv.Itoa(i) + "]"
			value, ok := element.(T)
			if !ok {
				o.fail(path, "not "+kind)
			}
			if !ok || !yield(path, value) {
				return
			}
		}
	}
}

// Texts yields the strings under key in the object and in all objects within it, in no order.
// Other values under key are passed over.
func (o Object) Texts(key string) iter.Seq[string] {
	return func(yield func(string) bool) {
		if o.doc != nil && o.doc.err == nil {
			textsIn(&members{values: o.members}, key, yield)
		}
	}
}

// textsIn is Texts for any value. It returns false if yield does.
func textsIn(value any, key string, yield func(string) bool) bool {
	switch value := value.(type) {
	case *members:
		if text, ok := value.values[key].(string); ok && !yield(text) {
			return false
		}
		for _, inner := range value.values {
			if !textsIn(inner, key, yield) {
				return false
			}
		}
	case *elements:
		for _, inner := range value.values {
			if !textsIn(inner, key, yield) {
				return false
			}
		}
	}
	return true
}

// StringMap returns the object of strings under key.
func (o Object) StringMap(key string) map[string]string {
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
