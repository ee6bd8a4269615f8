package cosign

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"

	"github.com/greenticai/packvendor/internal/ociref"
)

// verifies tells whether a signer made a signature. With Ed25519 the signature is
// one of Ed25519ph, and not one of plain Ed25519.
func verifies(t *testing.T, signer string, message, sig []byte) bool {
	t.Helper()
	block, rest := pem.Decode(File(Key(signer)))
	if block == nil || len(rest) > 0 {
		t.Fatalf("%s is not one block of PEM", Key(signer))
	}
	public, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(message)
	switch public := public.(type) {
	case ed25519.PublicKey:
		sum := sha512.Sum512(message)
		return !ed25519.Verify(public, message, sig) && ed25519.VerifyWithOptions(public, sum[:], sig, &ed25519.Options{Hash: crypto.SHA512}) == nil
	case *rsa.PublicKey:
		return rsa.VerifyPKCS1v15(public, crypto.SHA256, sum[:], sig) == nil
	}
	return ecdsa.VerifyASN1(public.(*ecdsa.PublicKey), sum[:], sig)
}

// The recorded bundles are signed with the recorded keys, about the recorded manifest, in
// artifacts that the recorded list has.
func TestBundles(t *testing.T) {
	digest := ociref.DigestOf(File(Subject))
	for _, signer := range Signers {
		var bundle struct {
			DSSEEnvelope struct {
				PayloadType string
				Payload     []byte
				Signatures  []struct{ Sig []byte }
			}
		}
		if err := json.Unmarshal(File(Bundle(signer)), &bundle); err != nil {
			t.Fatal(err)
		}
		e := bundle.DSSEEnvelope
		message := fmt.Appendf(nil, "DSSEv1 %d %s %d %s", len(e.PayloadType), e.PayloadType, len(e.Payload), e.Payload)
		if len(e.Signatures) != 1 || !verifies(t, signer, message, e.Signatures[0].Sig) {
			t.Errorf("%s is not signed by %s", Bundle(signer), signer)
		}
		for part, whole := range map[string][]byte{
			digest.Hex():               e.Payload,
			string(digest):             File(Artifact(signer)),
			digestOf(Bundle(signer)):   File(Artifact(signer)),
			digestOf(Artifact(signer)): File(List),
		} {
			if !strings.Contains(string(whole), part) {
				t.Errorf("%s: no %s in %s", signer, part, whole)
			}
		}
	}
}

func digestOf(name string) string { return ociref.DigestOf(File(name)).String() }

// All have signed the recorded payload of the older form.
func TestSimple(t *testing.T) {
	var manifest struct {
		Config struct{ Digest string }
		Layers []struct {
			Digest      string
			Annotations map[string][]byte
		}
	}
	if err := json.Unmarshal(File(Simple), &manifest); err != nil {
		t.Fatal(err)
	}
	if len(manifest.Layers) != len(Signers) || manifest.Config.Digest != digestOf(SimpleConfig) {
		t.Fatalf("manifest %+v", manifest)
	}
	for i, signer := range Signers {
		layer := manifest.Layers[i]
		if layer.Digest != digestOf(SimplePayload) || !verifies(t, signer, File(SimplePayload), layer.Annotations["dev.cosignproject.cosign/signature"]) {
			t.Errorf("layer %d is not signed by %s", i, signer)
		}
	}
	if payload := string(File(SimplePayload)); !strings.Contains(payload, digestOf(Subject)) || !strings.Contains(payload, "/"+Repository+`"`) {
		t.Errorf("payload %s", payload)
	}
}

func TestCosignThatFails(t *testing.T) {
	err := Cosign{Path: filepath.Join(t.TempDir(), "missing"), Dir: t.TempDir()}.GenerateKey(t.Context(), "x")
	if !errors.Is(err, fs.ErrNotExist) || !strings.HasPrefix(err.Error(), "cosign generate-key-pair: ") {
		t.Errorf("got %v", err)
	}
}
