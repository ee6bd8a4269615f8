package evidence

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/packtest"
	"github.com/greenticai/packvendor/internal/publickey"
	"github.com/greenticai/packvendor/internal/signature"
)

// The pack that greentic-distributor-client signed, pushed with its own client and with
// oras. testdata has its manifests and its key.
func TestRealPack(t *testing.T) {
	read := func(name string) []byte {
		t.Helper()
		data, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	key, err := publickey.ParsePEM(read("public.pem"))
	if err != nil {
		t.Fatal(err)
	}
	for name, digest := range map[string]ociref.Digest{
		"manifest.json":      "sha256:095c3836f03876d8bbbc04759322c3efc5c3b4936aa5ff2388c4f431ef7b9971",
		"manifest-oras.json": "sha256:2be08e4a0363beae76ebb64241819952a8df5f5b91809c0e6979dd412b811f2c",
	} {
		p := &pack{
			evidence: &Evidence{Format: signature.Greentic, Key: key.SPKI(), Manifest: read(name)},
			claim: Claim{
				Signer: key.Identity(), Manifest: digest, Size: 783430, MediaType: packtest.PackMediaType,
				Layer: "sha256:a7b3152658ade4777b7da4755171868df217a6891e32eda9ce15399718d56d12",
			},
		}
		v, err := p.prove(t, []Signer{{Key: key}})
		if err != nil || v.Subjects[0].Name != "state-memory.gtpack" {
			t.Errorf("%s: %+v, %v", name, v, err)
		}
		p.claim.Layer = ociref.DigestOf(nil)
		_, err = p.prove(t, []Signer{{Key: key}})
		check(t, name, err, Layer, "its manifest selects the layer sha256:a7b3152658ade4777b7da4755171868df217a6891e32eda9ce15399718d56d12, not "+digestOf(nil))
	}
}

// What a run pays for each signed pack.
func BenchmarkProve(b *testing.B) {
	for _, format := range formats {
		b.Run(string(format), func(b *testing.B) {
			p := signed(format, signer, true)
			file, err := p.evidence.Bytes()
			if err != nil {
				b.Fatal(err)
			}
			allowed, digest := signers(b, signer), Digest(file)
			for b.Loop() {
				e, err := Open(file, digest)
				if err != nil {
					b.Fatal(err)
				}
				if _, err := e.Prove(p.claim, allowed); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
