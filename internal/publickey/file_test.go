package publickey

import (
	"bytes"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/greenticai/packvendor/internal/packtest/signing"
)

func TestParsePEM(t *testing.T) {
	key := signing.Ed25519(1)
	file := string(key.PEM())
	block := func(kind string, headers map[string]string, der []byte) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: kind, Headers: headers, Bytes: der}))
	}
	for name, test := range map[string]struct{ file, want string }{
		"as OpenSSL writes it":   {file, ""},
		"CRLF":                   {strings.ReplaceAll(file, "\n", "\r\n"), ""},
		"white space around":     {"\n \t\r\n" + file + "\n\n  ", ""},
		"without an end of line": {strings.TrimSpace(file), ""},
		"RSA":                    {string(signing.RSA(1, 2048, 65537).PEM()), ""},
		"16 KiB":                 {file + strings.Repeat("\n", MaxFile-len(file)), ""},
		"more than 16 KiB":       {file + strings.Repeat("\n", MaxFile-len(file)+1), "larger than 16384 bytes"},
		"empty":                  {"", "no PEM block PUBLIC KEY"},
		"text":                   {"ssh-ed25519 AAAA", "no PEM block PUBLIC KEY"},
		"DER":                    {string(key.SPKI()), "no PEM block PUBLIC KEY"},
		"a prefix":               {"# key\n" + file, "other text before the PEM block"},
		"a byte order mark":      {"\ufeff" + file, "other text before the PEM block"},
		"a no-break space":       {"\u00a0" + file, "other text before the PEM block"},
		"a zero byte":            {"\x00" + file, "other text before the PEM block"},
		"a suffix":               {file + "x", "other text after the PEM block"},
		"two blocks":             {file + file, "2 PEM blocks, not one"},
		"a malformed one first":  {"-----BEGIN PUBLIC KEY-----\n!\n-----END PUBLIC KEY-----\n" + file, "2 PEM blocks, not one"},
		"malformed":              {strings.Replace(file, "M", "!", 1), "a malformed PEM block"},
		"without its end":        {strings.Replace(file, "-----END", "", 1), "a malformed PEM block"},
		"headers":                {block("PUBLIC KEY", map[string]string{"Key-Id": "x"}, key.SPKI()), "a PEM block with headers"},
		"a private key":          {string(key.PrivatePEM()), "a private key: keep it secret, and use its public key"},
		"an older private key":   {block("EC PRIVATE KEY", nil, key.SPKI()), "a private key: keep it secret, and use its public key"},
		"a certificate":          {block("CERTIFICATE", nil, key.SPKI()), "a PEM block CERTIFICATE, not PUBLIC KEY"},
		"PKCS #1":                {block("RSA PUBLIC KEY", nil, key.SPKI()), "a PEM block RSA PUBLIC KEY, not PUBLIC KEY"},
		"another key":            {block("PUBLIC KEY", nil, key.SPKI()[1:]), "not a public key: no SubjectPublicKeyInfo in DER"},
	} {
		parsed, err := ParsePEM([]byte(test.file))
		check(t, name, err, test.want)
		if err == nil && name != "RSA" && parsed.Identity() != key.Identity() {
			t.Errorf("%s: %s", name, parsed.Identity())
		}
	}
}

func TestParseInline(t *testing.T) {
	key := signing.Ed25519(1)
	const notBase64 = "not base64 as its bytes are encoded: standard alphabet, padding, no line breaks"
	for text, want := range map[string]string{
		key.Inline():                     "",
		key.Inline() + "\n":              notBase64,
		key.Inline() + "=":               notBase64,
		key.Inline()[:20] + "\n":         notBase64,
		"-_" + key.Inline():              notBase64,
		"":                               "not a public key: no SubjectPublicKeyInfo in DER",
		strings.Repeat("A", MaxFile+4):   "larger than 16384 bytes",
		string(key.PEM()):                notBase64,
		signing.Base64(key.SPKI()[12:]):  "not a public key: no SubjectPublicKeyInfo in DER",
		signing.Base64(rsaOf(2048, 3)):   "an RSA key with the exponent 3" + notSupported,
		signing.Base64(spki([]byte{31})): "not a public key: no SubjectPublicKeyInfo in DER",
	} {
		parsed, err := ParseInline(text)
		check(t, fmt.Sprintf("%.40q", text), err, want)
		if err == nil && parsed.Identity() != key.Identity() {
			t.Errorf("%s", parsed.Identity())
		}
	}
}

// listed is an entry of a trust root.
func listed(id string, file []byte) string {
	return fmt.Sprintf(`{"key_id":%q,"public_key_pem":%q}`, id, file)
}

func TestParseTrustRoot(t *testing.T) {
	a, b, other := signing.Ed25519(1), signing.Ed25519(2), signing.P256(1)
	entry := listed(a.GreenticID(), a.PEM())
	root := func(entries ...string) string {
		return `{"schema":"greentic.trust-root.v1","keys":[` + strings.Join(entries, ",") + `]}`
	}
	for name, test := range map[string]struct{ file, want string }{
		"two keys":            {root(entry, listed(b.GreenticID(), b.PEM())), ""},
		"an id in upper case": {root(listed(strings.ToUpper(a.GreenticID()), a.PEM())), ""},
		"without a schema":    {`{"keys":[` + entry + `]}`, ""},
		"white space after":   {root(entry) + "\n", ""},
		"another schema":      {`{"schema":"greentic.trust-root.v2","keys":[]}`, `not a trust root: schema: "greentic.trust-root.v2", not greentic.trust-root.v1`},
		"schema is null":      {`{"schema":null,"keys":[]}`, "not a trust root: schema: not a string"},
		"no keys":             {root(), "a trust root without keys"},
		"another key's id":    {root(listed(b.GreenticID(), a.PEM())), `keys[0]: key_id "6a3803d5f059902a1c6dafbc9ba47292" is not the key's own, 34750f98bd59fcfc946da45aaabe933b`},
		"an empty id":         {root(listed("", a.PEM())), `keys[0]: key_id "" is not the key's own, 34750f98bd59fcfc946da45aaabe933b`},
		"without an id":       {root(`{"public_key_pem":"x"}`), "not a trust root: keys[0].key_id: missing"},
		"no key":              {root(entry, listed(a.GreenticID(), nil)), "keys[1]: no PEM block PUBLIC KEY"},
		"another kind":        {root(listed("", other.PEM())), "keys[0]: an ECDSA P-256 key: a trust root holds Ed25519 keys"},
		"one not supported":   {root(listed("", pemOf(rsaOf(1024, 3)))), "keys[0]: an RSA key of 1024 bits" + notSupported},
		"one key twice":       {root(entry, listed(strings.ToUpper(a.GreenticID()), a.PEM())), "not a trust root: keys[1]: key 34750f98bd59fcfc946da45aaabe933b is there twice"},
		"a surplus field":     {`{"revoked":[],"keys":[` + entry + `]}`, "not a trust root: revoked: unknown field"},
		"one in an entry":     {root(`{"key_id":"","public_key_pem":"","expires":""}`), "not a trust root: keys[0].expires: unknown field"},
		"another case":        {`{"Keys":[` + entry + `]}`, "not a trust root: Keys: unknown field"},
		"keys twice":          {`{"keys":[],"keys":[` + entry + `]}`, `not a trust root: key "keys" stands twice in one object`},
		"data after it":       {root(entry) + "{}", "not a trust root: data after the JSON document"},
		"PEM":                 {string(a.PEM()), "not a trust root: not JSON: invalid number -----"},
		"too large":           {root(entry) + strings.Repeat(" ", MaxTrustRoot), "larger than 1048576 bytes"},
	} {
		keys, err := ParseTrustRoot([]byte(test.file))
		check(t, name, err, test.want)
		if err == nil && keys[0].Identity() != a.Identity() {
			t.Errorf("%s: %s", name, keys[0].Identity())
		}
		if name == "two keys" && (len(keys) != 2 || keys[1].GreenticID() != b.GreenticID()) {
			t.Errorf("%s: %v", name, keys)
		}
	}
}

func pemOf(der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
}

// The trust root that greentic-distributor-client writes.
func TestRealTrustRoot(t *testing.T) {
	file, err := os.ReadFile(filepath.Join("testdata", "trust-root.json"))
	if err != nil {
		t.Fatal(err)
	}
	keys, err := ParseTrustRoot(file)
	if err != nil || len(keys) != 1 || keys[0].Identity() != signing.Ed25519(1).Identity() {
		t.Errorf("%v, %v", keys, err)
	}
}

// FuzzParsePEM: no bytes make it panic, errors have their type, and a key that is read
// reads the same again.
func FuzzParsePEM(f *testing.F) {
	for _, key := range []*signing.Key{signing.Ed25519(1), signing.P256(1), signing.RSA(1, 2048, 65537)} {
		f.Add(key.PEM())
	}
	f.Add(pemOf(rsaOf(2048, 3)))
	f.Fuzz(func(t *testing.T, file []byte) {
		key, err := ParsePEM(file)
		if err != nil {
			if _, ok := err.(*Error); !ok {
				t.Fatalf("%T", err)
			}
			return
		}
		again, err := ParsePEM(key.PEM())
		if err != nil || !bytes.Equal(again.SPKI(), key.SPKI()) || key.Verify(file, file) {
			t.Fatalf("%v", err)
		}
	})
}
