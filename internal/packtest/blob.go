package packtest

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/greenticai/packvendor/internal/ociref"
)

// PutBlob stores data as a blob of the repository and returns its digest.
func (r *Registry) PutBlob(repository string, data []byte) ociref.Digest {
	digest := ociref.DigestOf(data)
	store := r.blobs.(registry.BlobPutHandler)
	err := store.Put(context.Background(), repository, hash(digest), io.NopCloser(bytes.NewReader(data)))
	if err != nil {
		panic("packtest: " + err.Error()) // memory is all it takes
	}
	return digest
}

func hash(d ociref.Digest) v1.Hash { return v1.Hash{Algorithm: "sha256", Hex: d.Hex()} }

// openRanges gives ranges without an end ("bytes=100-") the end that they
// mean: pkg/registry answers them with 416, registries at large with 206.
func openRanges(blobs registry.BlobHandler, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, kind, reference := Endpoint(r.URL.Path)
		digest, err := ociref.ParseDigest(reference)
		if rng := r.Header.Get("Range"); kind == "blobs" && err == nil && strings.HasSuffix(rng, "-") {
			size, err := blobs.(registry.BlobStatHandler).Stat(r.Context(), "", hash(digest))
			if err == nil {
				r = r.Clone(r.Context())
				r.Header.Set("Range", fmt.Sprintf("%s%d", rng, size-1))
			}
		}
		next.ServeHTTP(w, r)
	})
}
