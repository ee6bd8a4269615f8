package signature

import (
	"encoding/json"
	"path/filepath"
	"testing"

	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/publickey"
)

// What cosign 3.1.3 wrote into a registry, with keys of its own and imported ones:
//
//	cosign sign --key KEY --yes --use-signing-config=false --tlog-upload=false REF@DIGEST
//
// and the same with --new-bundle-format=false. testdata/cosign has the manifest that it
// signed, the bundles, and the payload and the manifest of the older signatures.
func TestRealCosign(t *testing.T) {
	file := func(name string) []byte {
		t.Helper()
		return read(t, filepath.Join("testdata", "cosign", name))
	}
	signedManifest := ociref.DigestOf(file("manifest.json"))
	var older struct {
		Layers []struct {
			MediaType   string
			Digest      ociref.Digest
			Annotations map[string]string
		}
	}
	if err := json.Unmarshal(file("sig.manifest.json"), &older); err != nil {
		t.Fatal(err)
	}
	payload := file("simple.json")
	names := []string{"p256", "ed25519", "rsa"} // as they signed
	var keys []*publickey.Key
	for _, name := range names {
		key, err := publickey.ParsePEM(file(name + ".pub"))
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, key)
	}
	for i, name := range names {
		v, err := VerifyBundle(file(name+".bundle.json"), keys)
		if err != nil || v.Key != keys[i] || len(v.Subjects) != 1 || v.Subjects[0] != (Subject{Digest: signedManifest}) {
			t.Errorf("%s: %+v, %v", name, v, err)
		}
		_, err = VerifyBundle(file(name+".bundle.json"), public(t, signer))
		checkError(t, name, err, Foreign, "no allowed key signed it")

		layer := older.Layers[i]
		sig, err := SimpleSignature(layer.Annotations)
		if err != nil || layer.MediaType != SimpleMediaType || layer.Digest != ociref.DigestOf(payload) {
			t.Fatalf("%s: %+v, %v", name, layer, err)
		}
		v, err = VerifySimple(payload, sig, keys)
		want := Subject{Name: "127.0.0.1:18943/acme/a", Digest: signedManifest}
		if err != nil || v.Key != keys[i] || len(v.Subjects) != 1 || v.Subjects[0] != want {
			t.Errorf("%s: %+v, %v", name, v, err)
		}
		_, err = VerifySimple(payload, sig, public(t, signer))
		checkError(t, name, err, Foreign, "no allowed key signed it")
	}
}
