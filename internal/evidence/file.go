// Package evidence owns NAME.evidence, the file beside a signed pack that holds its
// signature and the manifest, and proves from it alone who signed the pack.
//
// The chain has these links: packs.lock has the digests of the evidence, of the manifest and
// of the layer; the manifest, which the evidence carries, selects the layer; one signature,
// by a key that may sign, is about the layer or the manifest. A signature by a certificate is
// verified by what the caller gives: see [Keyless]. Neither the network nor the cache is needed.
package evidence

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"slices"

	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/signature"
	"github.com/greenticai/packvendor/internal/strictjson"
)

// MaxFile bounds a file of evidence, in bytes.
const MaxFile = 12 << 20

// version is that of the files that this package reads and writes.
const version = 1

// An Evidence is the content of a file. What its format does not have is empty.
type Evidence struct {
	Format    signature.Format
	Key       []byte // the SubjectPublicKeyInfo of the key that signed; empty if none did
	Manifest  []byte // the exact bytes, as all below
	Index     []byte // the image index that the reference led to
	Bundle    []byte // of signature.Bundle
	Signature []byte // of signature.Simple
	Payload   []byte // of signature.Simple
}

// A SyntaxError reports a file that is no evidence.
type SyntaxError struct {
	Reason string
	// Newer says that a newer packvendor may have written the file.
	Newer bool
}

func (e *SyntaxError) Error() string { return "invalid evidence: " + e.Reason }

func invalid(format string, args ...any) *SyntaxError {
	return &SyntaxError{Reason: fmt.Sprintf(format, args...)}
}

// A field is one of the file's values in base64.
type field struct {
	key   string
	value *[]byte
}

// fields returns the values in the order of the file.
func (e *Evidence) fields() []field {
	return []field{
		{"key", &e.Key}, {"manifest", &e.Manifest}, {"index", &e.Index},
		{"bundle", &e.Bundle}, {"signature", &e.Signature}, {"payload", &e.Payload},
	}
}

// fieldsOf has what evidence of a format has and may have. The envelope of Greentic is in
// the manifest.
var fieldsOf = map[signature.Format]struct{ required, optional []string }{
	signature.Greentic: {[]string{"key", "manifest"}, []string{"index"}},
	signature.Bundle:   {[]string{"manifest", "bundle"}, []string{"key", "index"}},
	signature.Simple:   {[]string{"key", "manifest", "signature", "payload"}, []string{"index"}},
}

// check checks that the fields are those of the format.
func (e *Evidence) check() error {
	known, ok := fieldsOf[e.Format]
	if !ok {
		return &SyntaxError{Reason: fmt.Sprintf("format %.60q is not supported", string(e.Format)), Newer: true}
	}
	for _, f := range e.fields() {
		required := slices.Contains(known.required, f.key)
		switch has := len(*f.value) > 0; {
		case has && !required && !slices.Contains(known.optional, f.key):
			return invalid("%s: unknown field of %s", f.key, e.Format)
		case !has && required:
			return invalid("%s: missing", f.key)
		}
	}
	return nil
}

// Bytes returns the file: one line of JSON. The error is a *SyntaxError if the fields are
// not those of the format, or the file would be too large.
func (e *Evidence) Bytes() ([]byte, error) {
	if err := e.check(); err != nil {
		return nil, err
	}
	var file []byte
	e.write(func(part []byte) { file = append(file, part...) })
	file = append(file, '\n')
	if len(file) > MaxFile {
		return nil, invalid("larger than %d bytes", MaxFile)
	}
	return file, nil
}

// write passes the parts of the file's one line to put, which must not keep them.
func (e *Evidence) write(put func([]byte)) {
	var buffer [256]byte // the file may be large, and need not be in memory twice
	put(fmt.Appendf(buffer[:0], `{"version":%d,"format":%q`, version, string(e.Format)))
	for _, f := range e.fields() {
		if len(*f.value) == 0 {
			continue
		}
		put(fmt.Appendf(buffer[:0], `,%q:"`, f.key))
		for chunk := range slices.Chunk(*f.value, base64.StdEncoding.DecodedLen(len(buffer))) {
			put(base64.StdEncoding.AppendEncode(buffer[:0], chunk))
		}
		put([]byte(`"`))
	}
	put([]byte("}"))
}

// isCanonical tells whether a file, but for the end of its line, is the one that write writes.
func (e *Evidence) isCanonical(file []byte) bool {
	rest, same := line(file), true
	e.write(func(part []byte) {
		after, found := bytes.CutPrefix(rest, part)
		rest, same = after, same && found
	})
	return same && len(rest) == 0
}

// Digest returns the digest of a file: of its bytes with LF at the end, however git has
// checked it out.
func Digest(file []byte) ociref.Digest {
	h := sha256.New()
	h.Write(line(file))
	h.Write([]byte("\n"))
	return ociref.DigestFromSum([sha256.Size]byte(h.Sum(nil)))
}

// line returns the file's one line without its end: LF, CRLF or none.
func line(file []byte) []byte {
	if before, ok := bytes.CutSuffix(file, []byte("\n")); ok {
		return bytes.TrimSuffix(before, []byte("\r"))
	}
	return file
}

// Parse reads a file. It accepts only what [Evidence.Bytes] writes, with LF, CRLF or no end
// of the line. Its errors are *SyntaxError.
func Parse(file []byte) (*Evidence, error) {
	if len(line(file)) >= MaxFile { // with LF it is larger
		return nil, invalid("larger than %d bytes", MaxFile)
	}
	e, newer := &Evidence{}, false
	err := strictjson.Read(file, func(o strictjson.Object) {
		if n := o.Int("version"); n > version {
			newer = true
			o.Fail("version", "%d is not supported", n)
		}
		known := []string{"version", "format"}
		e.Format = signature.Format(o.String("format"))
		for _, f := range e.fields() {
			known = append(known, f.key)
			if o.Has(f.key) {
				*f.value = o.Base64(f.key)
			}
		}
		o.Only(known...)
	})
	if err != nil {
		return nil, &SyntaxError{Reason: err.Error(), Newer: newer}
	}
	if err := e.check(); err != nil {
		return nil, err
	}
	if !e.isCanonical(file) {
		return nil, invalid("not as packvendor writes it")
	}
	return e, nil
}
