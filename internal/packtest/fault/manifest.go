package fault

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/packtest"
)

// The faults of this file meet GET and HEAD requests for a manifest by one
// tag or digest, or for every manifest if the reference is empty.

// HugeManifest pads the manifest with spaces at its end to size bytes. White
// space after the JSON is allowed, so only the size is wrong with it.
func HugeManifest(reference string, size int) packtest.Fault {
	return huge(manifestOf(reference), size)
}

// EvilManifest serves body in the place of every manifest asked for by
// digest, and leaves the honest Docker-Content-Digest as it was. ContentType
// may be [PrettyJWS].
func EvilManifest(body []byte, contentType string) packtest.Fault {
	byDigest := func(r *http.Request) bool {
		_, _, reference := packtest.Endpoint(r.URL.Path)
		return manifestOf("")(r) && packtest.IsDigest(reference)
	}
	return packtest.Fault{Match: byDigest, Serve: altered(func(w http.ResponseWriter, _ *http.Request, a answer) {
		w.Header().Set("Content-Type", contentType)
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		answer{a.status, body}.send(w)
	})}
}

// PrettyJWS is the media type of Docker's signed manifests. Some clients do
// not hash what comes with it.
const PrettyJWS = "application/vnd.docker.distribution.manifest.v1+prettyjws"

// LyingDigest claims digest in Docker-Content-Digest. An empty digest leaves
// the header out.
func LyingDigest(reference string, digest ociref.Digest) packtest.Fault {
	return headed(manifestOf(reference), set("Docker-Content-Digest", digest.String()))
}

// ManifestType overrides the Content-Type.
func ManifestType(reference, contentType string) packtest.Fault {
	return headed(manifestOf(reference), func(h http.Header) { h.Set("Content-Type", contentType) }) // also to nothing
}

// FlipTag lets tag lead to digest after n requests for it, as if somebody
// pushed in between.
func FlipTag(tag string, n int64, digest ociref.Digest) packtest.Fault {
	return After(n, packtest.Fault{Match: manifestOf(tag), Serve: func(w http.ResponseWriter, r *http.Request, honest http.Handler) {
		r = r.Clone(r.Context())
		r.URL.Path = strings.TrimSuffix(r.URL.Path, tag) + digest.String()
		honest.ServeHTTP(w, r)
	}})
}
