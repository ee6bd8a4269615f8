package publickey

import (
	"bytes"
	"encoding/pem"
	"fmt"
	"strings"

	"github.com/greenticai/packvendor/internal/printable"
	"github.com/greenticai/packvendor/internal/strictjson"
)

const (
	pemType  = "PUBLIC KEY"
	pemBegin = "-----BEGIN "
	pemSpace = " \t\r\n"
)

// ParsePEM reads the bytes of a file with one key, RFC 7468, section 13: exactly one block
// PUBLIC KEY without headers, only white space around it, at most [MaxFile] bytes. Its
// errors are *Error.
func ParsePEM(file []byte) (*Key, error) {
	if len(file) > MaxFile {
		return nil, refused("larger than %d bytes", MaxFile)
	}
	text := bytes.Trim(file, pemSpace)
	switch n := bytes.Count(text, []byte(pemBegin)); {
	case n == 0:
		return nil, refused("no PEM block %s", pemType)
	case !bytes.HasPrefix(text, []byte(pemBegin)):
		return nil, refused("other text before the PEM block")
	case n > 1:
		return nil, refused("%d PEM blocks, not one", n)
	}
	block, rest := pem.Decode(text)
	switch {
	case block == nil:
		return nil, refused("a malformed PEM block")
	case strings.HasSuffix(block.Type, "PRIVATE KEY"):
		return nil, refused("a private key: keep it secret, and use its public key")
	case block.Type != pemType:
		return nil, refused("a PEM block %s, not %s", printable.Phrase(block.Type, 40), pemType)
	case len(block.Headers) > 0:
		return nil, refused("a PEM block with headers")
	case len(rest) > 0:
		return nil, refused("other text after the PEM block")
	}
	return ParseSPKI(block.Bytes)
}

// PEM returns the file that ParsePEM reads.
func (k *Key) PEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: pemType, Bytes: k.spki})
}

// ParseInline reads a key that packs.toml itself holds: its SubjectPublicKeyInfo in base64.
// Its errors are *Error.
func ParseInline(text string) (*Key, error) {
	if len(text) > MaxFile {
		return nil, refused("larger than %d bytes", MaxFile)
	}
	der, err := strictjson.Base64(text)
	if err != nil {
		return nil, refused("%v", err)
	}
	return ParseSPKI(der)
}

const (
	trustRootSchema = "greentic.trust-root.v1"
	// MaxTrustRoot bounds the bytes of a trust root.
	MaxTrustRoot = 1 << 20
)

// ParseTrustRoot reads a trust-root.json, the list of keys that Greentic's programs trust:
//
//	{"schema": "greentic.trust-root.v1", "keys": [{"key_id": …, "public_key_pem": …}]}
//
// The schema may be missing: greentic-distributor-client itself writes none. All keys are
// Ed25519, each is there once, and key_id is its [Key.GreenticID], in any case. Errors are
// *Error.
func ParseTrustRoot(file []byte) ([]*Key, error) {
	if len(file) > MaxTrustRoot {
		return nil, refused("larger than %d bytes", MaxTrustRoot)
	}
	var keys []*Key
	var wrong *Error // of a key
	err := strictjson.Read(file, func(o strictjson.Object) {
		o.Only("schema", "keys")
		if o.Has("schema") {
			if schema := o.String("schema"); schema != trustRootSchema {
				o.Fail("schema", "%s, not %s", printable.Quote(schema, 80), trustRootSchema)
			}
		}
		seen := map[string]bool{}
		for i, entry := range o.Objects("keys") {
			entry.Only("key_id", "public_key_pem")
			id, text := entry.String("key_id"), entry.String("public_key_pem")
			key, err := parseListed(id, text)
			if err != nil && wrong == nil {
				wrong = &Error{Reason: fmt.Sprintf("keys[%d]: %s", i, err.Reason), Unsupported: err.Unsupported}
			}
			if err == nil && seen[key.Identity()] {
				entry.Fail("", "key %s is there twice", key.GreenticID())
			}
			if err == nil {
				seen[key.Identity()] = true
				keys = append(keys, key)
			}
		}
	})
	switch {
	case err != nil:
		return nil, refused("not a trust root: %v", err)
	case wrong != nil:
		return nil, wrong
	case len(keys) == 0:
		return nil, refused("a trust root without keys")
	}
	return keys, nil
}

// parseListed reads a key of a trust root.
func parseListed(id, text string) (*Key, *Error) {
	key, err := ParsePEM([]byte(text))
	if err != nil {
		return nil, err.(*Error)
	}
	derived := key.GreenticID()
	switch {
	case derived == "":
		return nil, refused("an %s key: a trust root holds Ed25519 keys", key.Algorithm())
	case !strings.EqualFold(id, derived):
		return nil, refused("key_id %s is not the key's own, %s", printable.Quote(id, 80), derived)
	}
	return key, nil
}
