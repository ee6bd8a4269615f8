package evidence

import (
	"bytes"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/packtest/signing"
	"github.com/greenticai/packvendor/internal/signature"
)

func TestBytes(t *testing.T) {
	for _, test := range []struct {
		evidence Evidence
		want     string // the file without its end, or the error
	}{
		{Evidence{Format: signature.Greentic, Key: []byte("k"), Manifest: []byte("m")},
			`{"version":1,"format":"greentic-dsse","key":"aw==","manifest":"bQ=="}`},
		{Evidence{Format: signature.Bundle, Key: []byte("k"), Manifest: []byte("m"), Index: []byte("i"), Bundle: []byte{0xfb, 0xff}},
			`{"version":1,"format":"sigstore-bundle","key":"aw==","manifest":"bQ==","index":"aQ==","bundle":"+/8="}`},
		{Evidence{Format: signature.Bundle, Manifest: []byte("m"), Bundle: []byte("b")},
			`{"version":1,"format":"sigstore-bundle","manifest":"bQ==","bundle":"Yg=="}`},
		{Evidence{Format: signature.Simple, Key: []byte("k"), Manifest: []byte("m"), Signature: []byte("s"), Payload: []byte("p")},
			`{"version":1,"format":"cosign-simplesigning","key":"aw==","manifest":"bQ==","signature":"cw==","payload":"cA=="}`},
		{Evidence{Format: signature.Greentic, Manifest: []byte("m")}, "invalid evidence: key: missing"},
		{Evidence{Format: signature.Greentic, Key: []byte("k")}, "invalid evidence: manifest: missing"},
		{Evidence{Format: signature.Greentic, Key: []byte("k"), Manifest: []byte("m"), Payload: []byte("p")}, "invalid evidence: payload: unknown field of greentic-dsse"},
		{Evidence{Format: signature.Greentic, Key: []byte("k"), Manifest: []byte("m"), Bundle: []byte("b")}, "invalid evidence: bundle: unknown field of greentic-dsse"},
		{Evidence{Format: signature.Greentic, Key: []byte("k"), Manifest: []byte("m"), Signature: []byte("s")}, "invalid evidence: signature: unknown field of greentic-dsse"},
		{Evidence{Format: signature.Bundle, Key: []byte("k"), Manifest: []byte("m")}, "invalid evidence: bundle: missing"},
		{Evidence{Format: signature.Simple, Manifest: []byte("m"), Signature: []byte("s"), Payload: []byte("p")}, "invalid evidence: key: missing"},
		{Evidence{Format: signature.Simple, Key: []byte("k"), Manifest: []byte("m"), Payload: []byte("p")}, "invalid evidence: signature: missing"},
		{Evidence{Format: "pgp\n"}, `invalid evidence: format "pgp\n" is not supported`},
		{Evidence{Format: signature.Greentic, Key: []byte("k"), Manifest: make([]byte, MaxFile)}, "invalid evidence: larger than 12582912 bytes"},
	} {
		file, err := test.evidence.Bytes()
		if err != nil {
			if err.Error() != test.want {
				t.Errorf("%v, want %s", err, test.want)
			}
			continue
		}
		if string(file) != test.want+"\n" {
			t.Errorf("%s, want %s", file, test.want)
		}
		if e, err := Parse(file); err != nil || !reflect.DeepEqual(*e, test.evidence) {
			t.Errorf("%s: %+v, %v", file, e, err)
		}
	}
}

// A file is hashed with LF, whatever git made of it, and has no other spelling.
func TestSpellings(t *testing.T) {
	file, err := signed(signature.Greentic, signer, true).evidence.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	content := strings.TrimSuffix(string(file), "\n")
	for name, test := range map[string]struct{ file, want string }{
		"LF":                {content + "\n", ""},
		"CRLF":              {content + "\r\n", ""},
		"without an end":    {content, ""},
		"CR":                {content + "\r", "invalid evidence: not as packvendor writes it"},
		"two line ends":     {content + "\n\n", "invalid evidence: not as packvendor writes it"},
		"CR twice":          {content + "\r\r\n", "invalid evidence: not as packvendor writes it"},
		"a space behind":    {content + " \n", "invalid evidence: not as packvendor writes it"},
		"indented":          {strings.ReplaceAll(strings.Replace(content, "{", "{\n  ", 1), ",", ",\n  ") + "\n", "invalid evidence: not as packvendor writes it"},
		"escaped":           {strings.Replace(content, `"format"`, `"\u0066ormat"`, 1), "invalid evidence: not as packvendor writes it"},
		"other order":       {strings.Replace(strings.Replace(content, `"version":1,`, "", 1), "}", `,"version":1}`, 1), "invalid evidence: not as packvendor writes it"},
		"an empty field":    {strings.Replace(content, "}", `,"bundle":""}`, 1), "invalid evidence: not as packvendor writes it"},
		"a surplus field":   {strings.Replace(content, "}", `,"signer":""}`, 1), "invalid evidence: signer: unknown field"},
		"a field twice":     {strings.Replace(content, `"key"`, `"key":"","key"`, 1), `invalid evidence: key "key" stands twice in one object`},
		"another case":      {strings.Replace(content, `"key"`, `"KEY"`, 1), "invalid evidence: KEY: unknown field"},
		"a line in base64":  {strings.Replace(content, `"manifest":"`, `"manifest":"\n`, 1), "invalid evidence: manifest: not base64 as its bytes are encoded: standard alphabet, padding, no line breaks"},
		"version 2":         {strings.Replace(content, `"version":1`, `"version":2,"new":[]`, 1), "invalid evidence: version: 2 is not supported"},
		"version 0":         {strings.Replace(content, `"version":1`, `"version":0`, 1), "invalid evidence: not as packvendor writes it"},
		"version 1.0":       {strings.Replace(content, `"version":1`, `"version":1.0`, 1), "invalid evidence: version: not a whole number that is small enough"},
		"no version":        {strings.Replace(content, `"version":1,`, "", 1), "invalid evidence: version: missing"},
		"another format":    {strings.Replace(content, "greentic-dsse", "pgp", 1), `invalid evidence: format "pgp" is not supported`},
		"conflict":          {"<<<<<<< ours\n" + content, "invalid evidence: not JSON: invalid character '<' looking for beginning of value"},
		"empty":             {"", "invalid evidence: not JSON: unexpected EOF"},
		"two documents":     {content + "\n" + content + "\n", "invalid evidence: data after the JSON document"},
		"a byte order mark": {"\ufeff" + content, "invalid evidence: not JSON: invalid character '\\ufeff' looking for beginning of value"},
		"too large":         {content + strings.Repeat(" ", MaxFile), "invalid evidence: larger than 12582912 bytes"},
	} {
		e, err := Parse([]byte(test.file))
		if text(err) != test.want {
			t.Errorf("%s:\n got: %v\nwant: %s", name, err, test.want)
		}
		syntax, ok := err.(*SyntaxError)
		if newer := name == "version 2" || name == "another format"; err != nil && (!ok || syntax.Newer != newer) {
			t.Errorf("%s: %#v", name, err)
		}
		if err != nil {
			continue
		}
		if got := Digest([]byte(test.file)); got != ociref.DigestOf(file) {
			t.Errorf("%s: digest %s", name, got)
		}
		if again, err := e.Bytes(); err != nil || !bytes.Equal(again, file) {
			t.Errorf("%s: written as %s, %v", name, again, err)
		}
	}
}

// The bound holds for the file with LF, however it is spelled.
func TestLargestFile(t *testing.T) {
	e := Evidence{Format: signature.Greentic, Key: []byte("k")}
	empty, err := (&Evidence{Format: signature.Greentic, Key: []byte("k"), Manifest: []byte("m")}).Bytes()
	if err != nil {
		t.Fatal(err)
	}
	e.Manifest = make([]byte, (MaxFile-len(empty))/4*3+3)
	file, err := e.Bytes()
	if err != nil || len(file) > MaxFile || len(file)+4 <= MaxFile {
		t.Fatalf("%d bytes, %v", len(file), err)
	}
	content := bytes.TrimSuffix(file, []byte("\n"))
	longer := bytes.Replace(content, []byte(`"manifest":"`), []byte(`"manifest":"AAAA`), 1)
	for _, end := range []string{"\n", "\r\n", ""} {
		if _, err := Parse(append(slices.Clip(content), end...)); err != nil {
			t.Errorf("%q: %v", end, err)
		}
		if _, err := Parse(append(slices.Clip(longer), end...)); text(err) != "invalid evidence: larger than 12582912 bytes" {
			t.Errorf("%q: %v", end, err)
		}
	}
}

// A manifest and an index of 4 MiB, the most that a registry's may have, fit beside a
// signature of the usual size.
func TestLargeManifest(t *testing.T) {
	p := signed(signature.Bundle, signer, false)
	p.rewrap(map[string]string{"padding": strings.Repeat("x", 4<<20)})
	p.evidence.Index = bytes.Repeat([]byte(" "), 4<<20)
	file, err := p.evidence.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Parse(bytes.TrimSuffix(file, []byte("\n"))); err != nil {
		t.Error(err)
	}
	p.evidence.Index = nil
	p.sign(signer, digestOf(p.manifest), "")
	if _, err := p.prove(t, signers(t, signer)); err != nil {
		t.Error(err)
	}
}

// FuzzParse: no bytes make it panic, errors have their type, and what is accepted is
// written again as it is, but for the end of its line.
func FuzzParse(f *testing.F) {
	for _, format := range formats {
		file, err := signed(format, signer, true).evidence.Bytes()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(file)
	}
	f.Add([]byte(`{"version":1,"format":"greentic-dsse","key":"aw==","manifest":"bQ=="}`))
	allowed := signers(f, signer)
	claim := claimOf(signed(signature.Greentic, signer, false), signing.Ed25519(1))
	f.Fuzz(func(t *testing.T, file []byte) {
		e, err := Parse(file)
		if err != nil {
			if _, ok := err.(*SyntaxError); !ok {
				t.Fatalf("%T", err)
			}
			return
		}
		again, err := e.Bytes()
		if err != nil || string(again) != string(line(file))+"\n" || Digest(again) != Digest(file) {
			t.Fatalf("%s, %v", again, err)
		}
		claim.Manifest, claim.Index = ociref.DigestOf(e.Manifest), ""
		if len(e.Index) > 0 {
			claim.Index = ociref.DigestOf(e.Index)
		}
		if _, err := e.Prove(claim, allowed); err != nil {
			if _, ok := err.(*Error); !ok {
				t.Fatalf("%T", err)
			}
		}
	})
}
