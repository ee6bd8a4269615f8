package publickey

import (
	"bytes"
	"crypto/ecdh"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha512"
	"crypto/x509"
	"encoding/asn1"
	"encoding/hex"
	"errors"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/greenticai/packvendor/internal/packtest/signing"
)

const notSupported = " is not supported yet: use Ed25519, ECDSA P-256, or RSA of 2048 to 4096 bits with the exponent 65537"

func message(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// check compares an error with its text, and whether it says "not supported".
func check(t *testing.T, name string, err error, want string) {
	t.Helper()
	if message(err) != want {
		t.Errorf("%s:\n got: %s\nwant: %s", name, message(err), want)
	}
	var typed *Error
	if err != nil && (!errors.As(err, &typed) || typed.Unsupported != strings.HasSuffix(want, notSupported)) {
		t.Errorf("%s: %#v", name, err)
	}
}

// Each kind of key verifies its own signatures and no others.
func TestVerify(t *testing.T) {
	text, other := []byte("message"), []byte("another message")
	for algorithm, pair := range map[string][2]*signing.Key{
		"Ed25519":     {signing.Ed25519(1), signing.Ed25519(2)},
		"ECDSA P-256": {signing.P256(1), signing.P256(2)},
		"RSA 2048":    {signing.RSA(1, 2048, 65537), signing.RSA(2, 2048, 65537)},
		"RSA 4096":    {signing.RSA(1, 4096, 65537), signing.RSA(1, 2048, 65537)},
	} {
		key, err := ParseSPKI(pair[0].SPKI())
		if err != nil {
			t.Errorf("%s: %v", algorithm, err)
			continue
		}
		signature := pair[0].Sign(text)
		changed := slices.Clone(signature)
		changed[len(changed)-1] ^= 1
		for name, test := range map[string]struct {
			message, signature []byte
			want               bool
		}{
			"its own":        {text, signature, true},
			"other message":  {other, signature, false},
			"other key":      {text, pair[1].Sign(text), false},
			"changed":        {text, changed, false},
			"nothing":        {text, nil, false},
			"too short":      {text, signature[:len(signature)-1], false},
			"too long":       {text, append(slices.Clone(signature), 0), false},
			"another kind's": {text, bytes.Repeat([]byte{1}, 64), false},
		} {
			if got := key.Verify(test.message, test.signature); got != test.want {
				t.Errorf("%s, %s: %t", algorithm, name, got)
			}
			if key.VerifyPrehashed(test.message, test.signature) {
				t.Errorf("%s, %s: verifies as prehashed", algorithm, name)
			}
		}
		if key.Algorithm() != algorithm || key.Identity() != pair[0].Identity() || "key:sha256:"+key.Fingerprint() != key.Identity() ||
			key.GreenticID() != pair[0].GreenticID() || !bytes.Equal(key.SPKI(), pair[0].SPKI()) || !bytes.Equal(key.PEM(), pair[0].PEM()) {
			t.Errorf("%s: %s, %s, %s", algorithm, key.Algorithm(), key.Identity(), key.GreenticID())
		}
	}
}

// A signature of Ed25519ph is none of Ed25519: not over the message, nor over its hash.
func TestVerifyPrehashed(t *testing.T) {
	text := []byte("message")
	sum := sha512.Sum512(text)
	key, err := ParseSPKI(signing.Ed25519(1).SPKI())
	if err != nil {
		t.Fatal(err)
	}
	signature := signing.Ed25519(1).SignPrehashed(text)
	neutral := append(littleEndian(big.NewInt(1), 0), make([]byte, 32)...)
	for name, test := range map[string]struct {
		message, signature []byte
		want               bool
	}{
		"its own":       {text, signature, true},
		"other message": {[]byte("another message"), signature, false},
		"the hash":      {sum[:], signature, false},
		"other key":     {text, signing.Ed25519(2).SignPrehashed(text), false},
		"too short":     {text, signature[:63], false},
		"small R":       {text, neutral, false},
		"pure, of hash": {text, signing.Ed25519(1).Sign(sum[:]), false},
	} {
		if got := key.VerifyPrehashed(test.message, test.signature); got != test.want {
			t.Errorf("%s: %t", name, got)
		}
	}
	if key.Verify(text, signature) || key.Verify(sum[:], signature) {
		t.Error("verifies as Ed25519")
	}
}

// ECDSA signatures are strict DER: a value has one encoding.
func TestStrictDER(t *testing.T) {
	signer := signing.P256(1)
	key, err := ParseSPKI(signer.SPKI())
	if err != nil {
		t.Fatal(err)
	}
	var rs struct{ R, S *big.Int }
	text := []byte("message")
	if _, err := asn1.Unmarshal(signer.Sign(text), &rs); err != nil {
		t.Fatal(err)
	}
	number := func(n *big.Int, zeros int) []byte {
		b := append(make([]byte, zeros), n.Bytes()...)
		if zeros == 0 && b[0] >= 0x80 {
			b = append([]byte{0}, b...)
		}
		return append([]byte{2, byte(len(b))}, b...)
	}
	r, s := number(rs.R, 0), number(rs.S, 0)
	sequence := func(tag byte, parts ...[]byte) []byte {
		body := slices.Concat(parts...)
		return append([]byte{tag, byte(len(body))}, body...)
	}
	long := append([]byte{0x30, 0x81, byte(len(r) + len(s))}, slices.Concat(r, s)...)
	order := elliptic.P256().Params().N
	for name, test := range map[string]struct {
		signature []byte
		want      bool
	}{
		"DER":            {sequence(0x30, r, s), true},
		"the other s":    {sequence(0x30, r, number(new(big.Int).Sub(order, rs.S), 0)), true}, // why no signature is an identity
		"leading zeros":  {sequence(0x30, number(rs.R, 2), s), false},
		"long length":    {long, false},
		"more inside":    {sequence(0x30, r, s, []byte{5, 0}), false},
		"more behind":    {append(sequence(0x30, r, s), 0), false},
		"indefinite":     {append(append([]byte{0x30, 0x80}, slices.Concat(r, s)...), 0, 0), false},
		"a set":          {sequence(0x31, r, s), false},
		"s plus order":   {sequence(0x30, r, number(new(big.Int).Add(order, rs.S), 0)), false},
		"raw, P1363":     {append(rs.R.FillBytes(make([]byte, 32)), rs.S.FillBytes(make([]byte, 32))...), false},
		"zero":           {sequence(0x30, []byte{2, 1, 0}, []byte{2, 1, 0}), false},
		"negative":       {sequence(0x30, []byte{2, 1, 0xff}, s), false},
		"without number": {sequence(0x30), false},
	} {
		if got := key.Verify(text, test.signature); got != test.want {
			t.Errorf("%s: %t, want %t", name, got, test.want)
		}
	}
}

// spki wraps the bytes of a key of Ed25519.
func spki(key []byte) []byte {
	prefix, _ := hex.DecodeString("302a300506032b6570032100")
	return append(prefix, key...)
}

// littleEndian encodes a y, with a sign.
func littleEndian(y *big.Int, sign byte) []byte {
	point := y.FillBytes(make([]byte, 32))
	slices.Reverse(point)
	point[31] |= sign << 7
	return point
}

// The points of small order have seven encodings of y below 2^255, and each of them two
// signs. crypto/ed25519 takes them as keys.
func TestSmallOrder(t *testing.T) {
	encodings := append(slices.Clone(smallOrder()), prime, new(big.Int).Add(prime, big.NewInt(1)))
	if len(encodings) != 7 {
		t.Fatalf("%d encodings", len(encodings))
	}
	for _, y := range encodings {
		for sign := range byte(2) {
			point := littleEndian(y, sign)
			if _, err := x509.ParsePKIXPublicKey(spki(point)); err != nil {
				t.Errorf("%x: the standard library refuses it: %v", point, err)
			}
			_, err := ParseSPKI(spki(point))
			check(t, hex.EncodeToString(point), err, "an Ed25519 key of small order: one signature would verify every message")
		}
	}
	// Of the order 8 are those y that doubling takes to y = 0: 2y² = 1 - dy⁴.
	for _, y := range smallOrder()[3:] {
		square := new(big.Int).Mul(y, y)
		sum := new(big.Int).Mul(square, square)
		sum.Mul(sum, curveD()).Add(sum, square).Add(sum, square)
		if sum.Mod(sum, prime).Cmp(big.NewInt(1)) != 0 {
			t.Errorf("%x is not of the order 8", y)
		}
	}
}

// Why: under the neutral point as a key one signature verifies every message.
func TestAttackOfSmallOrder(t *testing.T) {
	neutral := littleEndian(big.NewInt(1), 0)
	signature := append(slices.Clone(neutral), make([]byte, 32)...)
	for _, text := range []string{"a pack", "another pack"} {
		if !ed25519.Verify(neutral, []byte(text), signature) {
			t.Errorf("%s: crypto/ed25519 refuses it by itself now", text)
		}
	}
}

// A signature whose R is of small order, which only the key's owner can make, verifies in
// crypto/ed25519. ed25519-dalek's verify_strict, which greentic-distributor-client calls,
// refuses it.
func TestSmallR(t *testing.T) {
	seed := bytes.Repeat([]byte{1}, 32)
	private := ed25519.NewKeyFromSeed(seed)
	public := private.Public().(ed25519.PublicKey)
	text := []byte("message")
	hash := sha512.Sum512(seed)
	hash[0], hash[31] = hash[0]&248, hash[31]&63|64
	order, _ := new(big.Int).SetString("7237005577332262213973186563042994240857116359379907606001950938285454250989", 10)
	r := littleEndian(big.NewInt(1), 0)
	challenge := sha512.Sum512(slices.Concat(r, public, text))
	s := new(big.Int).Mul(fromLittleEndian(hash[:32]), fromLittleEndian(challenge[:]))
	signature := append(r, littleEndian(s.Mod(s, order), 0)...)
	if !ed25519.Verify(public, text, signature) {
		t.Error("crypto/ed25519 refuses it: the test is wrong")
	}
	key, err := ParseSPKI(spki(public))
	if err != nil || key.Verify(text, signature) {
		t.Errorf("accepted; %v", err)
	}
	// S plus the order of the base point: the same signature, written in another way.
	good := ed25519.Sign(private, text)
	malleated := append(slices.Clone(good[:32]), littleEndian(s.Add(fromLittleEndian(good[32:]), order), 0)...)
	if !key.Verify(text, good) || key.Verify(text, malleated) {
		t.Error("S has two encodings")
	}
}

func fromLittleEndian(b []byte) *big.Int {
	b = slices.Clone(b)
	slices.Reverse(b)
	return new(big.Int).SetBytes(b)
}

// There are 19 y that are not canonical. Two are of small order.
func TestNotCanonical(t *testing.T) {
	for n := int64(2); n < 19; n++ {
		for sign := range byte(2) {
			_, err := ParseSPKI(spki(littleEndian(new(big.Int).Add(prime, big.NewInt(n)), sign)))
			check(t, "p + n", err, "an Ed25519 key that is not canonical")
		}
	}
}

// A y of no point is no key; all keys that are made are points.
func TestOnCurve(t *testing.T) {
	_, err := ParseSPKI(spki(littleEndian(big.NewInt(2), 0)))
	check(t, "y = 2", err, "not a public key: no point of the curve of Ed25519")
	for seed := range byte(100) {
		if _, err := ParseSPKI(signing.Ed25519(seed).SPKI()); err != nil {
			t.Errorf("%d: %v", seed, err)
		}
	}
}

func rsaOf(bits uint, e int) []byte {
	n := new(big.Int).SetBit(big.NewInt(1), int(bits)-1, 1)
	der, err := x509.MarshalPKIXPublicKey(&rsa.PublicKey{N: n, E: e})
	if err != nil {
		panic(err)
	}
	return der
}

func TestParseSPKI(t *testing.T) {
	unhex := func(s string) []byte {
		b, err := hex.DecodeString(s)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	x25519, err := ecdh.X25519().NewPrivateKey(bytes.Repeat([]byte{1}, 32))
	if err != nil {
		t.Fatal(err)
	}
	ecdhSPKI, err := x509.MarshalPKIXPublicKey(x25519.PublicKey())
	if err != nil {
		t.Fatal(err)
	}
	ed, ec := signing.Ed25519(1).SPKI(), signing.P256(1).SPKI()
	even := rsaOf(2048, 65537)
	even[bytes.LastIndex(even, []byte{0, 1, 2, 3, 1, 0, 1})+1] = 2 // the modulus ends before the exponent
	infinite := append(slices.Clone(ec[:len(ec)-65]), bytes.Repeat([]byte{0}, 65)...)
	noPoint := slices.Clone(ec)
	noPoint[len(noPoint)-1] ^= 1
	for name, test := range map[string]struct {
		der  []byte
		want string
	}{
		"Ed25519":                {ed, ""},
		"P-256":                  {ec, ""},
		"RSA 2048":               {rsaOf(2048, 65537), ""},
		"RSA 3072":               {rsaOf(3072, 65537), ""},
		"RSA 4096":               {rsaOf(4096, 65537), ""},
		"RSA 1024":               {rsaOf(1024, 65537), "an RSA key of 1024 bits" + notSupported},
		"RSA 2047":               {rsaOf(2047, 65537), "an RSA key of 2047 bits" + notSupported},
		"RSA 4097":               {rsaOf(4097, 65537), "an RSA key of 4097 bits" + notSupported},
		"RSA 16384":              {rsaOf(16384, 65537), "an RSA key of 16384 bits" + notSupported},
		"RSA, e = 3":             {rsaOf(2048, 3), "an RSA key with the exponent 3" + notSupported},
		"RSA, e = 65539":         {rsaOf(2048, 65539), "an RSA key with the exponent 65539" + notSupported},
		"RSA, even":              {even, "not a public key: its modulus is even"},
		"P-224":                  {signing.Elliptic(elliptic.P224(), 1).SPKI(), "an ECDSA key on the curve P-224" + notSupported},
		"P-384":                  {signing.Elliptic(elliptic.P384(), 1).SPKI(), "an ECDSA key on the curve P-384" + notSupported},
		"P-521":                  {signing.Elliptic(elliptic.P521(), 1).SPKI(), "an ECDSA key on the curve P-521" + notSupported},
		"X25519":                 {ecdhSPKI, "a key of algorithm 1.3.101.110" + notSupported},
		"Ed448":                  {unhex("3043300506032b6571033a00" + strings.Repeat("01", 57)), "a key of algorithm 1.3.101.113" + notSupported},
		"secp256k1":              {unhex("3018301006072a8648ce3d020106052b8104000a0304000401" + "02"), "an ECDSA key on the curve 1.3.132.0.10" + notSupported},
		"a curve without a name": {unhex("3011300b06072a8648ce3d0201300003020004"), "an ECDSA key whose curve has no name" + notSupported},
		"P-256, compressed":      {append(unhex("3039301306072a8648ce3d020106082a8648ce3d030107032200"), append([]byte{2}, ec[27:59]...)...), "a malformed ECDSA key"},
		"P-256, no point":        {noPoint, "a malformed ECDSA key"},
		"P-256, zeros":           {infinite, "a malformed ECDSA key"},
		"Ed25519, 31 bytes":      {unhex("3029300506032b6570032000" + strings.Repeat("01", 31)), "a malformed Ed25519 key"},
		"Ed25519, parameters":    {unhex("302c300706032b65700500032100" + strings.Repeat("01", 32)), "a malformed Ed25519 key"},
		"a long length":          {append([]byte{0x30, 0x81}, ed[1:]...), "not a public key: no SubjectPublicKeyInfo in DER"},
		"more behind":            {append(slices.Clone(ed), 0), "not a public key: no SubjectPublicKeyInfo in DER"},
		"cut off":                {ed[:len(ed)-1], "not a public key: no SubjectPublicKeyInfo in DER"},
		"nothing":                {nil, "not a public key: no SubjectPublicKeyInfo in DER"},
		"a private key":          {signing.Ed25519(1).PrivatePEM(), "not a public key: no SubjectPublicKeyInfo in DER"},
		"the raw key":            {ed[12:], "not a public key: no SubjectPublicKeyInfo in DER"},
	} {
		_, err := ParseSPKI(test.der)
		check(t, name, err, test.want)
	}
}

// The vector of TRUST.md, which greentic-distributor-client has too.
func TestVector(t *testing.T) {
	file, err := os.ReadFile(filepath.Join("testdata", "public.pem"))
	if err != nil {
		t.Fatal(err)
	}
	key, err := ParsePEM(file)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := hex.EncodeToString(key.SPKI()[12:]), "8a88e3dd7409f195fd52db2d3cba5d72ca6709bf1d94121bf3748801b40f6f5c"; got != want {
		t.Errorf("key %s, want %s", got, want)
	}
	if got, want := key.GreenticID(), "34750f98bd59fcfc946da45aaabe933b"; got != want {
		t.Errorf("id %s, want %s", got, want)
	}
	if !bytes.Equal(key.PEM(), file) {
		t.Errorf("PEM:\n%s", key.PEM())
	}
}

// Go's parser shifts a bit string that ends within a byte: a key would have two encodings,
// and two identities.
func TestCanonicalDER(t *testing.T) {
	point := signing.Ed25519(0).SPKI()[12:]
	for seed := byte(1); point[0] >= 0x80; seed++ {
		point = signing.Ed25519(seed).SPKI()[12:]
	}
	shifted := spki(new(big.Int).Lsh(new(big.Int).SetBytes(point), 1).FillBytes(make([]byte, 32)))
	shifted[11] = 1 // bits that do not count
	public, err := x509.ParsePKIXPublicKey(shifted)
	if err != nil || !bytes.Equal(public.(ed25519.PublicKey), point) {
		t.Errorf("Go's parser reads %v, %v: the test is wrong", public, err)
	}
	_, err = ParseSPKI(shifted)
	check(t, "shifted", err, "not a public key in canonical DER")
}
