package fault

import (
	"net/http"
	"strings"

	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/packtest"
)

// The faults of this file meet every list of referrers, unless they say otherwise.

func referrers(r *http.Request) bool {
	_, kind, _ := packtest.Endpoint(r.URL.Path)
	return kind == "referrers"
}

// ReferrersLink links every page to url as the next one.
func ReferrersLink(url string) packtest.Fault {
	return headed(referrers, set("Link", "<"+url+`>; rel="next"`))
}

// SeeOther redirects every request under prefix to url with 303, as registries do that
// send unknown paths to their web site.
func SeeOther(prefix, url string) packtest.Fault {
	return packtest.Fault{Match: under(prefix), Serve: func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
		w.Header().Set("Location", url)
		w.WriteHeader(http.StatusSeeOther)
	}}
}

// OtherReferrers lists what refers to digest in place of what refers to the subject.
func OtherReferrers(digest ociref.Digest) packtest.Fault {
	return packtest.Fault{Match: referrers, Serve: func(w http.ResponseWriter, r *http.Request, honest http.Handler) {
		_, _, subject := packtest.Endpoint(r.URL.Path)
		r = r.Clone(r.Context())
		r.URL.Path = strings.TrimSuffix(r.URL.Path, subject) + digest.String()
		honest.ServeHTTP(w, r)
	}}
}

// SubjectAsReferrers answers with the subject itself, both as list of referrers and for
// the tag of such a list, which GitLab takes for another spelling of the digest:
// https://github.com/oras-project/oras-go/issues/1396
func SubjectAsReferrers() packtest.Fault {
	subject := func(r *http.Request) (ociref.Digest, bool) {
		_, kind, reference := packtest.Endpoint(r.URL.Path)
		if kind == "manifests" {
			reference = strings.Replace(reference, "sha256-", "sha256:", 1)
		}
		digest, err := ociref.ParseDigest(reference)
		return digest, err == nil && (kind == "referrers" || kind == "manifests")
	}
	return packtest.Fault{
		Match: func(r *http.Request) bool { _, ok := subject(r); return ok },
		Serve: func(w http.ResponseWriter, r *http.Request, honest http.Handler) {
			name, _, _ := packtest.Endpoint(r.URL.Path)
			digest, _ := subject(r)
			r = r.Clone(r.Context())
			r.URL.Path = "/v2/" + name + "/manifests/" + digest.String()
			honest.ServeHTTP(w, r)
		},
	}
}
