package vendorer_test

import (
	"errors"
	"path/filepath"
	"testing"

	"github.com/greenticai/packvendor/internal/packtest/signing"
	"github.com/greenticai/packvendor/vendorer"
)

// Evidence that does not prove who signed is an error, and not a signature that is left out.
func TestDistLockForged(t *testing.T) {
	p := trusted(t)
	p.push("A", "acme/a:1.0.0")
	p.sign("acme/a", p.names["A"], acme)
	p.trustedPacks(`a = "$REG/acme/a:1.0.0@$A"`)
	p.mustRun()
	statement := signing.CosignStatement(p.names["A"]).JSON()
	for name, test := range map[string]struct {
		fields map[string]any
		want   string // "" if the evidence is right
	}{
		"right":         {map[string]any{}, ""},
		"another key":   {map[string]any{"bundle": signing.Base64(signing.SignBundle(statement, eve).JSON())}, "no allowed key signed it"},
		"no bundle":     {map[string]any{"bundle": signing.Base64([]byte("{}"))}, "bundle: mediaType: missing"},
		"malformed key": {map[string]any{"key": signing.Base64([]byte("key"))}, "not a public key: no SubjectPublicKeyInfo in DER"},
	} {
		c := freshClone(t, p)
		c.evidence("a", test.fields)
		_, err := vendorer.FormatDistLock(t.Context(), c.options)
		var wrong *vendorer.EvidenceError
		switch {
		case test.want == "" && err != nil:
			t.Errorf("%s: %v", name, err)
		case test.want != "" && (!errors.As(err, &wrong) || err.Error() != filepath.Join(c.dir, "packs", "a.evidence")+" does not prove who signed it: "+test.want):
			t.Errorf("%s: %v, want %s", name, err, test.want)
		}
	}
}
