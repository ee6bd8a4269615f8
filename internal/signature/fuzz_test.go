package signature

import (
	"errors"
	"testing"

	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/packtest/signing"
)

// wellFormed checks what is promised of every result.
func wellFormed(t *testing.T, v *Verified, err error) {
	t.Helper()
	if err != nil {
		var typed *Error
		if !errors.As(err, &typed) || typed.Problem == 0 || typed.Format == "" || typed.Reason == "" || v != nil {
			t.Fatalf("%#v, %v", err, v)
		}
		return
	}
	if len(v.Subjects) == 0 || v.Format != Bundle && len(v.Subjects) != 1 {
		t.Fatalf("%+v", v)
	}
	for _, s := range v.Subjects {
		if _, err := ociref.ParseDigest(s.Digest.String()); err != nil && (s.Digest != "" || v.Format != Bundle) {
			t.Fatalf("%+v", v)
		}
	}
}

// FuzzGreentic: no envelope makes it panic, and none is accepted whose payload is another
// than the one that was signed.
func FuzzGreentic(f *testing.F) {
	payload := signing.GreenticStatement("a.gtpack", layer).JSON()
	f.Add(signing.Sign(payload, foreign, signer).JSON())
	keys := public(f, signer)
	f.Fuzz(func(t *testing.T, envelope []byte) {
		v, err := VerifyGreentic(signing.Base64(envelope), keys)
		wellFormed(t, v, err)
		if err == nil && string(v.Payload) != string(payload) {
			t.Fatalf("%s", v.Payload)
		}
	})
}

// FuzzBundle is FuzzGreentic of bundles.
func FuzzBundle(f *testing.F) {
	payload := signing.CosignStatement(manifest).JSON()
	f.Add(signing.SignBundle(payload, signer).JSON())
	keys := public(f, signer)
	f.Fuzz(func(t *testing.T, bundle []byte) {
		v, err := VerifyBundle(bundle, keys)
		wellFormed(t, v, err)
		if err == nil && string(v.Payload) != string(payload) {
			t.Fatalf("%s", v.Payload)
		}
	})
}

// FuzzPayload: whatever an allowed key signs, the result is well formed.
func FuzzPayload(f *testing.F) {
	f.Add(signing.GreenticStatement("a.gtpack", layer).JSON())
	f.Add(signing.CosignStatement(manifest).JSON())
	f.Add(signing.NewSimple("reg.example/a", manifest).JSON())
	keys := public(f, signer)
	f.Fuzz(func(t *testing.T, payload []byte) {
		v, err := VerifyGreentic(signing.Sign(payload, signer).Annotation(), keys)
		wellFormed(t, v, err)
		v, err = VerifyBundle(signing.SignBundle(payload, signer).JSON(), keys)
		wellFormed(t, v, err)
		v, err = VerifySimple(payload, signer.Sign(payload), keys)
		wellFormed(t, v, err)
	})
}
