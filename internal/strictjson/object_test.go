package strictjson

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// nested is n lists in one another, in an object.
func nested(n int) string {
	return `{"a":` + strings.Repeat("[", n) + strings.Repeat("]", n) + `}`
}

var documents = []struct{ text, want string }{
	{`{}`, ""},
	{" \t\r\n{\"a\":1} \n\n", ""},
	{`{"a":{"b":[1,-0.5e3,"x",true,null,{}]},"A":2,"":3}`, ""},
	{`{"a":"\uD83D\uDE00 \u0000 \\uD800 é 😀 \ufffd"}`, ""},
	{nested(MaxDepth - 1), ""},
	{``, "not JSON: unexpected EOF"},
	{`{`, "not JSON: unexpected EOF"},
	{`{"a":[1`, "not JSON: unexpected EOF"},
	{`[]`, "not a JSON object"},
	{`"{}"`, "not a JSON object"},
	{`null`, "not a JSON object"},
	{`{a:1}`, "not JSON: invalid character 'a' looking for beginning of object key string"},
	{`{"a":1,}`, "not JSON: invalid character '}' looking for beginning of object key string"},
	{`{"a":[1,]}`, "not JSON: invalid character ']' looking for beginning of value"},
	{`{"a":[1 2]}`, "not JSON: invalid character '2' after array element"},
	{`{"a" 1}`, "not JSON: invalid character '1' after object key"},
	{`{"a":01}`, "not JSON: invalid number 01"},
	{`{"a":-}`, "not JSON: invalid number -"},
	{`{"a":1-1}`, "not JSON: invalid number 1-1"},
	{`{"a":1x}`, "not JSON: invalid character 'x' after object key:value pair"},
	{`{"a":nul}`, "not JSON: invalid character 'n' looking for beginning of value"},
	{`{"a":nullx}`, "not JSON: invalid character 'x' after object key:value pair"},
	{`{"a":{"b":[]},"c":[{},{}],}`, "not JSON: invalid character '}' looking for beginning of object key string"},
	{`{"a":"\x"}`, "not JSON: invalid character 'x' in string escape code"},
	{`{"a":"\u12"}`, "not JSON: invalid character '\"' in \\u hexadecimal character escape"},
	{`{"a":"\`, "not JSON: unexpected EOF"},
	{`{"a":"x`, "not JSON: unexpected EOF"},
	{`{"a":`, "not JSON: unexpected EOF"},
	{"{\"a\":\"\\\n\"}", `not JSON: invalid character '\n' in string escape code`},
	{"{\x00}", `not JSON: invalid character '\x00' looking for beginning of object key string`},
	{"{\u00a0}", `not JSON: invalid character '\u00a0' looking for beginning of object key string`},
	{`{"a":NaN}`, "not JSON: invalid character 'N' looking for beginning of value"},
	{"{\"a\":\"\n\"}", `not JSON: invalid character '\n' in string literal`},
	{`{"a":1} {}`, "data after the JSON document"},
	{`{"a":1}x`, "data after the JSON document"},
	{"{\"a\":1}\x00", "data after the JSON document"},
	{"\ufeff{}", "not JSON: invalid character '\\ufeff' looking for beginning of value"},
	{"{\"a\":\"\xff\"}", "not valid UTF-8"},
	{"{\"a\":\"\xed\xa0\x80\"}", "not valid UTF-8"}, // U+D800, encoded
	{`{"a":1,"a":1}`, `key "a" stands twice in one object`},
	{`{"a":1,"\u0061":1}`, `key "a" stands twice in one object`},
	{`{"ignored":{"deep":[{"x":1,"y":2,"x":3}]}}`, `key "x" stands twice in one object`},
	{`{"a":"\ud800"}`, `lone surrogate \uD800`},
	{`{"a":"\uDC00"}`, `lone surrogate \uDC00`},
	{`{"a":"\uD800\uD800\uDC00"}`, `lone surrogate \uD800`},
	{`{"a":"\uD800x"}`, `lone surrogate \uD800`},
	{`{"a":"\\\uD800\n"}`, `lone surrogate \uD800`},
	{`{"\uDFFF":1}`, `lone surrogate \uDFFF`},
	{nested(MaxDepth), "nested deeper than 32"},
	{nested(1_000_000), "nested deeper than 32"},
	{`{"a":1e999}`, "number 1e999 is out of range"},
	{`{"a":[` + strings.Repeat("0,", maxValues) + `0]}`, "more than 100000 values"},
}

func TestDocument(t *testing.T) {
	for _, test := range documents {
		err := Read([]byte(test.text), func(Object) {})
		if got := message(err); got != test.want {
			t.Errorf("%.60q:\n got: %s\nwant: %s", test.text, got, test.want)
		}
		var typed *Error
		if err != nil && !errors.As(err, &typed) {
			t.Errorf("%.60q: %T", test.text, err)
		}
	}
}

func message(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func TestObject(t *testing.T) {
	const text = `{"s":"x","n":7,"b":"AQI=","o":{"k":"v"},"l":[{"s":"y"},{"s":2}],"strange key":{"s":[]},"null":null}`
	for _, test := range []struct {
		name string
		read func(Object) any
		want string // the value, or the error
	}{
		{"String", func(o Object) any { return o.String("s") }, "x"},
		{"String of another case", func(o Object) any { return o.String("S") }, "S: missing"},
		{"String of a number", func(o Object) any { return o.String("n") }, "n: not a string"},
		{"String of null", func(o Object) any { return o.String("null") }, "null: not a string"},
		{"Has", func(o Object) any { return fmt.Sprint(o.Has("null"), o.Has("Null")) }, "true false"},
		{"Int", func(o Object) any { return o.Int("n") }, "7"},
		{"Int of a string", func(o Object) any { return o.Int("s") }, "s: not a number"},
		{"Base64", func(o Object) any { return o.Base64("b") }, "[1 2]"},
		{"Base64 of other text", func(o Object) any { return o.Base64("s") }, "s: not base64 as its bytes are encoded: standard alphabet, padding, no line breaks"},
		{"StringMap", func(o Object) any { return o.StringMap("o") }, "map[k:v]"},
		{"StringMap of others", func(o Object) any { return o.StringMap("strange key") }, `"strange key".s: not a string`},
		{"Object", func(o Object) any { return o.Object("o").String("k") }, "v"},
		{"Object of a list", func(o Object) any { return o.Object("l").String("k") }, "l: not an object"},
		{"Objects", func(o Object) any { return o.Objects("l")[0].String("s") }, "y"},
		{"Objects, an element", func(o Object) any { return o.Objects("l")[1].String("s") }, "l[1].s: not a string"},
		{"Objects of an object", func(o Object) any { return o.Objects("o") }, "o: not a list"},
		{"Only", func(o Object) any { o.Only("s", "n", "b", "o", "l", "strange key", "null"); return "fine" }, "fine"},
		{"Only, surplus", func(o Object) any { o.Only("s", "n", "b", "o", "l"); return "" }, "null: unknown field"},
		{"the first error counts", func(o Object) any { o.Fail("", "first"); o.Fail("s", "second"); return o.String("s") }, "first"},
		{"the zero value", func(Object) any { return Object{}.String("x") + Object{}.Object("x").String("y") }, ""},
	} {
		var got any
		err := Read([]byte(text), func(o Object) { got = test.read(o) })
		if err != nil {
			got = err
		}
		if fmt.Sprint(got) != test.want {
			t.Errorf("%s:\n got: %v\nwant: %s", test.name, got, test.want)
		}
	}
	for text, want := range map[string]string{
		`{"n":1.0}`: "n: not a whole number that is small enough", `{"n":-1}`: "n: not a whole number that is small enough",
		`{"n":4294967296}`: "n: not a whole number that is small enough", `{"l":[1]}`: "l[0]: not an object",
	} {
		err := Read([]byte(text), func(o Object) {
			if o.Has("n") {
				o.Int("n")
			} else {
				o.Objects("l")
			}
		})
		if message(err) != want {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
}

// After an error no method returns anything that stands in the document.
func TestAfterError(t *testing.T) {
	err := Read([]byte(`{"s":"x","o":{"s":"y"}}`), func(o Object) {
		o.String("missing")
		if got := o.String("s") + o.Object("o").String("s"); got != "" || o.Has("s") {
			t.Errorf("got %q", got)
		}
	})
	if message(err) != "missing: missing" {
		t.Errorf("got %v", err)
	}
}

func TestBase64(t *testing.T) {
	for text, want := range map[string]string{
		"": "", "AA==": "\x00", "+/+/": "\xfb\xff\xbf", "AQI=": "\x01\x02",
	} {
		if got, err := Base64(text); err != nil || string(got) != want {
			t.Errorf("%q: %q, %v", text, got, err)
		}
	}
	for _, text := range []string{
		"AA", "AA=", "AB==", "AQJ=", "-_-_", "AQ\nI=", "AQI=\n", "\r\nAQI=", " AQI=", "AQI= ", "AQI=AQI=", "AQI*", "A", "====",
	} {
		if got, err := Base64(text); err == nil {
			t.Errorf("%q: %q", text, got)
		}
	}
}

// FuzzBase64: what is accepted is the encoding of its bytes, and all of these are accepted.
func FuzzBase64(f *testing.F) {
	for _, text := range []string{"", "AA==", "AB==", "AQI=", "AQ\nI=", "AQI=\r\n", "AAAA\n\n\n\n"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		data, err := Base64(text)
		if err == nil && base64.StdEncoding.EncodeToString(data) != text {
			t.Fatalf("%q is not the encoding of %q", text, data)
		}
		encoded := base64.StdEncoding.EncodeToString([]byte(text))
		if data, err := Base64(encoded); err != nil || string(data) != text {
			t.Fatalf("%q of %q: %q, %v", encoded, text, data, err)
		}
	})
}

// FuzzRead: no bytes make it panic, and encoding/json accepts what it accepts, with the
// same values.
func FuzzRead(f *testing.F) {
	for _, test := range documents {
		if len(test.text) < 1000 {
			f.Add([]byte(test.text))
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var got any
		if err := Read(data, func(o Object) { got = plain(t, data, &members{o.span, o.members}) }); err != nil {
			return
		}
		d := json.NewDecoder(bytes.NewReader(data))
		d.UseNumber()
		var want map[string]any
		if err := d.Decode(&want); err != nil || !json.Valid(data) {
			t.Fatalf("accepted, but encoding/json says %v", err)
		}
		if !reflect.DeepEqual(got, any(want)) {
			t.Fatalf("got %v, encoding/json says %v", got, want)
		}
		var floats map[string]any
		if err := json.Unmarshal(data, &floats); err != nil {
			t.Fatalf("accepted, but encoding/json says %v", err)
		}
	})
}

func TestReadWithin(t *testing.T) {
	limits := Limits{Depth: 3, Values: 6}
	for _, test := range []struct{ text, want string }{
		{`{"a":[[]],"b":[1,2]}`, ""},
		{`{"a":[[{}]]}`, "nested deeper than 3"},
		{`{"a":[1,2,3,4,5]}`, "more than 6 values"},
	} {
		err := ReadWithin(limits, []byte(test.text), func(Object) {})
		if got := fmt.Sprint(err); test.want == "" && err != nil || test.want != "" && got != test.want {
			t.Errorf("%s: %v, want %q", test.text, err, test.want)
		}
	}
}

// Texts finds the strings under a key, however deep they are.
func TestTexts(t *testing.T) {
	const text = `{"k":"a","K":"x","l":[{"k":"b"},[{"k":{"k":"c"}}],{"k":1},{"\u006b":"d"}],"o":{"k":["e"],"p":{"k":"a"}}}`
	err := Read([]byte(text), func(o Object) {
		if got, want := slices.Sorted(o.Texts("k")), []string{"a", "a", "b", "c", "d"}; !slices.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
		for range o.Texts("k") {
			break
		}
		o.Fail("", "first")
		if got := slices.Collect(o.Texts("k")); got != nil {
			t.Errorf("after an error: %q", got)
		}
	})
	if message(err) != "first" {
		t.Errorf("got %v", err)
	}
	if got := slices.Collect(Object{}.Texts("k")); got != nil {
		t.Errorf("the zero value has %q", got)
	}
}

// Objects and lists say where they stand.
func TestSpans(t *testing.T) {
	const text = ` {"é":"{","a": {"b" : [ {"c":"]"},{} ]} ,"d":["x\"","y"]}` + "\n"
	at := func(s Span) string { return text[s.Start:s.End] }
	err := Read([]byte(text), func(o Object) {
		inner := o.Object("a")
		list := inner.Objects("b")
		for _, test := range []struct{ got, want string }{
			{at(o.Span()), strings.TrimSpace(text)},
			{at(inner.Span()), `{"b" : [ {"c":"]"},{} ]}`},
			{at(inner.ListSpan("b")), `[ {"c":"]"},{} ]`},
			{at(list[0].Span()), `{"c":"]"}`},
			{at(list[1].Span()), `{}`},
			{at(o.ListSpan("d")), `["x\"","y"]`},
			{strings.Join(o.Strings("d"), "|"), `x"|y`},
		} {
			if test.got != test.want {
				t.Errorf("%s stands in the place of %s", test.got, test.want)
			}
		}
	})
	if err != nil {
		t.Error(err)
	}
}

func TestStrings(t *testing.T) {
	for _, test := range []struct{ text, want string }{
		{`{"a":["x",1]}`, "a[1]: not a string"},
		{`{"a":"x"}`, "a: not a list"},
		{`{}`, "a: missing"},
	} {
		for _, read := range []func(Object){func(o Object) { o.Strings("a") }, func(o Object) { o.ListSpan("a"); o.Strings("a") }} {
			if err := Read([]byte(test.text), read); err == nil || err.Error() != test.want {
				t.Errorf("%s: %v, want %s", test.text, err, test.want)
			}
		}
	}
}
