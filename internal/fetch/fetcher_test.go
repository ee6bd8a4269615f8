package fetch_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"strings"
	"testing"

	"github.com/greenticai/packvendor/internal/fetch"
	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/packtest"
	"github.com/greenticai/packvendor/internal/packtest/fault"
)

func TestFetch(t *testing.T) {
	for name, o := range map[string]packtest.Options{
		"HTTP/1.1": {}, "HTTP/2": {HTTP2: true}, "token": {Token: true}, "access_token": {Token: true, AccessTokenOnly: true},
	} {
		t.Run(name, func(t *testing.T) {
			b := newFixture(t, o)
			b.fetch(t, b.fetcher(t))
			b.wantWhole(t)
			b.events.wantNone(t)
		})
	}
}

func TestFetchIsTheCallersOwn(t *testing.T) {
	b := newFixture(t, packtest.Options{})
	f := b.fetcher(t)
	got, err := fetchBytes(context.Background(), f, b.byDigest())
	if err != nil {
		t.Fatal(err)
	}
	clear(got)
	b.fetch(t, f)
}

func TestFetchToCache(t *testing.T) {
	b := newFixture(t, packtest.Options{})
	want := fetch.Result{
		OriginalReference:   b.byDigest(),
		ResolvedDigest:      b.pushed.ManifestDigest.String(),
		MediaType:           packtest.PackMediaType,
		Path:                b.file("pack.gtpack"),
		FetchedFromNetwork:  true,
		ManifestDigest:      b.pushed.ManifestDigest.String(),
		ManifestAnnotations: map[string]string{"org.opencontainers.image.version": "1.0.0"},
	}
	f := b.fetcher(t)
	wantResult(t, b.fetchToCache(t, f), want)
	b.wantWhole(t)
	b.reg.ResetRequests()
	want.FetchedFromNetwork = false
	for _, f := range []*fetch.Fetcher{f, b.fetcher(t), b.offline(t)} {
		wantResult(t, b.fetchToCache(t, f), want)
	}
	b.wantRequests(t)
	b.events.wantNone(t)
}

func wantResult(t *testing.T, got, want fetch.Result) {
	t.Helper()
	if !maps.Equal(got.ManifestAnnotations, want.ManifestAnnotations) {
		t.Errorf("annotations: got %v, want %v", got.ManifestAnnotations, want.ManifestAnnotations)
	}
	got.ManifestAnnotations, want.ManifestAnnotations = nil, nil
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

// What each kind of fetch costs.
func TestRequests(t *testing.T) {
	b := newFixture(t, packtest.Options{Token: true})
	second := packtest.MustPush(t, b.reg, repository, "2.0", packtest.Pack(packtest.Zip("second", "2.0.0", 10), ""))
	token := "GET /token?scope=repository%3A" + strings.ReplaceAll(repository, "/", "%2F") + "%3Apull&service=" + strings.ReplaceAll(b.reg.Host(), ":", "%3A")
	tag := "GET /v2/" + repository + "/manifests/1.0"
	f := b.fetcher(t, allowTags)
	for _, test := range []struct {
		name, reference string
		requests        []string
	}{
		{"cold", b.byDigest(), []string{"GET /v2/", token, b.manifestLine(), b.blobLine()}},
		{"warm", b.byDigest(), nil},
		{"another of the repository", b.refOf(second.ManifestDigest), []string{
			"GET /v2/" + repository + "/manifests/" + second.ManifestDigest.String(),
			"GET /v2/" + repository + "/blobs/" + second.Layers[0].String()}},
		{"by tag, warm", b.byTag(), []string{tag}},
		{"by tag and digest, warm", b.byTag() + "@" + b.pushed.ManifestDigest.String(), nil},
	} {
		b.reg.ResetRequests()
		if _, err := fetchBytes(context.Background(), f, test.reference); err != nil {
			t.Fatalf("%s: %v", test.name, err)
		}
		t.Log(test.name)
		b.wantRequests(t, test.requests...)
	}
}

func TestTags(t *testing.T) {
	b := newFixture(t, packtest.Options{})
	_, err := fetchBytes(context.Background(), b.fetcher(t), b.byTag())
	wantText(t, err, b.byTag()+" has no digest, and tags are not allowed")
	if e := as[*fetch.TagDisallowedError](t, err); e.Reference != b.byTag() {
		t.Errorf("got %+v", e)
	}
	b.wantRequests(t)

	result, err := fetchToCache(context.Background(), b.fetcher(t, allowTags), b.byTag())
	if err != nil || result.ResolvedDigest != b.pushed.ManifestDigest.String() || result.OriginalReference != b.byTag() {
		t.Errorf("got %+v, %v", result, err)
	}
	_, err = fetchBytes(context.Background(), b.fetcher(t, allowTags, offline, noNetwork(t)), b.byTag())
	wantText(t, err, b.byTag()+" is a tag, and the network is off")
	if e := as[*fetch.OfflineError](t, err); !e.Tag || e.NoManifest {
		t.Errorf("got %+v", e)
	}
}

func TestTagAndDigestNeedsNoLeave(t *testing.T) {
	b := newFixture(t, packtest.Options{})
	got, err := fetchBytes(context.Background(), b.fetcher(t), "oci://"+b.reg.Host()+"/"+repository+":gone@"+b.pushed.ManifestDigest.String())
	if err != nil {
		t.Fatal(err)
	}
	wantBytes(t, got, b.data)
	b.wantRequests(t, "GET /v2/", b.manifestLine(), b.blobLine())
}

func TestResolveNothing(t *testing.T) {
	b := newFixture(t, packtest.Options{})
	f := b.fetcher(t, allowTags, noNetwork(t))
	ref := parse("oci://x.example/pack")
	_, resolve := f.Resolve(context.Background(), ref, "")
	_, remote := f.ResolveRemote(context.Background(), ref, "")
	_, follow := f.Follow(context.Background(), ref, b.pushed.ManifestDigest, "")
	for _, test := range []struct {
		err       error
		reference string
	}{{resolve, ref.Text()}, {remote, ref.Text()}, {follow, ref.String()}} {
		if e := as[*ociref.SyntaxError](t, test.err); e.Reference != test.reference {
			t.Errorf("got %+v, want %s", e, test.reference)
		}
		wantText(t, test.err, `invalid reference "`+test.reference+`": it has neither a tag nor a digest`)
	}
}

func TestManifestKinds(t *testing.T) {
	data := packtest.Zip("kind", "1.0.0", 0)
	for name, artifact := range map[string]packtest.Artifact{
		"OCI image":        {},
		"OCI artifact":     {Kind: packtest.OCIArtifact},
		"Docker schema 2":  {Kind: packtest.DockerSchema2},
		"image unnamed":    {OmitMediaType: true},
		"artifact unnamed": {Kind: packtest.OCIArtifact, OmitMediaType: true},
	} {
		t.Run(name, func(t *testing.T) {
			artifact.Layers = []packtest.Layer{{Data: data}}
			b := newFixtureOf(t, packtest.Options{}, data, artifact)
			b.fetch(t, b.fetcher(t))
			b.fetch(t, b.offline(t))
		})
	}
}

func TestCancel(t *testing.T) {
	b := newFixture(t, packtest.Options{})
	for _, line := range []string{b.manifestLine(), b.blobLine()} {
		path := strings.TrimPrefix(line, "GET ")
		ctx, cancel := context.WithCancel(context.Background())
		b.reg.Intercept(func(_ http.ResponseWriter, r *http.Request) bool {
			if r.URL.Path == path {
				cancel()
			}
			return false
		})
		b.reg.Inject(fault.Stall(path))
		_, err := fetchBytes(ctx, b.fetcher(t), b.byDigest())
		if !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, want context.Canceled", err)
		}
		if strings.Contains(path, "/blobs/") { // the manifest came
			b.wantFiles(t, "manifest.json")
		} else {
			b.wantFiles(t)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := fetchToCache(ctx, b.fetcher(t), b.byDigest()); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", err)
	}
}
