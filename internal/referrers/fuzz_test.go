package referrers

import (
	"testing"

	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/packtest/cosign"
)

// FuzzArtifact: no bytes make the reader panic, and what the registry is then asked for has
// a digest and a size.
func FuzzArtifact(f *testing.F) {
	for _, name := range []string{cosign.Subject, cosign.List, cosign.Artifact(cosign.ECDSA), cosign.Artifact(cosign.RSA), cosign.Simple} {
		f.Add(cosign.File(name))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		a, err := readArtifact(body)
		if err != nil {
			return
		}
		for _, l := range a.layers {
			if l.format() == "" {
				continue
			}
			if _, err := ociref.ParseDigest(string(l.digest)); err != nil || l.size < 0 {
				t.Errorf("layer %+v", l)
			}
		}
	})
}
