package publickey

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"math/big"
	"strings"

	"github.com/greenticai/packvendor/internal/printable"
	"github.com/greenticai/packvendor/internal/strictjson"
)

// A Published is a key in a file that a publisher gives out.
type Published struct {
	ID  string // what the file calls it, or Greentic's programs do; "" if neither does
	Key *Key
}

// ParsePublished reads a file that a publisher gives out: one that [ParsePEM] reads, a trust
// root, or a DID document (https://www.w3.org/TR/did-1.0/, section 5.2.1). Of the latter it
// leaves out keys of kinds that packvendor does not use: such documents also hold keys that
// sign nothing. There is at least one key, and each is there once. Errors are *Error.
func ParsePublished(file []byte) ([]Published, error) {
	switch {
	case len(file) > MaxTrustRoot:
		return nil, refused("larger than %d bytes", MaxTrustRoot)
	case !bytes.HasPrefix(bytes.TrimLeft(file, pemSpace), []byte("{")):
		key, err := ParsePEM(file)
		if err != nil {
			return nil, err
		}
		return []Published{{ID: key.GreenticID(), Key: key}}, nil
	}
	isDID := false
	strictjson.Read(file, func(o strictjson.Object) { isDID = o.Has("verificationMethod") })
	if isDID {
		return parseDID(file)
	}
	keys, err := ParseTrustRoot(file)
	var list []Published
	for _, key := range keys {
		list = append(list, Published{ID: key.GreenticID(), Key: key})
	}
	return list, err
}

// parseDID reads a DID document.
func parseDID(file []byte) ([]Published, error) {
	var list []Published
	var first error // of a key that is left out
	seen := map[string]bool{}
	err := strictjson.Read(file, func(o strictjson.Object) {
		for _, method := range o.Objects("verificationMethod") {
			id := method.String("id")
			key, err := parseMethod(method)
			var bad *Error
			switch {
			case errors.As(err, &bad) && bad.Unsupported:
				if first == nil {
					first = err
				}
			case err != nil:
				method.Fail("", "%v", err)
			case key != nil && !seen[key.Identity()]:
				seen[key.Identity()] = true
				list = append(list, Published{ID: id, Key: key})
			}
		}
	})
	switch {
	case err != nil:
		return nil, refused("not a DID document with keys: %v", err)
	case len(list) > 0:
		return list, nil
	case first != nil:
		return nil, first
	}
	return nil, refused("a DID document without keys")
}

// parseMethod reads the key of a verification method.
func parseMethod(method strictjson.Object) (*Key, error) {
	switch {
	case method.Has("publicKeyJwk"):
		return parseJWK(method.Object("publicKeyJwk"))
	case method.Has("publicKeyMultibase"):
		return parseMultibase(method.String("publicKeyMultibase"))
	}
	return nil, unsupported("a verification method without publicKeyJwk and publicKeyMultibase")
}

// parseJWK reads a JSON Web Key: RFC 7517; RFC 7518, section 6; RFC 8037, section 2.
func parseJWK(o strictjson.Object) (*Key, error) {
	kty := o.String("kty")
	curve := ""
	if o.Has("crv") {
		curve = o.String("crv")
	}
	switch {
	case o.Has("d"):
		return nil, refused("a private key: keep it secret, and use its public key")
	case kty == "OKP" && curve == "Ed25519":
		return fromPublic(ed25519.PublicKey(base64URL(o, "x", ed25519.PublicKeySize)))
	case kty == "EC" && curve == "P-256":
		const size = 32
		point := append([]byte{4}, base64URL(o, "x", size)...)
		public, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), append(point, base64URL(o, "y", size)...))
		if err != nil {
			return nil, refused("a malformed %s key", "ECDSA")
		}
		return fromPublic(public)
	case kty == "RSA":
		n, e := new(big.Int).SetBytes(base64URL(o, "n", 0)), new(big.Int).SetBytes(base64URL(o, "e", 0))
		if !e.IsInt64() || n.BitLen() > maxModulus || e.BitLen() > 31 || e.Sign() == 0 || n.Sign() == 0 {
			return nil, unsupported("an RSA key of that size")
		}
		return fromPublic(&rsa.PublicKey{N: n, E: int(e.Int64())})
	}
	return nil, unsupported("a JSON Web Key of type %s", printable.Phrase(strings.TrimSpace(kty+" "+curve), 40))
}

// base64URL returns the bytes under key, in base64url without padding; size 0 is any.
func base64URL(o strictjson.Object, key string, size int) []byte {
	text := o.String(key)
	data, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || base64.RawURLEncoding.EncodeToString(data) != text || len(data) == 0 || size > 0 && len(data) != size {
		o.Fail(key, "not the base64url of a key's number")
		return make([]byte, max(size, 1))
	}
	return data
}

// fromPublic returns the key of the standard library's.
func fromPublic(public crypto.PublicKey) (*Key, error) {
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		return nil, refused("a malformed key")
	}
	return ParseSPKI(der)
}

const (
	base58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
	// maxMultibase bounds the length of a key in multibase: one of Ed25519 has 48.
	maxMultibase = 128
)

// ed25519Code precedes the bytes of an Ed25519 key: https://github.com/multiformats/multicodec
var ed25519Code = []byte{0xed, 0x01}

// parseMultibase reads a key as https://www.w3.org/TR/cid-1.0/#Multikey has it, in base58btc.
func parseMultibase(text string) (*Key, error) {
	digits, ok := strings.CutPrefix(text, "z")
	if !ok || len(text) > maxMultibase {
		return nil, unsupported("a key in multibase %s", printable.Phrase(text, 8))
	}
	n, zeros := new(big.Int), 0
	for i, digit := range digits {
		value := strings.IndexRune(base58, digit)
		if value < 0 {
			return nil, refused("a key in multibase with other characters than those of base58")
		}
		if value == 0 && zeros == i {
			zeros++
		}
		n.Mul(n, big.NewInt(int64(len(base58)))).Add(n, big.NewInt(int64(value)))
	}
	data := append(make([]byte, zeros), n.Bytes()...)
	raw, ok := bytes.CutPrefix(data, ed25519Code)
	switch {
	case !ok:
		return nil, unsupported("a key in multibase that is not Ed25519")
	case len(raw) != ed25519.PublicKeySize:
		return nil, refused("a malformed %s key", "Ed25519")
	}
	return fromPublic(ed25519.PublicKey(raw))
}
