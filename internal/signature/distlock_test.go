package signature

import (
	"strings"
	"testing"

	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/packtest/signing"
	"github.com/greenticai/packvendor/internal/publickey"
)

// What the client accepts of these was tried with the client itself: the script list_dist_real.
func TestDistEnvelope(t *testing.T) {
	for name, test := range map[string]struct {
		statement func(*signing.Statement)
		bundle    func(*signing.Bundle)
		key       *signing.Key
		refused   bool
	}{
		"named":                           {},
		"a second subject":                {statement: func(s *signing.Statement) { s.Subject = append(s.Subject, signing.About("b", layer)) }},
		"no name":                         {statement: func(s *signing.Statement) { s.Subject[0].Name = "" }, refused: true},
		"a second subject without a name": {statement: func(s *signing.Statement) { s.Subject = append(s.Subject, signing.About("", layer)) }, refused: true},
		"about the layer":                 {statement: func(s *signing.Statement) { s.Subject[0] = signing.About("a", layer) }, refused: true},
		"about the layer first": {statement: func(s *signing.Statement) {
			s.Subject = append([]signing.Subject{signing.About("b", layer)}, s.Subject...)
		}, refused: true},
		"without sha256":     {statement: func(s *signing.Statement) { s.Subject[0].Digest = map[string]string{"sha512": "x"} }, refused: true},
		"another statement":  {statement: func(s *signing.Statement) { s.Type = "https://in-toto.io/Statement/v0.1" }, refused: true},
		"P-256":              {key: signing.P256(1), refused: true},
		"another key signed": {bundle: func(b *signing.Bundle) { b.Envelope.Signatures[0].Sig = signing.Base64(foreign.Sign(nil)) }, refused: true},
		"Ed25519ph": {bundle: func(b *signing.Bundle) {
			s := signing.CosignStatement(manifest)
			s.Subject[0].Name = "a"
			b.Envelope.Signatures[0].Sig = signing.Base64(signer.SignPrehashed(signing.PAE(signing.PayloadType, s.JSON())))
		}, refused: true},
		"no bundle": {bundle: func(b *signing.Bundle) { b.MediaType = "" }, refused: true},
	} {
		key := signer
		if test.key != nil {
			key = test.key
		}
		statement := signing.CosignStatement(manifest)
		statement.Subject[0].Name = "a"
		if test.statement != nil {
			test.statement(&statement)
		}
		bundle := signing.SignBundle(statement.JSON(), key)
		if test.bundle != nil {
			test.bundle(&bundle)
		}
		parsed, err := publickey.ParseSPKI(key.SPKI())
		if err != nil {
			t.Fatal(err)
		}
		got := string(DistEnvelope(bundle.JSON(), parsed, ociref.Digest(manifest)))
		want := ""
		if !test.refused {
			want = strings.TrimSpace(string(signing.Sign(statement.JSON(), key).JSON()))
		}
		if got != want {
			t.Errorf("%s: got %s, want %s", name, got, want)
		}
	}
}
