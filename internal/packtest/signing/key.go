// Package signing makes signed things for tests, right ones and forged ones.
//
// It shares no code with the rooms that judge signatures: keys, envelopes, bundles and
// statements are made by the standard library from their specifications. What it makes is
// data with exported fields. A test forges a field by changing it before it asks for the
// bytes.
package signing

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/pem"
	"math/big"
	"sync"
)

// A Key signs. Keys of one kind and seed are the same in every run, and so are their
// signatures.
type Key struct{ private crypto.Signer }

// Ed25519 returns the key whose seed is 32 bytes with the value seed.
func Ed25519(seed byte) *Key {
	return &Key{ed25519.NewKeyFromSeed(repeated(seed, ed25519.SeedSize))}
}

// P256 returns the ECDSA key whose scalar is 32 bytes with the value seed, 1 to 254.
func P256(seed byte) *Key { return Elliptic(elliptic.P256(), seed) }

// Elliptic is P256 on another curve.
func Elliptic(curve elliptic.Curve, seed byte) *Key {
	private, err := ecdsa.ParseRawPrivateKey(curve, scalar(curve, seed))
	if err != nil {
		panic("signing: " + err.Error()) // these scalars are in range
	}
	return &Key{private}
}

// scalar returns the bytes of a scalar below the order of the curve.
func scalar(curve elliptic.Curve, seed byte) []byte {
	bytes := repeated(seed, (curve.Params().N.BitLen()+7)/8)
	bytes[0] &= 1 // of P-521 the first byte has one bit
	return bytes
}

func repeated(b byte, n int) []byte {
	bytes := make([]byte, n)
	for i := range bytes {
		bytes[i] = b
	}
	return bytes
}

var rsaKeys sync.Map // rsaSpec → *rsa.PrivateKey

type rsaSpec struct {
	seed           byte
	bits, exponent int
}

// RSA returns a key whose modulus has so many bits, a multiple of 16. 2048 take a tenth of
// a second.
func RSA(seed byte, bits, exponent int) *Key {
	spec := rsaSpec{seed, bits, exponent}
	if made, ok := rsaKeys.Load(spec); ok {
		return &Key{made.(*rsa.PrivateKey)}
	}
	private := spec.make()
	rsaKeys.Store(spec, private)
	return &Key{private}
}

// make returns the key. rsa.GenerateKey would return another one in every run.
func (s rsaSpec) make() *rsa.PrivateKey {
	p, q := s.prime(0, s.bits/2), s.prime(1, s.bits/2)
	one := big.NewInt(1)
	phi := new(big.Int).Mul(new(big.Int).Sub(p, one), new(big.Int).Sub(q, one))
	private := &rsa.PrivateKey{
		PublicKey: rsa.PublicKey{N: new(big.Int).Mul(p, q), E: s.exponent},
		D:         new(big.Int).ModInverse(big.NewInt(int64(s.exponent)), phi),
		Primes:    []*big.Int{p, q},
	}
	private.Precompute()
	return private
}

// prime returns the first fit prime of so many bits after a number that the seed makes. It
// has its two highest bits, so that the product of two has all of its own.
func (s rsaSpec) prime(which byte, bits int) *big.Int {
	stream := []byte{}
	for n := uint32(0); len(stream)*8 < bits; n++ {
		block := sha512.Sum512(binary.BigEndian.AppendUint32([]byte{s.seed, which}, n))
		stream = append(stream, block[:]...)
	}
	p := new(big.Int).SetBytes(stream[:bits/8])
	p.SetBit(p.SetBit(p.SetBit(p, bits-1, 1), bits-2, 1), 0, 1)
	one, e := big.NewInt(1), big.NewInt(int64(s.exponent))
	for two := big.NewInt(2); ; p.Add(p, two) {
		coprime := new(big.Int).GCD(nil, nil, e, new(big.Int).Sub(p, one)).Cmp(one) == 0
		if coprime && p.ProbablyPrime(1) {
			return p
		}
	}
}

// Sign returns the key's signature over message: of Ed25519 the 64 bytes, of ECDSA one in
// DER over the SHA-256, of RSA one of PKCS #1 v1.5 over the SHA-256.
func (k *Key) Sign(message []byte) []byte {
	digest, opts := message, crypto.Hash(0)
	if _, ok := k.private.(ed25519.PrivateKey); !ok {
		sum := sha256.Sum256(message)
		digest, opts = sum[:], crypto.SHA256
	}
	signature, err := k.private.Sign(nil, digest, opts) // without randomness: RFC 6979
	if err != nil {
		panic("signing: " + err.Error()) // the keys are right
	}
	return signature
}

// SignPrehashed returns a signature of Ed25519ph, as cosign makes them. The key is of
// Ed25519.
func (k *Key) SignPrehashed(message []byte) []byte {
	sum := sha512.Sum512(message)
	signature, err := k.private.Sign(nil, sum[:], &ed25519.Options{Hash: crypto.SHA512})
	if err != nil {
		panic("signing: " + err.Error()) // the keys are right
	}
	return signature
}

// Public returns the public key in the form of the standard library.
func (k *Key) Public() crypto.PublicKey { return k.private.Public() }

// SPKI returns the public key in DER.
func (k *Key) SPKI() []byte {
	der, err := x509.MarshalPKIXPublicKey(k.private.Public())
	if err != nil {
		panic("signing: " + err.Error()) // the kinds above can be marshalled
	}
	return der
}

// Inline returns SPKI in base64.
func (k *Key) Inline() string { return base64.StdEncoding.EncodeToString(k.SPKI()) }

// PEM returns the public key's file.
func (k *Key) PEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: k.SPKI()})
}

// PrivatePEM returns the private key in PKCS #8, for programs such as OpenSSL.
func (k *Key) PrivatePEM() []byte {
	der, err := x509.MarshalPKCS8PrivateKey(k.private)
	if err != nil {
		panic("signing: " + err.Error()) // the kinds above can be marshalled
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
}

// Identity returns what packs.lock calls the key.
func (k *Key) Identity() string {
	sum := sha256.Sum256(k.SPKI())
	return "key:sha256:" + hex.EncodeToString(sum[:])
}

// GreenticID returns what greentic-distributor-client calls an Ed25519 key; "" for others.
func (k *Key) GreenticID() string {
	public, ok := k.private.Public().(ed25519.PublicKey)
	if !ok {
		return ""
	}
	sum := sha256.Sum256(public)
	return hex.EncodeToString(sum[:16])
}
