package registry_test

import (
	"context"
	"fmt"
	"net/http"
	"testing"

	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/packtest"
	"github.com/greenticai/packvendor/internal/packtest/fault"
	"github.com/greenticai/packvendor/internal/registry"
	"github.com/greenticai/packvendor/internal/verified"
)

func TestManifest(t *testing.T) {
	onEachProtocol(t, packtest.Options{}, func(t *testing.T, b *fixture) {
		for _, ref := range []ociref.Reference{b.byTag(), b.byDigest()} {
			m, err := b.client.Manifest(context.Background(), ref)
			if err != nil {
				t.Fatal(err)
			}
			if string(m.Body) != string(b.pushed.Manifest) {
				t.Errorf("%s: body %q, want %q", ref, m.Body, b.pushed.Manifest)
			}
			if m.Digest != b.pushed.ManifestDigest || m.MediaType != b.pushed.MediaType {
				t.Errorf("%s: got %s %s, want %s %s", ref, m.Digest, m.MediaType, b.pushed.ManifestDigest, b.pushed.MediaType)
			}
		}
		wantRequests(t, b.reg,
			"GET /v2/",
			"GET "+b.manifestPath(),
			"GET /v2/"+repository+"/manifests/"+b.pushed.ManifestDigest.String())
	})
}

func TestManifestByDigestAndTagAsksByDigest(t *testing.T) {
	b := newFixture(t, packtest.Options{})
	ref := b.byDigest()
	ref.Tag = "gone"
	if _, err := b.client.Manifest(context.Background(), ref); err != nil {
		t.Fatal(err)
	}
	wantRequests(t, b.reg, "GET /v2/", "GET /v2/"+repository+"/manifests/"+b.pushed.ManifestDigest.String())
}

func TestRequestHeaders(t *testing.T) {
	b := newFixture(t, packtest.Options{})
	if err := b.manifest(); err != nil {
		t.Fatal(err)
	}
	if _, err := b.blob(); err != nil {
		t.Fatal(err)
	}
	const accept = "application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json, " +
		"application/vnd.oci.artifact.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json, " +
		"application/vnd.docker.distribution.manifest.list.v2+json"
	for i, want := range []string{"", accept, "*/*"} {
		r := b.reg.Requests()[i]
		if got := r.Header.Get("Accept"); got != want {
			t.Errorf("%s: Accept %q, want %q", r, got, want)
		}
		if got := r.Header.Get("User-Agent"); got != "packvendor-test" {
			t.Errorf("%s: User-Agent %q", r, got)
		}
		if r.Authorization {
			t.Errorf("%s: has an Authorization that nobody asked for", r)
		}
	}
}

func TestManifestMediaTypeIsTheHeadersWithoutParameters(t *testing.T) {
	for header, want := range map[string]string{
		"application/vnd.oci.image.manifest.v1+json; charset=utf-8": "application/vnd.oci.image.manifest.v1+json",
		"Application/JSON": "application/json",
		"":                 "",
		";;":               "",
	} {
		b := newFixture(t, packtest.Options{})
		b.reg.Inject(fault.ManifestType("", header))
		m, err := b.client.Manifest(context.Background(), b.byTag())
		if err != nil {
			t.Fatal(err)
		}
		if m.MediaType != want {
			t.Errorf("Content-Type %q: got %q, want %q", header, m.MediaType, want)
		}
	}
}

func TestFault10_ManifestStatus(t *testing.T) {
	for _, test := range []struct {
		status        int
		code, message string
	}{
		{http.StatusUnauthorized, "UNAUTHORIZED", "unauthorized"},
		{http.StatusForbidden, "DENIED", "forbidden"},
		{http.StatusNotFound, "MANIFEST_UNKNOWN", "not found"},
		{http.StatusTooManyRequests, "TOOMANYREQUESTS", "too many requests"},
		{http.StatusInternalServerError, "UNKNOWN", "internal server error"},
	} {
		b := newFixture(t, packtest.Options{})
		b.reg.Inject(fault.Status(b.manifestPath(), test.status, nil))
		err := b.manifest()
		n, end := tries(test.status)
		wantText(t, err, fmt.Sprintf("GET %s%s: %s: %s: %s%s", b.reg.URL(), b.manifestPath(),
			statusText(test.status), test.code, test.message, end))
		if got := count(b.reg, b.manifestPath()); got != n {
			t.Errorf("%d: %d requests, want %d", test.status, got, n)
		}
		e := as[*registry.Error](t, err)
		if e.Status != test.status || e.Host != b.reg.Host() || e.Code != test.code || e.Message != test.message || e.Err != nil {
			t.Errorf("got %+v", e)
		}
		if e.MayBePlain() {
			t.Errorf("%d: MayBePlain", test.status)
		}
	}
}

func TestFault09_ManifestBreaksOff(t *testing.T) {
	b := newFixture(t, packtest.Options{})
	b.reg.Intercept(func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path != b.manifestPath() {
			return false
		}
		w.Header().Set("Content-Length", "1000")
		fmt.Fprint(w, `{"schemaVersion":2,`)
		http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	})
	err := b.manifest()
	wantText(t, err, "GET "+b.reg.URL()+b.manifestPath()+": the manifest broke off: unexpected EOF"+afterTries)
	if n := count(b.reg, b.manifestPath()); n != 5 {
		t.Errorf("%d requests, want 5", n)
	}
	as[*registry.Error](t, err)
}

func TestFault05_ManifestOver4MiB(t *testing.T) {
	b := newFixture(t, packtest.Options{})
	b.reg.Inject(fault.HugeManifest("", registry.MaxManifestSize+1))
	err := b.manifest()
	wantText(t, err, "manifest is larger than 4194304 bytes")
	as[*registry.ProtocolError](t, err)

	b.reg.Inject(fault.HugeManifest("", registry.MaxManifestSize))
	m, err := b.client.Manifest(context.Background(), b.byTag())
	if err != nil || len(m.Body) != registry.MaxManifestSize {
		t.Errorf("of 4 MiB: got %d bytes, %v", len(m.Body), err)
	}
}

func TestFault16_EvilManifestWithEchoedDigest(t *testing.T) {
	evil := []byte(`{"schemaVersion":2,"layers":[]}`)
	for _, contentType := range []string{
		"application/vnd.oci.image.manifest.v1+json",
		fault.PrettyJWS,
		"application/vnd.docker.distribution.manifest.v1+json",
		"",
	} {
		onEachProtocol(t, packtest.Options{}, func(t *testing.T, b *fixture) {
			b.reg.Inject(fault.EvilManifest(evil, contentType))
			m, err := b.client.Manifest(context.Background(), b.byDigest())
			wantText(t, err, fmt.Sprintf("digest mismatch\n\tgot:  %s\n\twant: %s", ociref.DigestOf(evil), b.pushed.ManifestDigest))
			as[*verified.MismatchError](t, err)
			if m.Body != nil {
				t.Errorf("bytes came with the error: %q", m.Body)
			}
			if n := count(b.reg, "/v2/"+repository); n != 1 {
				t.Errorf("%d requests: an integrity failure is never retried", n)
			}
		})
	}
}

func TestFault17_DigestHeaderLies(t *testing.T) {
	lie := ociref.DigestOf([]byte("another"))
	for _, header := range []ociref.Digest{lie, "", "nonsense"} {
		b := newFixture(t, packtest.Options{})
		b.reg.Inject(fault.LyingDigest("", header))
		m, err := b.client.Manifest(context.Background(), b.byTag())
		if err != nil || m.Digest != b.pushed.ManifestDigest {
			t.Errorf("header %q by tag: got %s, %v", header, m.Digest, err)
		}
		if _, err := b.client.Manifest(context.Background(), b.byDigest()); err != nil {
			t.Errorf("header %q by digest: %v", header, err)
		}
	}
}

func TestFault17_HeadOnlyConcludesUnchanged(t *testing.T) {
	other := ociref.DigestOf([]byte("another"))
	for name, test := range map[string]struct {
		fault  packtest.Fault
		digest ociref.Digest // "" means the one that is there
		want   bool
	}{
		"same":            {want: true},
		"moved":           {digest: other},
		"no header":       {fault: fault.LyingDigest("1.0", "")},
		"says it is same": {fault: fault.LyingDigest("1.0", other), digest: other, want: true},
	} {
		t.Run(name, func(t *testing.T) {
			b := newFixture(t, packtest.Options{})
			if test.fault.Match != nil {
				b.reg.Inject(test.fault)
			}
			ref := b.byDigest() // its digest must not be what is asked for
			ref.Tag = "1.0"
			digest := test.digest
			if digest == "" {
				digest = b.pushed.ManifestDigest
			}
			got, err := b.client.Unchanged(context.Background(), ref, digest)
			if got != test.want || err != nil {
				t.Errorf("got %t, %v, want %t", got, err, test.want)
			}
			wantRequests(t, b.reg, "GET /v2/", "HEAD "+b.manifestPath())
		})
	}
}

func TestUnchangedHeadNotAllowed(t *testing.T) {
	b := newFixture(t, packtest.Options{})
	b.reg.Inject(fault.Status(b.manifestPath(), http.StatusMethodNotAllowed, nil))
	got, err := b.client.Unchanged(context.Background(), b.byTag(), b.pushed.ManifestDigest)
	wantText(t, err, "HEAD "+b.reg.URL()+b.manifestPath()+": 405 Method Not Allowed")
	if e := as[*registry.Error](t, err); got || e.Status != http.StatusMethodNotAllowed {
		t.Errorf("got %t, status %d", got, e.Status)
	}
}
