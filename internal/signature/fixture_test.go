package signature

import (
	"errors"
	"strings"
	"testing"

	"github.com/greenticai/packvendor/internal/packtest/signing"
	"github.com/greenticai/packvendor/internal/publickey"
)

// Digests of what the signatures below are about.
var (
	layer    = "sha256:" + strings.Repeat("1a", 32)
	manifest = "sha256:" + strings.Repeat("2b", 32)
)

// The signer that is allowed, one that is not, and their ids.
var (
	signer  = signing.Ed25519(1)
	foreign = signing.Ed25519(2)
	mine    = signer.GreenticID()
	theirs  = foreign.GreenticID()
)

// public returns the keys as the judge has them.
func public(t testing.TB, keys ...*signing.Key) []*publickey.Key {
	t.Helper()
	var list []*publickey.Key
	for _, key := range keys {
		parsed, err := publickey.ParseSPKI(key.SPKI())
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, parsed)
	}
	return list
}

// checkError compares an error with its kind and its whole text; "" is none.
func checkError(t *testing.T, name string, err error, problem Problem, want string) {
	t.Helper()
	got := ""
	var typed *Error
	if err != nil {
		got = err.Error()
		if !errors.As(err, &typed) || typed.Problem != problem || typed.Format == "" {
			t.Errorf("%s: %#v, want problem %d", name, err, problem)
		}
	}
	if got != want {
		t.Errorf("%s:\n got: %s\nwant: %s", name, got, want)
	}
}

const notBase64 = "not base64 as its bytes are encoded: standard alphabet, padding, no line breaks"

// pointer returns a keyid.
func pointer(id string) *string { return &id }
