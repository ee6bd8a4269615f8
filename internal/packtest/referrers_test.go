package packtest

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/packtest/internal/reply"
)

// attach pushes an artifact about a manifest.
func attach(t *testing.T, r *Registry, subject Pushed, artifactType, text string) Pushed {
	t.Helper()
	about := subject.Child()
	return MustPush(t, r, "x", "", Artifact{
		ArtifactType: artifactType, Subject: &about, Layers: []Layer{{MediaType: artifactType, Data: []byte(text)}},
	})
}

func TestReferrers(t *testing.T) {
	r := StartRegistry(t, Options{Referrers: true})
	subject := MustPush(t, r, "x", "1", Artifact{})
	path := "/v2/x/referrers/" + subject.ManifestDigest.String()
	const none = `{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}` + "\n"
	got := reply.Ask(t, r, "GET", path)
	reply.Want(t, got, 200, none)
	reply.WantHeader(t, got, "Content-Type", IndexMediaType)
	reply.Want(t, reply.Ask(t, r, "GET", "/v2/other/referrers/"+subject.ManifestDigest.String()), 200, none)
	reply.Want(t, reply.Ask(t, r, "GET", "/v2/x/referrers/1"), 400, `{"errors":[{"code":"DIGEST_INVALID","message":"provided digest is not one"}]}`+"\n")

	sbom := attach(t, r, subject, "application/spdx+json", "an SBOM")
	attach(t, r, sbom, "text/plain", "about the SBOM")
	one := fmt.Sprintf(`{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[{"mediaType":"%s","artifactType":"application/spdx+json","digest":"%s","size":%d}]}`+"\n",
		ManifestMediaType, sbom.ManifestDigest, len(sbom.Manifest))
	reply.Want(t, reply.Ask(t, r, "GET", path), 200, one)
	got = reply.Ask(t, r, "GET", path+"?artifactType=application%2Fspdx%2Bjson")
	reply.Want(t, got, 200, one)
	reply.WantHeader(t, got, "OCI-Filters-Applied", "artifactType")
	reply.Want(t, reply.Ask(t, r, "GET", path+"?artifactType=text/plain"), 200, none)

	off := StartRegistry(t, Options{})
	reply.Want(t, reply.Ask(t, off, "GET", path), 404, `{"errors":[{"code":"METHOD_UNKNOWN","message":"We don't understand your method + url"}]}`+"\n")
}

func TestReferrersPages(t *testing.T) {
	r := StartRegistry(t, Options{Referrers: true, ReferrersPage: 2})
	subject := MustPush(t, r, "x", "1", Artifact{})
	var want []string
	for i := range 5 {
		want = append(want, attach(t, r, subject, "text/plain", fmt.Sprint(i)).ManifestDigest.String())
	}
	slices.Sort(want)
	path := "/v2/x/referrers/" + subject.ManifestDigest.String()
	got := reply.Ask(t, r, "GET", path+"?artifactType=text/plain")
	reply.WantHeader(t, got, "Link", "<"+path+"?artifactType=text%2Fplain&last=sha256%3A"+ociref.Digest(want[1]).Hex()+`>; rel="next"`)
	if digests := listed(t, got.Body); !slices.Equal(digests, want[:2]) {
		t.Errorf("first page %q, want %q", digests, want[:2])
	}
	got = reply.Ask(t, r, "GET", path+"?last="+want[3])
	reply.WantHeader(t, got, "Link", "")
	if digests := listed(t, got.Body); !slices.Equal(digests, want[4:]) {
		t.Errorf("last page %q, want %q", digests, want[4:])
	}
}

func listed(t *testing.T, page []byte) (digests []string) {
	t.Helper()
	var index struct{ Manifests []struct{ Digest string } }
	if err := json.Unmarshal(page, &index); err != nil {
		t.Fatal(err)
	}
	for _, d := range index.Manifests {
		digests = append(digests, d.Digest)
	}
	return digests
}
