package signing

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"fmt"
	"testing"
)

// Keys and signatures of one seed are the same ones each time, and the standard library
// verifies them.
func TestKeys(t *testing.T) {
	message := []byte("message")
	sum := sha256.Sum256(message)
	for name, make := range map[string]func(seed byte) *Key{
		"Ed25519": Ed25519,
		"P-256":   P256,
		"P-521":   func(seed byte) *Key { return Elliptic(elliptic.P521(), seed) },
		"RSA":     func(seed byte) *Key { return RSA(seed, 2048, 65537) },
	} {
		key, other := make(1), make(2)
		if !bytes.Equal(key.SPKI(), make(1).SPKI()) || bytes.Equal(key.SPKI(), other.SPKI()) {
			t.Errorf("%s: not one key a seed", name)
		}
		signature := key.Sign(message)
		if !bytes.Equal(signature, make(1).Sign(message)) {
			t.Errorf("%s: not one signature a message", name)
		}
		var good bool
		switch public := key.Public().(type) {
		case ed25519.PublicKey:
			good = ed25519.Verify(public, message, signature)
		case *ecdsa.PublicKey:
			good = ecdsa.VerifyASN1(public, sum[:], signature)
		case *rsa.PublicKey:
			good = rsa.VerifyPKCS1v15(public, crypto.SHA256, sum[:], signature) == nil && public.N.BitLen() == 2048
		}
		if !good {
			t.Errorf("%s: the signature does not verify", name)
		}
	}
}

func TestSignPrehashed(t *testing.T) {
	sum := sha512.Sum512([]byte("message"))
	public := Ed25519(1).Public().(ed25519.PublicKey)
	if err := ed25519.VerifyWithOptions(public, sum[:], Ed25519(1).SignPrehashed([]byte("message")), &ed25519.Options{Hash: crypto.SHA512}); err != nil {
		t.Error(err)
	}
}

// The vector of greentic-distributor-client: a seed of 32 bytes 0x01.
func TestGreenticID(t *testing.T) {
	key := Ed25519(1)
	if got := fmt.Sprintf("%x", key.Public()); got != "8a88e3dd7409f195fd52db2d3cba5d72ca6709bf1d94121bf3748801b40f6f5c" {
		t.Errorf("public key %s", got)
	}
	if got := key.GreenticID(); got != "34750f98bd59fcfc946da45aaabe933b" {
		t.Errorf("id %s", got)
	}
	if got := P256(1).GreenticID(); got != "" {
		t.Errorf("id of another kind %s", got)
	}
}

func TestDocuments(t *testing.T) {
	key := Ed25519(1)
	for _, test := range []struct {
		got  []byte
		want string
	}{
		{PAE("http://example.com/HelloWorld", []byte("hello world")), "DSSEv1 29 http://example.com/HelloWorld 11 hello world"},
		{GreenticStatement("a.gtpack", "sha256:ab").JSON(), `{"_type":"https://in-toto.io/Statement/v1","subject":[{"name":"a.gtpack","digest":{"sha256":"ab"}}],"predicateType":"https://slsa.dev/provenance/v1","predicate":{"build_type":"gtpack","builder_id":"test"}}`},
		{CosignStatement("sha256:ab").JSON(), `{"_type":"https://in-toto.io/Statement/v1","subject":[{"digest":{"sha256":"ab"}}],"predicateType":"https://sigstore.dev/cosign/sign/v1","predicate":{}}`},
		{NewSimple("reg.example/a", "sha256:ab").JSON(), `{"critical":{"identity":{"docker-reference":"reg.example/a"},"image":{"docker-manifest-digest":"sha256:ab"},"type":"cosign container image signature"},"optional":null}`},
		{Sign([]byte("x"), key).JSON(), `{"payloadType":"application/vnd.in-toto+json","payload":"eA==","signatures":[{"keyid":"34750f98bd59fcfc946da45aaabe933b","sig":"` + Base64(key.Sign(PAE(PayloadType, []byte("x")))) + `"}]}`},
		{SignBundle([]byte("x"), key).JSON(), `{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json","verificationMaterial":{"publicKey":{"hint":"hint"}},"dsseEnvelope":{"payloadType":"application/vnd.in-toto+json","payload":"eA==","signatures":[{"sig":"` + Base64(key.Sign(PAE(PayloadType, []byte("x")))) + `"}]}}`},
	} {
		if string(test.got) != test.want {
			t.Errorf("got  %s\nwant %s", test.got, test.want)
		}
	}
}
