package ociref

import (
	"crypto/sha256"
	"strings"
	"testing"
)

// digestOfNothing is the digest of no bytes at all, from FIPS 180-4's examples.
const digestOfNothing = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

func TestParseDigest(t *testing.T) {
	hex := strings.TrimPrefix(digestOfNothing, "sha256:")
	for _, test := range []struct{ s, want string }{
		{digestOfNothing, ""},
		{"", `digest "" does not start with "sha256:"`},
		{"sha256", `digest "sha256" does not start with "sha256:"`},
		{hex, `digest "` + hex + `" does not start with "sha256:"`},
		{":" + hex, `digest ":` + hex + `" does not start with "sha256:"`},
		{"SHA256:" + hex, `digest "SHA256:` + hex + `" does not start with "sha256:"`},
		{" " + digestOfNothing, `digest " ` + digestOfNothing + `" does not start with "sha256:"`},
		{"sha512:" + hex + hex, `digest algorithm "sha512" is not supported: only sha256`},
		{"sha256+b64u:" + hex, `digest algorithm "sha256+b64u" is not supported: only sha256`},
		{"md5:", `digest algorithm "md5" is not supported: only sha256`},
		{"sha256:", `digest "sha256:" has 0 characters after "sha256:", not 64`},
		{"sha256:" + hex[:63], `digest "sha256:` + hex[:63] + `" has 63 characters after "sha256:", not 64`},
		{digestOfNothing + "0", `digest "` + digestOfNothing + `0" has 65 characters after "sha256:", not 64`},
		{digestOfNothing + "\n", `digest "` + digestOfNothing + `\n" has 65 characters after "sha256:", not 64`},
		{"sha256:../../x", `digest "sha256:../../x" has 7 characters after "sha256:", not 64`},
		{"sha256:" + strings.ToUpper(hex), `digest "sha256:` + strings.ToUpper(hex) + `" is not lower-case hexadecimal`},
		{"sha256:" + hex[:63] + "g", `digest "sha256:` + hex[:63] + `g" is not lower-case hexadecimal`},
		{"sha256:" + hex[:63] + "/", `digest "sha256:` + hex[:63] + `/" is not lower-case hexadecimal`},
		{"sha256:" + hex[:62] + "é", `digest "sha256:` + hex[:62] + `é" is not lower-case hexadecimal`},
	} {
		digest, err := ParseDigest(test.s)
		if got := message(err); got != test.want {
			t.Errorf("ParseDigest(%q)\n got: %s\nwant: %s", test.s, got, test.want)
		}
		if want := test.s; test.want == "" && digest != Digest(want) || test.want != "" && digest != "" {
			t.Errorf("ParseDigest(%q) = %q", test.s, digest)
		}
	}
}

func TestDigestOf(t *testing.T) {
	want := Digest(digestOfNothing)
	if got := DigestOf(nil); got != want {
		t.Errorf("DigestOf(nil) = %s, want %s", got, want)
	}
	if got := DigestFromSum(sha256.Sum256(nil)); got != want {
		t.Errorf("DigestFromSum(…) = %s, want %s", got, want)
	}
	if got := want.String(); got != digestOfNothing {
		t.Errorf("String() = %s", got)
	}
	if got := want.Hex(); got != digestOfNothing[len("sha256:"):] {
		t.Errorf("Hex() = %s", got)
	}
	if got := Digest("").Hex(); got != "" {
		t.Errorf("Hex() of no digest = %q", got)
	}
}

// message returns err's text, "" for nil.
func message(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
