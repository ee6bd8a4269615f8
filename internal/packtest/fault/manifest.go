package fault

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/packtest"
)

// The faults of this file meet GET and HEAD requests for a manifest by one
// tag or digest, or for every manifest if the reference is empty.

// HugeManifest pads the manifest with spaces at its end to size bytes. White space
// after the JSON is valid, so only the size is wrong.
func HugeManifest(reference string, size int) packtest.Fault {
	return huge(manifestOf(reference), size)
}

// EvilManifest serves body in place of every manifest requested by digest, with the
// honest Docker-Content-Digest. ContentType may be [PrettyJWS].
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

// PrettyJWS is the media type of Docker's signed manifests. Some clients do not hash
// such a manifest.
const PrettyJWS = "application/vnd.docker.distribution.manifest.v1+prettyjws"

// LyingDigest claims digest in Docker-Content-Digest. An empty digest removes the
// header.
func LyingDigest(reference string, digest ociref.Digest) packtest.Fault {
	return headed(manifestOf(reference), set("Docker-Content-Digest", digest.String()))
}

// ManifestType overrides the Content-Type.
func ManifestType(reference, contentType string) packtest.Fault {
	return headed(manifestOf(reference), func(h http.Header) { h.Set("Content-Type", contentType) }) // also to ""
}

// FlipTag moves tag to digest after n requests for it, like a concurrent push.
func FlipTag(tag string, n int64, digest ociref.Digest) packtest.Fault {
	return After(n, packtest.Fault{Match: manifestOf(tag), Serve: func(w http.ResponseWriter, r *http.Request, honest http.Handler) {
		r = r.Clone(r.Context())
		r.URL.Path = strings.TrimSuffix(r.URL.Path, tag) + digest.String()
		honest.ServeHTTP(w, r)
	}})
}

// The faults of this file meet every tag list.

func tagLists(r *http.Request) bool {
	_, kind, reference := packtest.Endpoint(r.URL.Path)
	return kind == "tags" && reference == "list"
}

// TagsLink links every page to url as the next one.
func TagsLink(url string) packtest.Fault {
	return headed(tagLists, set("Link", "<"+url+`>; rel="next"`))
}

// TagsLinkFrom rewrites the honest link to the next page: base replaces its path, so
// that "" and "list" make a relative link and a URL an absolute one.
func TagsLinkFrom(base string) packtest.Fault {
	return headed(tagLists, func(h http.Header) {
		if _, query, ok := strings.Cut(h.Get("Link"), "?"); ok {
			h.Set("Link", "<"+base+"?"+query)
		}
	})
}

// EndlessTags serves page after page of one tag, each with a link to the next.
func EndlessTags() packtest.Fault {
	return packtest.Fault{Match: tagLists, Serve: altered(func(w http.ResponseWriter, r *http.Request, a answer) {
		page, _ := strconv.Atoi(r.URL.Query().Get("last"))
		page++
		w.Header().Set("Link", fmt.Sprintf(`<%s?last=%d>; rel="next"`, r.URL.Path, page))
		sendTags(w, r, []string{"1.0." + strconv.Itoa(page)})
	})}
}

// TagNames lists tags in place of the real ones, on one page.
func TagNames(tags ...string) packtest.Fault {
	return packtest.Fault{Match: tagLists, Serve: altered(func(w http.ResponseWriter, r *http.Request, _ answer) {
		w.Header().Del("Link")
		sendTags(w, r, tags)
	})}
}

// HugeTags pads every page with spaces at its end to size bytes.
func HugeTags(size int) packtest.Fault {
	return huge(tagLists, size)
}

// HostileTags returns names that are no tags, some of which look like versions, paths
// or terminal escapes.
func HostileTags() []string {
	return []string{
		"", ".", "..", "../../x", "1.0.0/../../x", "1.0.0\n//go:embed /etc/passwd", "\x1b[2J\x1b[31m9.9.9", "9.9.9\u202e",
		"\ufeff9.9.9", "9.9.9 ", "9.9.9\x00", "９.9.9", "9.9.9@sha256:0", "9.9.9+build", "-9.9.9", strings.Repeat("9", 129),
		"99999999999999999999.0.0",
	}
}

func sendTags(w http.ResponseWriter, r *http.Request, tags []string) {
	name, _, _ := packtest.Endpoint(r.URL.Path)
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(map[string]any{"name": name, "tags": tags})
}
