package packfetch_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/packtest"
	"github.com/greenticai/packvendor/packfetch"
)

func TestFetch(t *testing.T) {
	for name, o := range map[string]packtest.Options{
		"HTTP/1.1": {}, "HTTP/2": {HTTP2: true}, "token": {Token: true}, "access_token": {Token: true, AccessTokenOnly: true},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBed(t, o)
			b.fetch(t, b.fetcher(t))
			b.wantWhole(t)
			b.events.wantNone(t)
		})
	}
}

func TestFetchIsTheCallersOwn(t *testing.T) {
	b := newBed(t, packtest.Options{})
	f := b.fetcher(t)
	got, err := f.Fetch(context.Background(), b.byDigest())
	if err != nil {
		t.Fatal(err)
	}
	clear(got)
	b.fetch(t, f)
}

func TestFetchToCache(t *testing.T) {
	b := newBed(t, packtest.Options{})
	want := packfetch.Result{
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
	for _, f := range []*packfetch.Fetcher{f, b.fetcher(t), b.offline(t)} {
		wantResult(t, b.fetchToCache(t, f), want)
	}
	b.wantRequests(t)
	b.events.wantNone(t)
}

func wantResult(t *testing.T, got, want packfetch.Result) {
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
	b := newBed(t, packtest.Options{Token: true})
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
		if _, err := f.Fetch(context.Background(), test.reference); err != nil {
			t.Fatalf("%s: %v", test.name, err)
		}
		t.Log(test.name)
		b.wantRequests(t, test.requests...)
	}
}

func TestTags(t *testing.T) {
	b := newBed(t, packtest.Options{})
	_, err := b.fetcher(t).Fetch(context.Background(), b.byTag())
	wantText(t, err, b.byTag()+" has no digest, and tags are not allowed")
	if e := as[*packfetch.TagDisallowedError](t, err); e.Reference != b.byTag() {
		t.Errorf("got %+v", e)
	}
	b.wantRequests(t)

	result, err := b.fetcher(t, allowTags).FetchToCache(context.Background(), b.byTag())
	if err != nil || result.ResolvedDigest != b.pushed.ManifestDigest.String() || result.OriginalReference != b.byTag() {
		t.Errorf("got %+v, %v", result, err)
	}
	_, err = b.fetcher(t, allowTags, offline, noNetwork(t)).Fetch(context.Background(), b.byTag())
	wantText(t, err, b.byTag()+" is a tag, and the network is off")
	if e := as[*packfetch.OfflineError](t, err); !e.Tag || e.NoManifest {
		t.Errorf("got %+v", e)
	}
}

func TestTagAndDigestNeedsNoLeave(t *testing.T) {
	b := newBed(t, packtest.Options{})
	got, err := b.fetcher(t).Fetch(context.Background(), "oci://"+b.reg.Host()+"/"+repository+":gone@"+b.pushed.ManifestDigest.String())
	if err != nil {
		t.Fatal(err)
	}
	wantBytes(t, got, b.data)
	b.wantRequests(t, "GET /v2/", b.manifestLine(), b.blobLine())
}

func TestInvalidReferences(t *testing.T) {
	b := newBed(t, packtest.Options{})
	f := b.fetcher(t, allowTags, noNetwork(t))
	for _, reference := range []string{"", "pack", "library/pack:1", "http://x.example/pack:1", "x.example/../pack:1", "x.example/pack@sha512:00", "x.example/pack"} {
		calls := map[string]func() error{
			"Fetch":         func() error { _, err := f.Fetch(context.Background(), reference); return err },
			"FetchToCache":  func() error { _, err := f.FetchToCache(context.Background(), reference); return err },
			"Resolve":       func() error { _, err := f.Resolve(context.Background(), reference, ""); return err },
			"ResolveRemote": func() error { _, err := f.ResolveRemote(context.Background(), reference, ""); return err },
			"Follow": func() error {
				_, err := f.Follow(context.Background(), reference, b.pushed.ManifestDigest, "")
				return err
			},
			"Pinned":        func() error { _, err := f.Pinned(reference, b.pushed.ManifestDigest, b.layer(), ""); return err },
			"ResolveCached": func() error { _, err := f.ResolveCached(reference, b.pushed.ManifestDigest, ""); return err },
		}
		if reference == "x.example/pack" { // these two have a digest of their own
			delete(calls, "Pinned")
			delete(calls, "ResolveCached")
		}
		for name, call := range calls {
			if e := as[*packfetch.InvalidReferenceError](t, call()); e.Reference != reference {
				t.Errorf("%s %q: got %+v", name, reference, e)
			}
		}
	}
	_, err := f.Fetch(context.Background(), "x.example/pack")
	wantText(t, err, `invalid reference "x.example/pack": it has neither a tag nor a digest`)
}

// The zero Options find the cache by the environment and trust the system.
func TestZeroOptions(t *testing.T) {
	b := newBed(t, packtest.Options{})
	b.fill(t)
	t.Setenv("GREENTIC_PACK_CACHE_DIR", b.dir)
	t.Setenv("NO_PROXY", "*")
	got, err := packfetch.Fetch(context.Background(), b.byDigest())
	if err != nil {
		t.Fatal(err)
	}
	wantBytes(t, got, b.data)
	b.wantRequests(t)

	t.Setenv("GREENTIC_PACK_CACHE_DIR", filepath.Join(b.dir, "another"))
	_, err = packfetch.Fetch(context.Background(), b.byDigest())
	as[*packfetch.RegistryError](t, err)
	if !strings.Contains(err.Error(), "certificate signed by unknown authority") {
		t.Errorf("got %v", err)
	}
}

func TestDefaultCacheDir(t *testing.T) {
	env := map[string]string{"GREENTIC_PACK_CACHE_DIR": "/some/where"}
	if got := packfetch.DefaultCacheDir(func(key string) string { return env[key] }, "p"); got != "/some/where" {
		t.Errorf("got %q", got)
	}
	if got, want := packfetch.DefaultCacheDir(func(string) string { return "" }, "p"), filepath.Join("p", ".greentic", "cache", "packs"); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestOptionErrors(t *testing.T) {
	for _, test := range []struct {
		o    packfetch.Options
		want string
	}{
		{packfetch.Options{InsecureRegistries: []string{"x.example", "bad_host.example"}}, `insecure registry: "bad_host.example" is not a registry host`},
		{packfetch.Options{InsecureRegistries: []string{""}}, "insecure registry: registry host is empty"},
		{packfetch.Options{AcceptMediaTypes: []string{"a/b", "no type"}}, `"no type" is not a media type`},
	} {
		_, err := packfetch.New(test.o)
		wantText(t, err, test.want)
		if as[*packfetch.OptionError](t, err); errors.Unwrap(err) == nil {
			t.Error("it wraps nothing")
		}
	}
}

func TestInsecureRegistry(t *testing.T) {
	b := newBed(t, packtest.Options{Plain: true, Token: true})
	_, err := b.fetcher(t).Fetch(context.Background(), b.byDigest())
	if e := as[*packfetch.RegistryError](t, err); !e.MayBePlain() {
		t.Errorf("got %+v", e)
	}
	b.wantRequests(t)
	b.fetch(t, b.fetcher(t, func(o *packfetch.Options) { o.InsecureRegistries = []string{b.reg.Host()} }))
}

func TestUserAgent(t *testing.T) {
	for given, want := range map[string]string{"": "packvendor", "greentic/1.0": "greentic/1.0"} {
		b := newBed(t, packtest.Options{})
		b.fetch(t, b.fetcher(t, func(o *packfetch.Options) { o.UserAgent = given }))
		for _, r := range b.reg.Requests() {
			if got := r.Header.Get("User-Agent"); got != want {
				t.Errorf("%s: User-Agent %q, want %q", r, got, want)
			}
		}
	}
}

func TestAcceptMediaTypes(t *testing.T) {
	data := packtest.Zip("custom", "1.0.0", 0)
	b := newBedOf(t, packtest.Options{}, data, packtest.Artifact{Layers: []packtest.Layer{
		{MediaType: "image/png", Data: []byte("png")}, {MediaType: "application/vnd.acme", Data: data}}})
	_, err := b.fetcher(t).Fetch(context.Background(), b.byDigest())
	if e := as[*packfetch.NoPackError](t, err); len(e.Layers) != 2 {
		t.Errorf("got %+v", e)
	}
	wantText(t, err, fmt.Sprintf(`cannot use %s: no layer has a media type that is accepted for packs ("image/png" %s, "application/vnd.acme" %s)`,
		b.byDigest(), b.pushed.Layers[0], b.pushed.Layers[1]))
	b.fetch(t, b.fetcher(t, func(o *packfetch.Options) { o.AcceptMediaTypes = []string{"application/vnd.acme"} }))
	b.wantWhole(t)
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
			b := newBedOf(t, packtest.Options{}, data, artifact)
			b.fetch(t, b.fetcher(t))
			b.fetch(t, b.offline(t))
		})
	}
}

func TestResolve(t *testing.T) {
	b := newBed(t, packtest.Options{})
	f := b.fetcher(t, allowTags)
	for reference, tag := range map[string]string{b.byTag(): "1.0", b.byDigest(): "", b.byTag() + "@" + b.pushed.ManifestDigest.String(): ""} {
		p, err := f.Resolve(context.Background(), reference, "")
		if err != nil {
			t.Fatal(err)
		}
		layer := b.layer()
		layer.Title = "bed.gtpack"
		if p.Reference != reference || p.Tag != tag || p.ManifestDigest != b.pushed.ManifestDigest || p.IndexDigest != "" ||
			p.Digest() != p.ManifestDigest || p.Layer != layer || len(p.Layers) != 1 || p.Annotations["org.opencontainers.image.version"] != "1.0.0" {
			t.Errorf("%s: got %+v", reference, p)
		}
	}
	b.wantFiles(t) // resolving alone leaves the cache as it is
}

func TestResolveRemoteAsksWhateverIsCached(t *testing.T) {
	b := newBed(t, packtest.Options{})
	b.fill(t)
	p, err := b.fetcher(t).ResolveRemote(context.Background(), b.byDigest(), "")
	if err != nil || p.Layer.Digest != b.layer().Digest {
		t.Errorf("got %+v, %v", p, err)
	}
	b.wantRequests(t, "GET /v2/", b.manifestLine())
	_, err = b.offline(t).ResolveRemote(context.Background(), b.byDigest(), "")
	as[*packfetch.OfflineError](t, err)
}

func TestResolveCached(t *testing.T) {
	b := newBed(t, packtest.Options{})
	f := b.offline(t)
	_, err := f.ResolveCached(b.byTag(), b.pushed.ManifestDigest, "")
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v, want fs.ErrNotExist", err)
	}
	b.fill(t)
	p, err := f.ResolveCached(b.byTag(), b.pushed.ManifestDigest, "")
	if err != nil || p.Layer.Digest != b.layer().Digest || p.ManifestDigest != b.pushed.ManifestDigest {
		t.Errorf("got %+v, %v", p, err)
	}
	_, err = f.ResolveCached(b.byTag(), b.pushed.ManifestDigest, "image/png")
	wantText(t, err, fmt.Sprintf(`cannot use %s: no layer is "image/png" (%q %s)`, b.byTag(), packtest.PackMediaType, b.pushed.Layers[0]))
	write(t, b.file("manifest.json"), []byte("{}"))
	if _, err := f.ResolveCached(b.byTag(), b.pushed.ManifestDigest, ""); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("corrupt: got %v, want fs.ErrNotExist", err)
	}
}

func TestPinned(t *testing.T) {
	b := newBed(t, packtest.Options{})
	b.fill(t)
	os.Remove(b.file("manifest.json"))
	for _, f := range []*packfetch.Fetcher{b.offline(t), b.fetcher(t, noNetwork(t))} {
		p, err := f.Pinned(b.byTag(), b.pushed.ManifestDigest, b.layer(), "")
		if err != nil {
			t.Fatal(err)
		}
		var s sink
		fetched, err := f.Copy(context.Background(), p, &s)
		if fetched || err != nil {
			t.Errorf("got %t, %v", fetched, err)
		}
		wantBytes(t, s.Bytes(), b.data)
	}
	b.wantFiles(t, "metadata.json", "pack.gtpack") // there was no manifest to heal it with

	f := b.offline(t)
	p, err := f.Pinned(b.byDigest(), ociref.DigestOf(nil), b.layer(), "")
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.Copy(context.Background(), p, &sink{})
	as[*packfetch.OfflineError](t, err)

	p, err = f.Pinned(b.byDigest(), b.pushed.ManifestDigest, b.layer(), b.layer().Digest)
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.Copy(context.Background(), p, &sink{})
	as[*packfetch.OfflineError](t, err)

	bad := b.layer()
	bad.Size = -1
	_, err = f.Pinned(b.byDigest(), b.pushed.ManifestDigest, bad, "")
	as[*packfetch.ManifestError](t, err)
}

func TestFollow(t *testing.T) {
	b := newBed(t, packtest.Options{})
	newer := packtest.MustPush(t, b.reg, repository, "", packtest.Pack(packtest.Zip("bed", "1.0.1", 0), ""))
	tag := "/v2/" + repository + "/manifests/1.0"
	for name, test := range map[string]struct {
		fault    packtest.Fault
		digest   ociref.Digest
		moved    bool
		requests []string
	}{
		"unchanged":            {digest: b.pushed.ManifestDigest, requests: []string{"HEAD " + tag}},
		"moved":                {digest: newer.ManifestDigest, moved: true, requests: []string{"HEAD " + tag, "GET " + tag}},
		"no header":            {fault: packtest.LyingDigest("1.0", ""), digest: b.pushed.ManifestDigest, requests: []string{"HEAD " + tag, "GET " + tag}},
		"header says it moved": {fault: packtest.LyingDigest("1.0", newer.ManifestDigest), digest: b.pushed.ManifestDigest, requests: []string{"HEAD " + tag, "GET " + tag}},
	} {
		t.Run(name, func(t *testing.T) {
			b.reg.Inject()
			if test.fault.Match != nil {
				b.reg.Inject(test.fault)
			}
			b.reg.ResetRequests()
			p, err := b.fetcher(t, allowTags).Follow(context.Background(), b.byTag()+"@"+test.digest.String(), test.digest, "")
			if err != nil || (p != nil) != test.moved {
				t.Fatalf("got %+v, %v", p, err)
			}
			if p != nil && (p.ManifestDigest != b.pushed.ManifestDigest || p.Tag != "1.0") {
				t.Errorf("got %+v", p)
			}
			b.wantRequests(t, append([]string{"GET /v2/"}, test.requests...)...)
		})
	}
	_, err := b.offline(t).Follow(context.Background(), b.byTag(), newer.ManifestDigest, "")
	as[*packfetch.OfflineError](t, err)
}

// Following a tag is what the caller asked for: the zero Options allow it.
func TestFollowNeedsNoLeave(t *testing.T) {
	b := newBed(t, packtest.Options{})
	p, err := b.fetcher(t).Follow(context.Background(), b.byTag()+"@"+ociref.DigestOf(nil).String(), ociref.DigestOf(nil), "")
	if err != nil || p == nil || p.ManifestDigest != b.pushed.ManifestDigest {
		t.Errorf("got %+v, %v", p, err)
	}
}

func TestCancel(t *testing.T) {
	b := newBed(t, packtest.Options{})
	for _, line := range []string{b.manifestLine(), b.blobLine()} {
		path := strings.TrimPrefix(line, "GET ")
		ctx, cancel := context.WithCancel(context.Background())
		b.reg.Intercept(func(_ http.ResponseWriter, r *http.Request) bool {
			if r.URL.Path == path {
				cancel()
			}
			return false
		})
		b.reg.Inject(packtest.Stall(path))
		_, err := b.fetcher(t).Fetch(ctx, b.byDigest())
		if !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, want context.Canceled", err)
		}
		b.wantFiles(t)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := b.fetcher(t).FetchToCache(ctx, b.byDigest()); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", err)
	}
}
