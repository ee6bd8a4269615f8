package program

import (
	"context"
	"crypto/sha256"
	"hash"
	"io"

	"github.com/greenticai/packvendor/internal/marker"
	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/verified"
)

// A content is the bytes of a pack as markers describe them. Several markers may have the same.
type content struct {
	head        string
	part, layer ociref.Digest
	size        int64
}

func contentOf(m marker.Marker) content {
	return content{head: m.Head, part: m.Part, layer: m.LayerDigest, size: m.Size}
}

// isAllHead tells whether the head is the whole content.
func (c content) isAllHead() bool { return c.size <= marker.HeadSize }

// isZip tells whether the content is a zip archive, as packs are.
func (c content) isZip() bool {
	return len(c.head) > len(zipStart) && c.head[:len(zipStart)] == zipStart
}

// A zip archive begins with a local file header and ends with a record that has endSize bytes,
// unless it has a comment: APPNOTE.TXT, sections 4.3.7 and 4.3.16.
const (
	zipStart = "PK\x03\x04"
	zipEnd   = "PK\x05\x06"
	endSize  = 22
)

// A hasher hashes the bytes that begin at one place.
type hasher struct {
	from   io.Reader
	hash   hash.Hash
	n      int64
	last   ociref.Digest // of n bytes; "" at the beginning
	budget *budget
}

func newHasher(ctx context.Context, space addressSpace, at int64, budget *budget) *hasher {
	bytes := io.NewSectionReader(space, at, space.Size()-at)
	return &hasher{from: verified.Reader(ctx, bytes), hash: sha256.New(), budget: budget}
}

// digest returns the digest of the first n bytes; n must not be less than before. Many contents
// may have one size: it hashes for the first.
func (h *hasher) digest(n int64) (ociref.Digest, error) {
	if h.last != "" && n == h.n {
		return h.last, nil
	}
	if !h.budget.take(n - h.n + sha256.BlockSize) { // what Sum hashes
		return "", errBudget
	}
	if _, err := io.CopyN(h.hash, h.from, n-h.n); err != nil {
		return "", err
	}
	h.n, h.last = n, ociref.DigestFromSum([sha256.Size]byte(h.hash.Sum(nil)))
	return h.last, nil
}
