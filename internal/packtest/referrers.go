package packtest

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/greenticai/packvendor/internal/ociref"
)

// IndexMediaType is the media type of OCI image indexes.
const IndexMediaType = ociIndex

// FallbackTag returns the tag under which clients list the referrers of a manifest
// where the registry has no referrers API:
// https://github.com/opencontainers/distribution-spec/blob/main/spec.md#referrers-tag-schema
func FallbackTag(subject ociref.Digest) string { return "sha256-" + subject.Hex() }

// listReferrers answers with a page of referrers, in the order of their digests:
// https://github.com/opencontainers/distribution-spec/blob/main/spec.md#listing-referrers
func (m *manifests) listReferrers(w http.ResponseWriter, r *http.Request, name, reference string) {
	subject, err := ociref.ParseDigest(reference)
	if err != nil {
		Refuse(w, http.StatusBadRequest, "DIGEST_INVALID", "provided digest is not one")
		return
	}
	query := r.URL.Query()
	list := m.referrers(name, subject)
	if wanted := query.Get("artifactType"); wanted != "" {
		w.Header().Set("OCI-Filters-Applied", "artifactType")
		list = slices.DeleteFunc(list, func(d descriptor) bool { return d.ArtifactType != wanted })
	}
	last := query.Get("last")
	list = slices.DeleteFunc(list, func(d descriptor) bool { return d.Digest <= last })
	if page := m.opts.ReferrersPage; page > 0 && page < len(list) {
		list = list[:page]
		next := url.Values{"last": {list[page-1].Digest}}
		if wanted := query.Get("artifactType"); wanted != "" {
			next.Set("artifactType", wanted)
		}
		w.Header().Set("Link", fmt.Sprintf("<%s?%s>; rel=\"next\"", r.URL.Path, next.Encode()))
	}
	w.Header().Set("Content-Type", ociIndex)
	json.NewEncoder(w).Encode(document{SchemaVersion: 2, MediaType: ociIndex, Manifests: &list})
}

// referrers returns the manifests whose subject has a digest.
func (m *manifests) referrers(name string, subject ociref.Digest) []descriptor {
	m.mu.Lock()
	defer m.mu.Unlock()
	list := []descriptor{}
	repo := m.repositories[name]
	if repo == nil {
		return list
	}
	for digest, stored := range repo.manifests {
		var doc document
		if json.Unmarshal(stored.body, &doc) != nil || doc.Subject == nil || doc.Subject.Digest != subject.String() {
			continue
		}
		d := descriptor{MediaType: stored.mediaType, ArtifactType: doc.ArtifactType, Digest: digest.String(), Size: int64(len(stored.body)), Annotations: doc.Annotations}
		if doc.Config != nil {
			d.ArtifactType = cmp.Or(d.ArtifactType, doc.Config.MediaType)
		}
		list = append(list, d)
	}
	slices.SortFunc(list, func(a, b descriptor) int { return strings.Compare(a.Digest, b.Digest) })
	return list
}
