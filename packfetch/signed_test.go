package packfetch_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/packtest"
	"github.com/greenticai/packvendor/internal/packtest/cosign"
	"github.com/greenticai/packvendor/internal/packtest/fault"
	"github.com/greenticai/packvendor/internal/packtest/signing"
	"github.com/greenticai/packvendor/packfetch"
)

// The keys of the tests below: two that a program trusts, and one that it does not.
var (
	first   = signing.Ed25519(1)
	second  = signing.P256(2)
	foreign = signing.Ed25519(3)
)

// publicKeys returns keys as a program has them: from files.
func publicKeys(t *testing.T, keys ...*signing.Key) []*packfetch.PublicKey {
	t.Helper()
	var list []*packfetch.PublicKey
	for _, key := range keys {
		public, err := packfetch.ParsePublicKey(key.PEM())
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, public)
	}
	return list
}

// A publisher is a registry with one pack, an index of it, and what is signed about them.
type publisher struct {
	t       *testing.T
	reg     *packtest.Registry
	data    []byte
	pack    packtest.Pushed
	index   packtest.Pushed
	options packfetch.Options
	names   []string // pairs of a text and what messages have for it
}

const packs = "greenticai/pack"

// publish pushes a pack whose manifest has the annotation, unless that is "".
func publish(t *testing.T, o packtest.Options, annotation string) *publisher {
	t.Helper()
	p := &publisher{t: t, reg: packtest.StartRegistry(t, o), data: packtest.Zip("pack", "1.0.0", 1000)}
	artifact := packtest.Pack(p.data, "pack.gtpack")
	if annotation != "" {
		artifact.Annotations = map[string]string{signing.DSSEAnnotation: annotation}
	}
	p.pack = packtest.MustPush(t, p.reg, packs, "1.0", artifact)
	index, err := p.reg.PushIndex(packs, "", []packtest.Child{p.pack.Child()})
	if err != nil {
		t.Fatal(err)
	}
	p.index = index
	p.name(p.reg.Host(), "HOST")
	p.name(p.pack.ManifestDigest.Hex(), "PACK")
	p.name(p.pack.Layers[0].Hex(), "LAYER")
	p.name(p.index.ManifestDigest.Hex(), "INDEX")
	transport := p.reg.Transport()
	t.Cleanup(transport.CloseIdleConnections)
	p.options = packfetch.Options{
		CacheDir: filepath.Join(t.TempDir(), "cache"), Transport: transport,
		Verifier: packfetch.SignedBy(publicKeys(t, first, second)...),
		Sleep:    func(ctx context.Context, _ time.Duration) error { return context.Cause(ctx) },
	}
	return p
}

func (p *publisher) name(text, name string) { p.names = append(p.names, text, name) }

// named shows a text with names.
func (p *publisher) named(text string) string { return strings.NewReplacer(p.names...).Replace(text) }

func (p *publisher) reference() string { return p.at(p.pack) }

func (p *publisher) at(pushed packtest.Pushed) string {
	return p.reg.Host() + "/" + packs + "@" + pushed.ManifestDigest.String()
}

// attach pushes an artifact about a manifest with a bundle, and lists it under the tag where
// the registry has no API.
func (p *publisher) attach(name string, subject packtest.Pushed, bundle []byte) {
	p.t.Helper()
	child := subject.Child()
	pushed := packtest.MustPush(p.t, p.reg, packs, "", packtest.Artifact{
		ArtifactType: signing.BundleMediaType, Subject: &child,
		Layers: []packtest.Layer{{MediaType: signing.BundleMediaType, Data: bundle}},
	})
	p.name(pushed.ManifestDigest.Hex(), name)
	p.name(pushed.Layers[0].Hex(), name+"/0")
	if _, err := p.reg.PushIndex(packs, packtest.FallbackTag(subject.ManifestDigest), []packtest.Child{pushed.Child()}); err != nil {
		p.t.Fatal(err)
	}
}

// simple pushes a signature of cosign's older kind.
func (p *publisher) simple(subject packtest.Pushed, key *signing.Key, payload []byte) {
	p.t.Helper()
	pushed := packtest.MustPush(p.t, p.reg, packs, packtest.FallbackTag(subject.ManifestDigest)+".sig", packtest.Artifact{
		ConfigMediaType: "application/vnd.oci.image.config.v1+json",
		Layers: []packtest.Layer{{
			MediaType: "application/vnd.dev.cosign.simplesigning.v1+json", Data: payload,
			Annotations: map[string]string{"dev.cosignproject.cosign/signature": signing.Base64(key.Sign(payload))},
		}},
	})
	p.name(pushed.ManifestDigest.Hex(), "SIG")
	p.name(pushed.Layers[0].Hex(), "SIG/0")
}

// bundle is one by a key about a manifest, with a change of the statement.
func bundle(key *signing.Key, subject ociref.Digest, change ...func(*signing.Statement)) []byte {
	s := signing.CosignStatement(subject.String())
	for _, c := range change {
		c(&s)
	}
	return signing.SignBundle(s.JSON(), key).JSON()
}

// layerOf is the digest of the pack's layer.
func layerOf() string { return ociref.DigestOf(packtest.Zip("pack", "1.0.0", 1000)).String() }

// envelope is the annotation that a key signs about a layer.
func envelope(layer string, key *signing.Key) string {
	return signing.Sign(signing.GreenticStatement("pack.gtpack", layer).JSON(), key).Annotation()
}

// fetcher returns a new Fetcher.
func (p *publisher) fetcher() *packfetch.Fetcher {
	p.t.Helper()
	f, err := packfetch.New(p.options)
	if err != nil {
		p.t.Fatal(err)
	}
	return f
}

// fetch fetches by both ways, each with an empty cache unless it is warm. If it fails, both
// return the same error and nothing else, and only a warm cache has the pack. The result is
// the error with names, and the requests of the first way.
func (p *publisher) fetch(reference string, warm bool) (text, requests string, err error) {
	p.t.Helper()
	digest, root := p.pack.ManifestDigest.Hex(), p.options.CacheDir
	p.reg.ResetRequests()
	got, err := p.fetcher().Fetch(context.Background(), reference)
	requests = p.requests()
	if !warm {
		p.checkCache(filepath.Join(root, digest, "pack.gtpack"), err == nil)
		p.options.CacheDir = filepath.Join(p.t.TempDir(), "cache")
	}
	result, second := p.fetcher().FetchToCache(context.Background(), reference)
	if fmt.Sprint(err) != fmt.Sprint(second) {
		p.t.Errorf("Fetch says %v\nFetchToCache says %v", err, second)
	}
	if err != nil {
		if got != nil || result.Path != "" || result.ResolvedDigest != "" || result.ManifestAnnotations != nil {
			p.t.Errorf("got %d bytes and %+v with an error", len(got), result)
		}
		if !warm {
			p.checkCache(filepath.Join(p.options.CacheDir, digest, "pack.gtpack"), false)
		}
		return p.named(err.Error()), requests, err
	}
	data, readErr := os.ReadFile(result.Path)
	if readErr != nil || !bytes.Equal(data, p.data) || !bytes.Equal(got, p.data) {
		p.t.Errorf("got %d and %d bytes, %v", len(got), len(data), readErr)
	}
	return "", requests, nil
}

func (p *publisher) checkCache(file string, want bool) {
	p.t.Helper()
	if _, err := os.Stat(file); (err == nil) != want {
		p.t.Errorf("the cache has the pack: %t, want %t", err == nil, want)
	}
}

func (p *publisher) requests() string {
	var list []string
	for _, r := range p.reg.Requests() {
		if r.Path != "/v2/" && !strings.HasPrefix(r.Path, "/token?") {
			list = append(list, strings.TrimPrefix(p.named(r.Path), "/v2/"+packs+"/"))
		}
	}
	return strings.Join(list, " ")
}

// Requests of a search in which the registry has nothing about the pack.
const (
	askedPack = "manifests/sha256:PACK"
	askedAll  = askedPack + " referrers/sha256:PACK manifests/sha256-PACK manifests/sha256-PACK.sig"
	gotLayer  = " blobs/sha256:LAYER"
)

// What the places have where there is nothing.
const (
	noAnnotation = "\n\tlooked at the manifest's annotation dev.greentic.dsse: nothing"
	noAPI        = "\n\tlooked at the referrers API of HOST/greenticai/pack for sha256:PACK: nothing: no referrers API: the answer is 404 Not Found"
	emptyAPI     = "\n\tlooked at the referrers API of HOST/greenticai/pack for sha256:PACK: nothing"
	noList       = "\n\tlooked at HOST/greenticai/pack:sha256-PACK: nothing: 404 Not Found"
	noSig        = "\n\tlooked at HOST/greenticai/pack:sha256-PACK.sig: nothing: 404 Not Found"
	notSigned    = "HOST/greenticai/pack@sha256:PACK is not signed"
	notAccepted  = "no signature of HOST/greenticai/pack@sha256:PACK is accepted"
)

func TestSignedBy(t *testing.T) {
	api := packtest.Options{Referrers: true}
	other := ociref.DigestOf([]byte("another"))
	for name, test := range map[string]struct {
		options    packtest.Options
		annotation string
		publish    func(*publisher)
		index      bool   // the reference leads to the index
		want       string // the error
		requests   string
	}{
		"a signature in the manifest":     {annotation: envelope(layerOf(), first), requests: askedPack + gotLayer},
		"a bundle, where there is an API": {options: api, publish: func(p *publisher) { p.attach("SIGNED", p.pack, bundle(second, p.pack.ManifestDigest)) }, requests: askedPack + " referrers/sha256:PACK manifests/sha256:SIGNED blobs/sha256:SIGNED/0" + gotLayer},
		"a bundle, where there is none":   {publish: func(p *publisher) { p.attach("SIGNED", p.pack, bundle(first, p.pack.ManifestDigest)) }, requests: askedPack + " referrers/sha256:PACK manifests/sha256-PACK manifests/sha256:SIGNED blobs/sha256:SIGNED/0" + gotLayer},
		"a signature of the older kind": {publish: func(p *publisher) {
			p.simple(p.pack, second, signing.NewSimple(p.reg.Host()+"/"+packs, p.pack.ManifestDigest.String()).JSON())
		}, requests: askedAll + " blobs/sha256:SIG/0" + gotLayer},
		"a bad signature and a good one": {annotation: envelope(layerOf(), foreign), options: api, publish: func(p *publisher) { p.attach("SIGNED", p.pack, bundle(first, p.pack.ManifestDigest)) }, requests: askedPack + " referrers/sha256:PACK manifests/sha256:SIGNED blobs/sha256:SIGNED/0" + gotLayer},
		"a bundle that names the repository": {options: api, publish: func(p *publisher) {
			p.attach("SIGNED", p.pack, bundle(first, p.pack.ManifestDigest, func(s *signing.Statement) { s.Subject[0].Name = p.reg.Host() + "/" + packs }))
		}, requests: askedPack + " referrers/sha256:PACK manifests/sha256:SIGNED blobs/sha256:SIGNED/0" + gotLayer},
		"a signed index":                {options: api, index: true, publish: func(p *publisher) { p.attach("SIGNED", p.index, bundle(first, p.index.ManifestDigest)) }, requests: "manifests/sha256:INDEX manifests/sha256:PACK referrers/sha256:INDEX manifests/sha256:SIGNED blobs/sha256:SIGNED/0" + gotLayer},
		"a signed manifest of an index": {options: api, index: true, publish: func(p *publisher) { p.attach("SIGNED", p.pack, bundle(first, p.pack.ManifestDigest)) }, requests: "manifests/sha256:INDEX manifests/sha256:PACK referrers/sha256:INDEX referrers/sha256:PACK manifests/sha256:SIGNED blobs/sha256:SIGNED/0" + gotLayer},
		"unsigned":                      {requests: askedAll + " " + askedPack, want: notSigned + noAnnotation + noAPI + noList + noSig},
		"a signed index, but not by this reference": {options: api, publish: func(p *publisher) { p.attach("SIGNED", p.index, bundle(first, p.index.ManifestDigest)) }, requests: askedAll + " " + askedPack, want: notSigned + noAnnotation + emptyAPI + noList + noSig},
		"a foreign key in the manifest": {annotation: envelope(layerOf(), foreign), requests: askedAll + " " + askedPack,
			want: notAccepted + "\n\tgreentic-dsse in the manifest's annotation dev.greentic.dsse: no allowed key signed it: it names key " + foreign.GreenticID() +
				"\n\tlooked at the manifest's annotation dev.greentic.dsse: 1 candidate" + noAPI + noList + noSig},
		"another layer": {annotation: envelope(other.String(), first), requests: askedAll + " " + askedPack,
			want: notAccepted + "\n\tgreentic-dsse in the manifest's annotation dev.greentic.dsse: signed by " + first.Identity() + ", but it is about " + other.String() + ", not about the layer sha256:LAYER" +
				"\n\tlooked at the manifest's annotation dev.greentic.dsse: 1 candidate" + noAPI + noList + noSig},
		"no envelope": {annotation: "none", requests: askedAll + " " + askedPack,
			want: notAccepted + "\n\tgreentic-dsse in the manifest's annotation dev.greentic.dsse: envelope: not valid UTF-8" +
				"\n\tlooked at the manifest's annotation dev.greentic.dsse: 1 candidate" + noAPI + noList + noSig},
		"a foreign key": {options: api, publish: func(p *publisher) { p.attach("SIGNED", p.pack, bundle(foreign, p.pack.ManifestDigest)) },
			requests: askedPack + " referrers/sha256:PACK manifests/sha256:SIGNED blobs/sha256:SIGNED/0 manifests/sha256-PACK manifests/sha256-PACK.sig",
			want:     refusedBundle("no allowed key signed it")},
		"another manifest": {options: api, publish: func(p *publisher) { p.attach("SIGNED", p.pack, bundle(first, other)) },
			requests: askedPack + " referrers/sha256:PACK manifests/sha256:SIGNED blobs/sha256:SIGNED/0 manifests/sha256-PACK manifests/sha256-PACK.sig",
			want:     refusedBundle("signed by " + first.Identity() + ", but it is about " + other.String() + ", not about the manifest sha256:PACK")},
		"another repository": {options: api, publish: func(p *publisher) {
			p.attach("SIGNED", p.pack, bundle(first, p.pack.ManifestDigest, func(s *signing.Statement) { s.Subject[0].Name = "reg.example/other/pack" }))
		},
			requests: askedPack + " referrers/sha256:PACK manifests/sha256:SIGNED blobs/sha256:SIGNED/0 manifests/sha256-PACK manifests/sha256-PACK.sig",
			want:     refusedBundle("signed by " + first.Identity() + ", but it names reg.example/other/pack, another repository")},
		"an attestation": {options: api, publish: func(p *publisher) {
			p.attach("SIGNED", p.pack, bundle(first, p.pack.ManifestDigest, func(s *signing.Statement) { s.PredicateType = "https://spdx.dev/Document" }))
		},
			requests: askedPack + " referrers/sha256:PACK manifests/sha256:SIGNED blobs/sha256:SIGNED/0 manifests/sha256-PACK manifests/sha256-PACK.sig",
			want:     refusedBundle("an attestation of https://spdx.dev/Document, not a signature")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := publish(t, test.options, test.annotation)
			if test.publish != nil {
				test.publish(p)
			}
			reference := p.reference()
			if test.index {
				reference = p.at(p.index)
			}
			text, requests, err := p.fetch(reference, false)
			if text != test.want {
				t.Errorf("error:\n got: %s\nwant: %s", text, test.want)
			}
			if requests != test.requests {
				t.Errorf("requests:\n got: %s\nwant: %s", requests, test.requests)
			}
			var unsigned *packfetch.UnsignedError
			if test.want != "" && (!errors.As(err, &unsigned) || unsigned.Reference != reference) {
				t.Errorf("%#v", err)
			}
		})
	}
}

// refusedBundle is the error about a pack whose one signature is a bundle.
func refusedBundle(reason string) string {
	return notAccepted + "\n\tsigstore-bundle in sha256:SIGNED: " + reason + noAnnotation +
		"\n\tlooked at the referrers API of HOST/greenticai/pack for sha256:PACK: 1 candidate" +
		"\n\tlooked at HOST/greenticai/pack:sha256-PACK: 1 known already" + noSig
}

// A registry in trouble is no unsigned pack.
func TestUnsearched(t *testing.T) {
	for status, text := range map[int]string{
		http.StatusInternalServerError: "500 Internal Server Error: UNKNOWN: internal server error (after 5 tries)",
		http.StatusUnauthorized:        "401 Unauthorized: UNAUTHORIZED: unauthorized",
		http.StatusForbidden:           "403 Forbidden: DENIED: forbidden",
		http.StatusTooManyRequests:     "429 Too Many Requests: TOOMANYREQUESTS: too many requests (after 5 tries)",
	} {
		t.Run(http.StatusText(status), func(t *testing.T) {
			t.Parallel()
			p := publish(t, packtest.Options{Referrers: true}, envelope(layerOf(), foreign))
			p.reg.Inject(fault.Status("/v2/"+packs+"/referrers/", status, nil))
			said, _, err := p.fetch(p.reference(), false)
			var unsearched *packfetch.UnsearchedError
			var registry *packfetch.RegistryError
			if !errors.As(err, &unsearched) || unsearched.Reference != p.reference() || len(unsearched.Verdicts) != 1 ||
				!errors.As(err, &registry) || registry.Status != status || errors.As(err, new(*packfetch.UnsignedError)) {
				t.Errorf("%#v", err)
			}
			want := "HOST/greenticai/pack@sha256:PACK is not fully searched for signatures" +
				"\n\tgreentic-dsse in the manifest's annotation dev.greentic.dsse: no allowed key signed it: it names key " + foreign.GreenticID() +
				"\n\tlooked at the manifest's annotation dev.greentic.dsse: 1 candidate" +
				"\n\tlooked at the referrers API of HOST/greenticai/pack for sha256:PACK: GET https://HOST/v2/greenticai/pack/referrers/sha256:PACK: " + text +
				noList + noSig
			if said != want {
				t.Errorf("error:\n got: %s\nwant: %s", said, want)
			}
		})
	}
}

// The cache is shared: what it has is verified like anything else. Offline, a signature in
// the manifest is enough, and for all others the registry is needed.
func TestSignedInCache(t *testing.T) {
	for name, test := range map[string]struct {
		annotation string
		bundle     bool
		offline    bool
		want       string
		requests   string
	}{
		"signed in the manifest":          {annotation: envelope(layerOf(), first)},
		"signed in the manifest, offline": {annotation: envelope(layerOf(), first), offline: true},
		"signed by a bundle":              {bundle: true, requests: "referrers/sha256:PACK manifests/sha256:SIGNED blobs/sha256:SIGNED/0"},
		"signed by a bundle, offline":     {bundle: true, offline: true, want: "the signatures of HOST/greenticai/pack@sha256:PACK are in its registry alone, and the network is off"},
		"unsigned": {requests: strings.TrimPrefix(askedAll, askedPack+" ") + " " + askedPack,
			want: notSigned + noAnnotation + emptyAPI + noList + noSig},
		"unsigned, offline": {offline: true, want: "the signatures of HOST/greenticai/pack@sha256:PACK are in its registry alone, and the network is off"},
		"a foreign key in the manifest, offline": {annotation: envelope(layerOf(), foreign), offline: true,
			want: "the signatures of HOST/greenticai/pack@sha256:PACK are in its registry alone, and the network is off" +
				"\n\tgreentic-dsse in the manifest's annotation dev.greentic.dsse: no allowed key signed it: it names key " + foreign.GreenticID()},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := publish(t, packtest.Options{Referrers: true}, test.annotation)
			if test.bundle {
				p.attach("SIGNED", p.pack, bundle(first, p.pack.ManifestDigest))
			}
			verifier := p.options.Verifier
			p.options.Verifier = nil
			if _, requests, err := p.fetch(p.reference(), false); err != nil || requests != askedPack+gotLayer {
				t.Fatalf("without a Verifier: %v, requests %s", err, requests)
			}
			p.options.Verifier, p.options.Offline = verifier, test.offline
			text, requests, err := p.fetch(p.reference(), true)
			if text != test.want {
				t.Errorf("error:\n got: %s\nwant: %s", text, test.want)
			}
			if requests != test.requests {
				t.Errorf("requests:\n got: %s\nwant: %s", requests, test.requests)
			}
			var offline *packfetch.OfflineError
			if test.offline && test.want != "" && (!errors.As(err, &offline) || !offline.Signatures) {
				t.Errorf("%#v", err)
			}
		})
	}
}

// What the real cosign wrote is accepted, with keys of each kind.
func TestRealCosign(t *testing.T) {
	var older struct {
		Layers []struct{ Annotations map[string]string }
	}
	if err := json.Unmarshal(cosign.File(cosign.Simple), &older); err != nil {
		t.Fatal(err)
	}
	var named signing.Simple
	if err := json.Unmarshal(cosign.File(cosign.SimplePayload), &named); err != nil {
		t.Fatal(err)
	}
	data := []byte("a pack")
	subject := packfetch.Subject{
		Reference:      named.Critical.Identity.Reference + ":1.0.0",
		ManifestDigest: ociref.DigestOf(cosign.File(cosign.Subject)), Manifest: cosign.File(cosign.Subject),
		Layer: packfetch.Layer{MediaType: packtest.PackMediaType, Digest: ociref.DigestOf(data).String(), Size: int64(len(data))},
	}
	elsewhere := subject
	elsewhere.Reference = "reg.example/greentic/pack:1.0.0"
	for i, name := range cosign.Signers {
		key, err := packfetch.ParsePublicKey(cosign.File(cosign.Key(name)))
		if err != nil {
			t.Fatal(err)
		}
		v := packfetch.SignedBy(key)
		newer := packfetch.Signature{Format: packfetch.SigstoreBundle, MediaType: signing.BundleMediaType, Payload: cosign.File(cosign.Bundle(name))}
		old := packfetch.Signature{Format: packfetch.CosignSimpleSigning, Annotations: older.Layers[i].Annotations, Payload: cosign.File(cosign.SimplePayload)}
		for _, s := range []packfetch.Signature{newer, old} {
			if err := v.Verify(t.Context(), subject, s); err != nil {
				t.Errorf("%s, %s: %v", name, s.Format, err)
			}
		}
		err = v.Verify(t.Context(), elsewhere, old)
		want := fmt.Sprintf("signed by %s, but it names %s, another repository", key.Identity(), named.Critical.Identity.Reference)
		if err == nil || err.Error() != want {
			t.Errorf("%s: got %v, want %s", name, err, want)
		}
	}
}

// A program may have a Verifier of its own.
func TestOwnVerifier(t *testing.T) {
	p := publish(t, packtest.Options{Referrers: true}, envelope(layerOf(), first))
	p.attach("SIGNED", p.index, bundle(foreign, p.index.ManifestDigest))
	own := &ownVerifier{err: errors.New("not today\nnor tomorrow")}
	p.options.Verifier = own
	text, _, err := p.fetch(p.at(p.index), false)
	want := "no signature of HOST/greenticai/pack@sha256:INDEX is accepted" +
		"\n\tgreentic-dsse in the manifest's annotation dev.greentic.dsse: not today\n\t\tnor tomorrow" +
		"\n\tsigstore-bundle in sha256:SIGNED: not today\n\t\tnor tomorrow" +
		"\n\tlooked at the manifest's annotation dev.greentic.dsse: 1 candidate" +
		"\n\tlooked at the referrers API of HOST/greenticai/pack for sha256:INDEX: 1 candidate" +
		"\n\tlooked at the referrers API of HOST/greenticai/pack for sha256:PACK: nothing" +
		"\n\tlooked at HOST/greenticai/pack:sha256-INDEX: 1 known already" +
		noList + "\n\tlooked at HOST/greenticai/pack:sha256-INDEX.sig: nothing: 404 Not Found" + noSig
	var unsigned *packfetch.UnsignedError
	if text != want || !errors.As(err, &unsigned) || unsigned.Verdicts[1].Err != own.err {
		t.Errorf(" got: %s\nwant: %s", text, want)
	}
	seen := own.seen
	if len(seen) != 4 { // two signatures, by two ways
		t.Fatalf("%d signatures", len(seen))
	}
	for i, want := range []packfetch.Signature{
		{Format: packfetch.GreenticDSSE, Place: "the manifest's annotation dev.greentic.dsse", Payload: []byte(envelope(layerOf(), first))},
		{Format: packfetch.SigstoreBundle, Place: "the referrers API of HOST/greenticai/pack for sha256:INDEX", MediaType: signing.BundleMediaType, Payload: bundle(foreign, p.index.ManifestDigest)},
	} {
		got := seen[i].signature
		got.Place = p.named(got.Place)
		if fmt.Sprintf("%+v", got) != fmt.Sprintf("%+v", want) {
			t.Errorf("signature %d:\n got: %+v\nwant: %+v", i, got, want)
		}
		s := seen[i].subject
		if s.Reference != p.at(p.index) || s.ManifestDigest != p.pack.ManifestDigest || !bytes.Equal(s.Manifest, p.pack.Manifest) ||
			s.IndexDigest != p.index.ManifestDigest || !bytes.Equal(s.Index, p.index.Manifest) ||
			s.Layer != (packfetch.Layer{MediaType: packtest.PackMediaType, Digest: layerOf(), Size: int64(len(p.data)), Title: "pack.gtpack"}) {
			t.Errorf("subject of %s: layer %+v, manifest %s, index %s", s.Reference, s.Layer, s.Manifest, s.Index)
		}
	}
	own.err = nil
	if _, requests, err := p.fetch(p.reference(), false); err != nil || requests != strings.TrimSpace(gotLayer) {
		t.Errorf("%v, requests %s", err, requests) // the manifest is cached
	}
}

// An ownVerifier remembers what it is asked, and spoils it.
type ownVerifier struct {
	err  error
	seen []asked
}

type asked struct {
	subject   packfetch.Subject
	signature packfetch.Signature
}

func (v *ownVerifier) Verify(_ context.Context, subject packfetch.Subject, s packfetch.Signature) error {
	kept := asked{subject, s}
	kept.subject.Manifest, kept.subject.Index, kept.signature.Payload = bytes.Clone(subject.Manifest), bytes.Clone(subject.Index), bytes.Clone(s.Payload)
	v.seen = append(v.seen, kept)
	clear(subject.Manifest)
	clear(subject.Index)
	clear(s.Payload)
	return v.err
}

// A context that ends while signatures are looked for is the reason of the error.
func TestVerifierEnded(t *testing.T) {
	p := publish(t, packtest.Options{}, envelope(layerOf(), foreign))
	why := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	p.options.Verifier = verifierFunc(func() error { cancel(why); return why })
	_, err := p.fetcher().Fetch(ctx, p.reference())
	if err != why {
		t.Errorf("got %v", err)
	}
}

type verifierFunc func() error

func (f verifierFunc) Verify(context.Context, packfetch.Subject, packfetch.Signature) error {
	return f()
}

// Without keys nothing could be accepted.
func TestSignedByNobody(t *testing.T) {
	for _, keys := range [][]*packfetch.PublicKey{nil, {nil}} {
		_, err := packfetch.New(packfetch.Options{Verifier: packfetch.SignedBy(keys...)})
		var option *packfetch.OptionError
		if !errors.As(err, &option) || err.Error() != "verifier: SignedBy has no keys" {
			t.Errorf("got %v", err)
		}
	}
}

// Keys come from files that are keys.
func TestPublicKeys(t *testing.T) {
	_, err := packfetch.ParsePublicKey(first.PrivatePEM())
	var key *packfetch.PublicKeyError
	if !errors.As(err, &key) || err.Error() != "a private key: keep it secret, and use its public key" {
		t.Errorf("got %v", err)
	}
	root, err := json.Marshal(map[string]any{"schema": "greentic.trust-root.v1", "keys": []any{
		map[string]string{"key_id": first.GreenticID(), "public_key_pem": string(first.PEM())},
	}})
	if err != nil {
		t.Fatal(err)
	}
	keys, err := packfetch.ParseTrustRoot(root)
	if err != nil || len(keys) != 1 || keys[0].Identity() != first.Identity() {
		t.Errorf("got %v, %v", keys, err)
	}
	if _, err = packfetch.ParseTrustRoot([]byte("{}")); !errors.As(err, &key) {
		t.Errorf("got %v", err)
	}
}

// The signature is about the layer that is fetched, by whatever option that was selected.
func TestSignedByOtherMediaType(t *testing.T) {
	p := publish(t, packtest.Options{}, "")
	artifact := packtest.Artifact{
		Layers:      []packtest.Layer{{MediaType: "application/x-pack", Data: p.data}},
		Annotations: map[string]string{signing.DSSEAnnotation: envelope(layerOf(), first)},
	}
	p.pack = packtest.MustPush(t, p.reg, packs, "", artifact)
	p.options.AcceptMediaTypes = []string{"application/x-other", "application/x-pack"}
	if text, _, err := p.fetch(p.reference(), false); err != nil {
		t.Error(text)
	}
}
