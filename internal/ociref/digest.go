package ociref

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
)

// A Digest is a sha256 digest as OCI writes it: "sha256:" and 64 lower-case
// hexadecimal digits. The zero value stands for "no digest".
//
// See https://github.com/opencontainers/image-spec/blob/main/descriptor.md#digests.
// No other algorithm is accepted: the shared cache names its directories by
// sha256.
type Digest string

const (
	digestPrefix = "sha256:"
	hexLen       = 2 * sha256.Size
)

// ParseDigest returns s as a Digest.
func ParseDigest(s string) (Digest, error) {
	hexPart, ok := strings.CutPrefix(s, digestPrefix)
	if !ok {
		if algorithm, _, found := strings.Cut(s, ":"); found && isAlgorithm(algorithm) {
			return "", fmt.Errorf("digest algorithm %q is not supported: only sha256", algorithm)
		}
		return "", fmt.Errorf("digest %q does not start with %q", s, digestPrefix)
	}
	if len(hexPart) != hexLen {
		return "", fmt.Errorf("digest %q has %d characters after %q, not %d", s, len(hexPart), digestPrefix, hexLen)
	}
	for _, c := range []byte(hexPart) {
		if !isDigit(c) && (c < 'a' || c > 'f') {
			return "", fmt.Errorf("digest %q is not lower-case hexadecimal", s)
		}
	}
	return Digest(s), nil
}

// DigestOf returns the digest of b.
func DigestOf(b []byte) Digest {
	return DigestFromSum(sha256.Sum256(b))
}

// DigestFromSum returns the digest whose raw bytes are sum.
func DigestFromSum(sum [sha256.Size]byte) Digest {
	return Digest(digestPrefix + hex.EncodeToString(sum[:]))
}

// Hex returns the 64 hexadecimal digits of d.
func (d Digest) Hex() string { return strings.TrimPrefix(string(d), digestPrefix) }

// String returns d as OCI writes it.
func (d Digest) String() string { return string(d) }

func isAlgorithm(s string) bool {
	for _, c := range []byte(s) {
		if !isLower(c) && !isDigit(c) && strings.IndexByte("+._-", c) < 0 {
			return false
		}
	}
	return s != ""
}
