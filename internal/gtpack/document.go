package gtpack

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/fxamacker/cbor/v2"

	"github.com/greenticai/packvendor/internal/printable"
)

// decoding allows no two readings: no key twice, and keys match exactly. Packs have no
// tags but the first, and some tags make numbers that take forever to print.
var decoding = decMode(cbor.DecOptions{
	DupMapKey:         cbor.DupMapKeyEnforcedAPF,
	FieldNameMatching: cbor.FieldNameMatchingCaseSensitive,
	MaxNestedLevels:   MaxDepth,
	MaxArrayElements:  MaxElements,
	MaxMapPairs:       MaxElements,
	TagsMd:            cbor.TagsForbidden,
})

func decMode(opts cbor.DecOptions) cbor.DecMode {
	mode, err := opts.DecMode()
	if err != nil {
		panic(err) // the options above are valid
	}
	return mode
}

// selfDescribed begins a document that declares itself CBOR:
// https://www.rfc-editor.org/rfc/rfc8949.html#section-3.4.6.
var selfDescribed = []byte{0xd9, 0xd9, 0xf7}

// fromCBOR reads CBOR into v.
func fromCBOR(data []byte, v any) error {
	return decoding.Unmarshal(bytes.TrimPrefix(data, selfDescribed), v)
}

// decode reads the document name, which exists, into v.
func (a *archive) decode(name string, v any) error {
	data, err := a.document(name)
	if err != nil {
		return err
	}
	return unmarshal(name, data, v)
}

// hint decodes a document, or a part of one, that only adds to the manifest. Other
// shapes of it exist; hint ignores a shape that it does not know.
func hint[T any](data []byte) T {
	var v, nothing T
	if err := fromCBOR(data, &v); err != nil {
		return nothing
	}
	return v
}

// unmarshal reads JSON as the equivalent CBOR, so that one set of rules and bounds
// holds for both. Its errors are *MalformedError.
func unmarshal(name string, data []byte, v any) (err error) {
	if strings.HasSuffix(name, ".json") {
		data, err = transcode(data)
	}
	if err == nil {
		err = explain(fromCBOR(data, v))
	}
	if err != nil {
		return &MalformedError{File: name, Err: err}
	}
	return nil
}

// explain rephrases an error of the CBOR library without the names of Go types.
func explain(err error) error {
	var mistyped *cbor.UnmarshalTypeError
	var twice *cbor.DupMapKeyError
	var extra *cbor.ExtraneousDataError
	switch {
	case err == nil:
		return nil
	case err == io.EOF:
		return errors.New("it is empty")
	case errors.As(err, &extra):
		return errors.New("more than one value")
	case errors.As(err, &mistyped):
		if dot := strings.LastIndexByte(mistyped.StructFieldName, '.'); dot >= 0 {
			return fmt.Errorf("wrong type in %s: %s", printable.Quote(mistyped.StructFieldName[dot+1:], maxQuoted), mistyped.CBORType)
		}
		return fmt.Errorf("wrong type: %s", mistyped.CBORType)
	case errors.As(err, &twice):
		return fmt.Errorf("key %s twice in one map", printable.Quote(fmt.Sprint(twice.Key), maxQuoted))
	}
	return errors.New(strings.TrimPrefix(err.Error(), "cbor: "))
}

// cborOf has the bytes that begin and end arrays and maps of indefinite length:
// https://www.rfc-editor.org/rfc/rfc8949.html#section-3.2.2.
var cborOf = map[json.Delim]byte{'[': 0x9f, '{': 0xbf, ']': 0xff, '}': 0xff}

// steps are the changes of depth at the delimiters of arrays and maps.
var steps = map[json.Token]int{json.Delim('['): 1, json.Delim('{'): 1, json.Delim(']'): -1, json.Delim('}'): -1}

// transcode turns one JSON value into CBOR.
func transcode(data []byte) ([]byte, error) {
	var b bytes.Buffer
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	for depth := 0; ; {
		token, err := d.Token()
		switch {
		case err == io.EOF && depth == 0:
			return b.Bytes(), nil
		case err == io.EOF:
			return nil, fmt.Errorf("not JSON: %w", io.ErrUnexpectedEOF)
		case err != nil:
			return nil, fmt.Errorf("not JSON: %w", err)
		}
		if depth += steps[token]; depth > MaxDepth { // the decoder keeps a stack
			return nil, fmt.Errorf("nested deeper than %d", MaxDepth)
		}
		if err := put(&b, token); err != nil {
			return nil, err
		}
	}
}

func put(b *bytes.Buffer, token json.Token) error {
	switch token := token.(type) {
	case json.Number:
		return putNumber(b, token.String())
	case json.Delim:
		return b.WriteByte(cborOf[token])
	}
	return cbor.MarshalToBuffer(token, b)
}

func putNumber(b *bytes.Buffer, s string) error {
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		return cbor.MarshalToBuffer(n, b)
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return fmt.Errorf("not a number of 64 bits: %s", printable.Quote(s, maxQuoted))
	}
	return cbor.MarshalToBuffer(f, b)
}
