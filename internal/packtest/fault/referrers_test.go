package fault

import (
	"strings"
	"testing"

	"github.com/greenticai/packvendor/internal/packtest"
	"github.com/greenticai/packvendor/internal/packtest/internal/reply"
)

func TestReferrersFaults(t *testing.T) {
	b := newFixture(t, packtest.Options{Referrers: true})
	about := b.pushed.Child()
	attached := packtest.MustPush(t, b.Registry, "x", "", packtest.Artifact{ArtifactType: "text/plain", Subject: &about})
	path := "/v2/x/referrers/" + b.pushed.ManifestDigest.String()
	tag := "/v2/x/manifests/" + packtest.FallbackTag(b.pushed.ManifestDigest)
	honest := string(reply.Ask(t, b.Registry, "GET", path).Body)
	if !strings.Contains(honest, attached.ManifestDigest.String()) {
		t.Fatalf("list %s", honest)
	}

	b.Inject(parse(t, "referrers-link /v2/x/referrers/?last=a"))
	got := reply.Ask(t, b.Registry, "GET", path)
	reply.Want(t, got, 200, honest)
	reply.WantHeader(t, got, "Link", `</v2/x/referrers/?last=a>; rel="next"`)
	reply.WantHeader(t, reply.Ask(t, b.Registry, "GET", b.byTag), "Link", "")

	b.Inject(parse(t, "see-other /v2/x/referrers/ https://example.com/login"))
	got = reply.Ask(t, b.Registry, "GET", path)
	reply.Want(t, got, 303, "")
	reply.WantHeader(t, got, "Location", "https://example.com/login")

	b.Inject(parse(t, "other-referrers "+b.pushed.ManifestDigest.String()))
	reply.Want(t, reply.Ask(t, b.Registry, "GET", "/v2/x/referrers/"+attached.ManifestDigest.String()), 200, honest)

	reply.Want(t, reply.Ask(t, b.Registry, "GET", tag), 404, `{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown"}]}`+"\n")
	b.Inject(parse(t, "subject-as-referrers"))
	for _, path := range []string{path, tag, b.byDigest, b.byTag} {
		reply.Want(t, reply.Ask(t, b.Registry, "GET", path), 200, string(b.pushed.Manifest))
	}
}
