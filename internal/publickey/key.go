// Package publickey owns the public keys that may sign packs: which kinds there are, how
// they are written, what identifies one, and what it verifies.
//
// The key alone decides the algorithm: a signature cannot choose a weaker one. There are
// Ed25519 (RFC 8032; Ed25519ph too, for formats that have it), ECDSA over P-256 with SHA-256
// (FIPS 186-5; strict DER), and RSA of 2048 to 4096 bits with the exponent 65537, PKCS #1
// v1.5 and SHA-256 (RFC 8017). All keys are written as SubjectPublicKeyInfo, RFC 5280,
// section 4.1.
package publickey

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/asn1"
	"encoding/hex"
	"fmt"
)

// MaxFile bounds the bytes of a file with a key.
const MaxFile = 16 << 10

// Bounds on the modulus of an RSA key, in bits, and its one exponent.
const (
	minModulus = 2048
	maxModulus = 4096
	exponent   = 65537
)

// A Key is a public key. Its methods can be called at the same time. Two keys are the same
// where their identities are.
type Key struct {
	spki   []byte
	public crypto.PublicKey // ed25519.PublicKey, *ecdsa.PublicKey or *rsa.PublicKey
}

// An Error says why something is no key that packvendor uses.
type Error struct {
	Reason string
	// Unsupported says that it may well be a key, of a kind that packvendor does not use.
	Unsupported bool
}

func (e *Error) Error() string {
	if e.Unsupported {
		return e.Reason + " is not supported yet: use Ed25519, ECDSA P-256, or RSA of 2048 to 4096 bits with the exponent 65537"
	}
	return e.Reason
}

func refused(format string, args ...any) *Error {
	return &Error{Reason: fmt.Sprintf(format, args...)}
}

func unsupported(format string, args ...any) *Error {
	return &Error{Reason: fmt.Sprintf(format, args...), Unsupported: true}
}

// ParseSPKI reads a SubjectPublicKeyInfo in DER. Its errors are *Error.
func ParseSPKI(der []byte) (*Key, error) {
	algorithm, err := algorithmOf(der)
	if err != nil {
		return nil, err
	}
	public, err := x509.ParsePKIXPublicKey(der)
	if err != nil {
		return nil, refused("a malformed %s key", algorithm) // the library's words change
	}
	switch public := public.(type) {
	case ed25519.PublicKey:
		err = checkPoint(public)
	case *rsa.PublicKey:
		err = checkModulus(public)
	}
	if err != nil {
		return nil, err
	}
	// One key has one encoding, since its hash is the key's identity.
	canonical, err := x509.MarshalPKIXPublicKey(public)
	if err != nil || !bytes.Equal(canonical, der) {
		return nil, refused("not a public key in canonical DER")
	}
	return &Key{spki: canonical, public: public}, nil
}

// The algorithms of keys, and the curve: RFC 8410, section 3; RFC 5480, section 2.1;
// RFC 3279, section 2.3.1.
var (
	oidEd25519 = asn1.ObjectIdentifier{1, 3, 101, 112}
	oidECDSA   = asn1.ObjectIdentifier{1, 2, 840, 10045, 2, 1}
	oidRSA     = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 1}
	oidP256    = asn1.ObjectIdentifier{1, 2, 840, 10045, 3, 1, 7}
)

// algorithmOf names the algorithm of a key. It tells keys of other kinds from what is no key.
func algorithmOf(der []byte) (string, error) {
	var spki struct {
		Algorithm struct {
			Algorithm  asn1.ObjectIdentifier
			Parameters asn1.RawValue `asn1:"optional"`
		}
		PublicKey asn1.BitString
	}
	if rest, err := asn1.Unmarshal(der, &spki); err != nil || len(rest) > 0 {
		return "", refused("not a public key: no SubjectPublicKeyInfo in DER")
	}
	algorithm := spki.Algorithm.Algorithm
	switch {
	case algorithm.Equal(oidEd25519):
		return "Ed25519", nil
	case algorithm.Equal(oidRSA):
		return "RSA", nil
	case !algorithm.Equal(oidECDSA):
		return "", unsupported("a key of algorithm %s", algorithm)
	}
	var curve asn1.ObjectIdentifier
	if _, err := asn1.Unmarshal(spki.Algorithm.Parameters.FullBytes, &curve); err != nil {
		return "", unsupported("an ECDSA key whose curve has no name")
	}
	if !curve.Equal(oidP256) {
		return "", unsupported("an ECDSA key on the curve %s", curveName(curve))
	}
	return "ECDSA", nil
}

func curveName(oid asn1.ObjectIdentifier) string {
	switch oid.String() {
	case "1.3.132.0.33":
		return elliptic.P224().Params().Name
	case "1.3.132.0.34":
		return elliptic.P384().Params().Name
	case "1.3.132.0.35":
		return elliptic.P521().Params().Name
	}
	return oid.String()
}

func checkModulus(key *rsa.PublicKey) error {
	if bits := key.N.BitLen(); bits < minModulus || bits > maxModulus {
		return unsupported("an RSA key of %d bits", bits)
	}
	if key.E != exponent {
		return unsupported("an RSA key with the exponent %d", key.E)
	}
	if key.N.Bit(0) == 0 {
		return refused("not a public key: its modulus is even")
	}
	return nil
}

// Algorithm names the key's algorithm: "Ed25519", "ECDSA P-256", or "RSA" with its bits.
func (k *Key) Algorithm() string {
	switch public := k.public.(type) {
	case *ecdsa.PublicKey:
		return "ECDSA P-256"
	case *rsa.PublicKey:
		return fmt.Sprintf("RSA %d", public.N.BitLen())
	}
	return "Ed25519"
}

// SPKI returns the key's SubjectPublicKeyInfo in DER, the only one it has.
func (k *Key) SPKI() []byte { return bytes.Clone(k.spki) }

// Identity returns what packs.lock calls the key: "key:sha256:" and the SHA-256 of
// [Key.SPKI] in 64 hexadecimal digits.
func (k *Key) Identity() string { return "key:sha256:" + k.Fingerprint() }

// Fingerprint returns the hexadecimal digits of the identity.
func (k *Key) Fingerprint() string {
	sum := sha256.Sum256(k.spki)
	return hex.EncodeToString(sum[:])
}

// GreenticID returns what the envelopes of greentic-distributor-client and its trust roots
// call an Ed25519 key: 32 hexadecimal digits, the first 16 bytes of the SHA-256 of its 32
// bytes (key_id_for_public_key_pem in its src/signing.rs). It is "" for other keys.
func (k *Key) GreenticID() string {
	public, ok := k.public.(ed25519.PublicKey)
	if !ok {
		return ""
	}
	sum := sha256.Sum256(public)
	return hex.EncodeToString(sum[:16])
}

// Verify tells whether signature is the key's over message. An ECDSA signature is in DER,
// the others are raw bytes. Of Ed25519 it is the kind that does not hash the message first:
// see [Key.VerifyPrehashed].
func (k *Key) Verify(message, signature []byte) bool {
	sum := sha256.Sum256(message)
	switch public := k.public.(type) {
	case ed25519.PublicKey:
		return isSignature(signature) && ed25519.Verify(public, message, signature)
	case *ecdsa.PublicKey:
		return ecdsa.VerifyASN1(public, sum[:], signature)
	case *rsa.PublicKey:
		return rsa.VerifyPKCS1v15(public, crypto.SHA256, sum[:], signature) == nil
	}
	return false
}

// VerifyPrehashed tells whether signature is one of Ed25519ph over message, RFC 8032, section
// 5.1: over its SHA-512. It is false for keys of other kinds. A signature of Ed25519 is none
// of Ed25519ph, nor the other way round, whatever the message.
func (k *Key) VerifyPrehashed(message, signature []byte) bool {
	public, ok := k.public.(ed25519.PublicKey)
	sum := sha512.Sum512(message)
	return ok && isSignature(signature) && ed25519.VerifyWithOptions(public, sum[:], signature, &ed25519.Options{Hash: crypto.SHA512}) == nil
}

// isSignature tells whether signature can be one of Ed25519. Its first half is the point R.
func isSignature(signature []byte) bool {
	return len(signature) == ed25519.SignatureSize && !isSmallOrder(signature[:32])
}
