package cosign

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
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

// verifies tells whether a recorded key made a signature. With Ed25519 the signature is
// one of Ed25519ph, and not one of plain Ed25519.
func verifies(t *testing.T, key string, message, sig []byte) bool {
	t.Helper()
	block, rest := pem.Decode(File(key))
	if block == nil || len(rest) > 0 {
		t.Fatalf("%s is not one block of PEM", key)
	}
	public, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	if public, ok := public.(ed25519.PublicKey); ok {
		sum := sha512.Sum512(message)
		return !ed25519.Verify(public, message, sig) && ed25519.VerifyWithOptions(public, sum[:], sig, &ed25519.Options{Hash: crypto.SHA512}) == nil
	}
	sum := sha256.Sum256(message)
	return ecdsa.VerifyASN1(public.(*ecdsa.PublicKey), sum[:], sig)
}

// The recorded bundles are signed with the recorded keys, about the recorded manifest, in
// artifacts that the recorded list has.
func TestBundles(t *testing.T) {
	digest := ociref.DigestOf(File(Subject))
	for _, test := range []struct{ key, manifest, bundle string }{{ECDSAKey, ECDSAManifest, ECDSABundle}, {Ed25519Key, Ed25519Manifest, Ed25519Bundle}} {
		var bundle struct {
			DSSEEnvelope struct {
				PayloadType string
				Payload     []byte
				Signatures  []struct{ Sig []byte }
			}
		}
		if err := json.Unmarshal(File(test.bundle), &bundle); err != nil {
			t.Fatal(err)
		}
		e := bundle.DSSEEnvelope
		message := fmt.Appendf(nil, "DSSEv1 %d %s %d %s", len(e.PayloadType), e.PayloadType, len(e.Payload), e.Payload)
		if len(e.Signatures) != 1 || !verifies(t, test.key, message, e.Signatures[0].Sig) {
			t.Errorf("%s is not signed by %s", test.bundle, test.key)
		}
		for part, whole := range map[string][]byte{
			digest.Hex():            e.Payload,
			string(digest):          File(test.manifest),
			digestOf(test.bundle):   File(test.manifest),
			digestOf(test.manifest): File(List),
		} {
			if !strings.Contains(string(whole), part) {
				t.Errorf("%s: no %s in %s", test.bundle, part, whole)
			}
		}
	}
}

func digestOf(name string) string { return ociref.DigestOf(File(name)).String() }

// Both recorded keys have signed the recorded payload of the older form.
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
	if len(manifest.Layers) != 2 || manifest.Config.Digest != digestOf(SimpleConfig) {
		t.Fatalf("manifest %+v", manifest)
	}
	for i, key := range []string{ECDSAKey, Ed25519Key} {
		layer := manifest.Layers[i]
		if layer.Digest != digestOf(SimplePayload) || !verifies(t, key, File(SimplePayload), layer.Annotations["dev.cosignproject.cosign/signature"]) {
			t.Errorf("layer %d is not signed by %s", i, key)
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
