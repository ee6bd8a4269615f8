package signature

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/packtest/cosign"
	"github.com/greenticai/packvendor/internal/publickey"
)

// What the real cosign wrote verifies, in its newer and its older form, with keys of each
// kind.
func TestRealCosign(t *testing.T) {
	signed := ociref.DigestOf(cosign.File(cosign.Subject))
	var older struct {
		Layers []struct {
			MediaType   string
			Digest      ociref.Digest
			Annotations map[string]string
		}
	}
	if err := json.Unmarshal(cosign.File(cosign.Simple), &older); err != nil {
		t.Fatal(err)
	}
	payload := cosign.File(cosign.SimplePayload)
	var keys []*publickey.Key
	for _, name := range cosign.Signers {
		key, err := publickey.ParsePEM(cosign.File(cosign.Key(name)))
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, key)
	}
	for i, name := range cosign.Signers {
		bundle := cosign.File(cosign.Bundle(name))
		v, err := VerifyBundle(bundle, keys)
		if err != nil || v.Key != keys[i] || len(v.Subjects) != 1 || v.Subjects[0] != (Subject{Digest: signed}) {
			t.Errorf("%s: %+v, %v", name, v, err)
		}
		_, err = VerifyBundle(bundle, public(t, signer))
		checkError(t, name, err, Foreign, "no allowed key signed it")

		layer := older.Layers[i]
		sig, err := SimpleSignature(layer.Annotations)
		if err != nil || layer.MediaType != SimpleMediaType || layer.Digest != ociref.DigestOf(payload) {
			t.Fatalf("%s: %+v, %v", name, layer, err)
		}
		v, err = VerifySimple(payload, sig, keys)
		if err != nil || v.Key != keys[i] || len(v.Subjects) != 1 || v.Subjects[0].Digest != signed || !strings.HasSuffix(v.Subjects[0].Name, "/"+cosign.Repository) {
			t.Errorf("%s: %+v, %v", name, v, err)
		}
		_, err = VerifySimple(payload, sig, public(t, signer))
		checkError(t, name, err, Foreign, "no allowed key signed it")
	}
}
