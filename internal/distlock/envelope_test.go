package distlock_test

import (
	"strings"
	"testing"

	"github.com/greenticai/packvendor/internal/distlock"
	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/packtest/signing"
	"github.com/greenticai/packvendor/internal/publickey"
	"github.com/greenticai/packvendor/internal/signature"
)

// Digests of what the signatures below are about.
var (
	layer    = "sha256:" + strings.Repeat("1a", 32)
	manifest = "sha256:" + strings.Repeat("2b", 32)
)

// What the client accepts of these was tried with the client itself: the script list_dist_real.
func TestEnvelope(t *testing.T) {
	for name, test := range map[string]struct {
		statement   func(*signing.Statement)
		key         *signing.Key
		isPrehashed bool
		refused     bool
	}{
		"named":                           {},
		"a second subject":                {statement: func(s *signing.Statement) { s.Subject = append(s.Subject, signing.About("b", layer)) }},
		"no name":                         {statement: func(s *signing.Statement) { s.Subject[0].Name = "" }, refused: true},
		"a second subject without a name": {statement: func(s *signing.Statement) { s.Subject = append(s.Subject, signing.About("", layer)) }, refused: true},
		"about the layer":                 {statement: func(s *signing.Statement) { s.Subject[0] = signing.About("a", layer) }, refused: true},
		"about the layer first": {statement: func(s *signing.Statement) {
			s.Subject = append([]signing.Subject{signing.About("b", layer)}, s.Subject...)
		}, refused: true},
		"without sha256":    {statement: func(s *signing.Statement) { s.Subject[0].Digest = map[string]string{"sha512": "x"} }, refused: true},
		"another statement": {statement: func(s *signing.Statement) { s.Type = "https://in-toto.io/Statement/v0.1" }, refused: true},
		"P-256":             {key: signing.P256(1), refused: true},
		"Ed25519ph":         {isPrehashed: true, refused: true},
	} {
		key := signing.Ed25519(1)
		if test.key != nil {
			key = test.key
		}
		statement := signing.CosignStatement(manifest)
		statement.Subject[0].Name = "a"
		if test.statement != nil {
			test.statement(&statement)
		}
		bundle := signing.SignBundle(statement.JSON(), key)
		if test.isPrehashed {
			bundle.Envelope.Signatures[0].Sig = signing.Base64(key.SignPrehashed(signing.PAE(signing.PayloadType, statement.JSON())))
		}
		got := string(distlock.Envelope(opened(t, bundle, key), ociref.Digest(manifest)))
		want := ""
		if !test.refused {
			want = strings.TrimSpace(string(signing.Sign(statement.JSON(), key).JSON()))
		}
		if got != want {
			t.Errorf("%s: got %s, want %s", name, got, want)
		}
	}
}

// opened returns a bundle that key signed.
func opened(t *testing.T, bundle signing.Bundle, key *signing.Key) *signature.Opened {
	t.Helper()
	parsed, err := publickey.ParseSPKI(key.SPKI())
	if err != nil {
		t.Fatal(err)
	}
	o, err := signature.OpenBundle(bundle.JSON(), []*publickey.Key{parsed})
	if err != nil {
		t.Fatal(err)
	}
	return o
}
