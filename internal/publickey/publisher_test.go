package publickey_test

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/big"
	"strings"
	"testing"

	"github.com/greenticai/packvendor/internal/packtest/signing"
	"github.com/greenticai/packvendor/internal/publickey"
)

func b64(data []byte) string { return base64.RawURLEncoding.EncodeToString(data) }

// jwk returns a key as a JSON Web Key.
func jwk(t *testing.T, key *signing.Key) string {
	t.Helper()
	switch public := key.Public().(type) {
	case ed25519.PublicKey:
		return fmt.Sprintf(`{"kty":"OKP","crv":"Ed25519","x":%q}`, b64(public))
	case *ecdsa.PublicKey:
		point, err := public.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprintf(`{"kty":"EC","crv":"P-256","x":%q,"y":%q}`, b64(point[1:33]), b64(point[33:]))
	case *rsa.PublicKey:
		return fmt.Sprintf(`{"kty":"RSA","n":%q,"e":%q}`, b64(public.N.Bytes()), b64(big.NewInt(int64(public.E)).Bytes()))
	}
	t.Fatalf("a key of type %T", key.Public())
	return ""
}

// multibase returns an Ed25519 key in base58btc.
func multibase(prefix []byte, key ed25519.PublicKey) string {
	const digits = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
	n, text := new(big.Int).SetBytes(append(prefix, key...)), ""
	for n.Sign() > 0 {
		digit := new(big.Int)
		n.DivMod(n, big.NewInt(58), digit)
		text = string(digits[digit.Int64()]) + text
	}
	return "z" + text
}

func did(methods ...string) string {
	return `{"@context":["https://www.w3.org/ns/did/v1"],"id":"did:web:example.com","verificationMethod":[` + strings.Join(methods, ",") + `],"assertionMethod":["#a"]}`
}

func TestParsePublished(t *testing.T) {
	one, two, rsaKey := signing.Ed25519(1), signing.P256(2), signing.RSA(3, 2048, 65537)
	x25519 := `{"id":"#x","publicKeyJwk":{"kty":"OKP","crv":"X25519","x":"AA"}}`
	public := one.Public().(ed25519.PublicKey)
	root, err := json.Marshal(map[string]any{"keys": []any{map[string]string{"key_id": one.GreenticID(), "public_key_pem": string(one.PEM())}}})
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name, file string
		want       string // ids and identities; or the error
	}{
		{"PEM", string(one.PEM()), one.GreenticID() + " " + one.Identity()},
		{"PEM of ECDSA", "\n" + string(two.PEM()), " " + two.Identity()},
		{"trust root", " " + string(root), one.GreenticID() + " " + one.Identity()},
		{"DID", did(`{"id":"#a","publicKeyJwk":`+jwk(t, one)+`}`, x25519, `{"id":"#b","publicKeyJwk":`+jwk(t, two)+`}`, `{"id":"#c","publicKeyJwk":`+jwk(t, rsaKey)+`}`),
			"#a " + one.Identity() + "\n#b " + two.Identity() + "\n#c " + rsaKey.Identity()},
		{"DID with a key twice", did(`{"id":"#a","publicKeyJwk":`+jwk(t, one)+`}`, `{"id":"#b","publicKeyMultibase":"`+multibase([]byte{0xed, 1}, public)+`"}`), "#a " + one.Identity()},
		{"multibase", did(`{"id":"#a","publicKeyMultibase":"` + multibase([]byte{0xed, 1}, public) + `"}`), "#a " + one.Identity()},
		{"multibase of another kind", did(`{"id":"#a","publicKeyMultibase":"` + multibase([]byte{0xec, 1}, public) + `"}`), "a key in multibase that is not Ed25519 is not supported yet: "},
		{"another multibase", did(`{"id":"#a","publicKeyMultibase":"mAQ"}`), "a key in multibase mAQ is not supported yet: "},
		{"no base58", did(`{"id":"#a","publicKeyMultibase":"z0"}`), "not a DID document with keys: verificationMethod[0]: a key in multibase with other characters than those of base58"},
		{"short multibase", did(`{"id":"#a","publicKeyMultibase":"` + multibase([]byte{0xed, 1}, public[:31]) + `"}`), "not a DID document with keys: verificationMethod[0]: a malformed Ed25519 key"},
		{"only others", did(x25519), "a JSON Web Key of type OKP X25519 is not supported yet: "},
		{"no key", did(`{"id":"#a"}`), "a verification method without publicKeyJwk and publicKeyMultibase is not supported yet: "},
		{"none", did(), "a DID document without keys"},
		{"private", did(`{"id":"#a","publicKeyJwk":{"kty":"OKP","crv":"Ed25519","x":"` + b64(public) + `","d":"AA"}}`), "not a DID document with keys: verificationMethod[0]: a private key: keep it secret, and use its public key"},
		{"short", did(`{"id":"#a","publicKeyJwk":{"kty":"OKP","crv":"Ed25519","x":"AA"}}`), "not a DID document with keys: verificationMethod[0].publicKeyJwk.x: not the base64url of a key's number"},
		{"padded", did(`{"id":"#a","publicKeyJwk":{"kty":"OKP","crv":"Ed25519","x":"` + b64(public) + `="}}`), "not a DID document with keys: verificationMethod[0].publicKeyJwk.x: not the base64url of a key's number"},
		{"off the curve", did(`{"id":"#a","publicKeyJwk":{"kty":"EC","crv":"P-256","x":"` + b64(public) + `","y":"` + b64(public) + `"}}`), "not a DID document with keys: verificationMethod[0]: a malformed ECDSA key"},
		{"small order", did(`{"id":"#a","publicKeyJwk":{"kty":"OKP","crv":"Ed25519","x":"` + b64(make([]byte, 32)) + `"}}`), "not a DID document with keys: verificationMethod[0]: an Ed25519 key of small order: one signature would verify every message"},
		{"large exponent", did(`{"id":"#a","publicKeyJwk":{"kty":"RSA","n":"` + b64(rsaKey.Public().(*rsa.PublicKey).N.Bytes()) + `","e":"_____________w"}}`), "an RSA key of that size is not supported yet: "},
		{"no modulus", did(`{"id":"#a","publicKeyJwk":{"kty":"RSA","n":"AA","e":"AQAB"}}`), "an RSA key of that size is not supported yet: "},
		{"without id", did(`{"publicKeyJwk":` + jwk(t, one) + `}`), "not a DID document with keys: verificationMethod[0].id: missing"},
		{"key twice in an object", `{"verificationMethod":[],"verificationMethod":[]}`, "not a trust root: "},
		{"neither", "key", "no PEM block PUBLIC KEY"},
		{"large", "{" + strings.Repeat(" ", publickey.MaxTrustRoot), "larger than 1048576 bytes"},
	} {
		t.Run(test.name, func(t *testing.T) {
			list, err := publickey.ParsePublished([]byte(test.file))
			if err != nil {
				if err.Error() != test.want && !(strings.HasSuffix(test.want, ": ") && strings.HasPrefix(err.Error(), test.want)) {
					t.Errorf("got error %q, want %q", err, test.want)
				}
				return
			}
			var got []string
			for _, p := range list {
				got = append(got, p.ID+" "+p.Key.Identity())
			}
			if text := strings.Join(got, "\n"); text != test.want {
				t.Errorf("got %q, want %q", text, test.want)
			}
		})
	}
}
