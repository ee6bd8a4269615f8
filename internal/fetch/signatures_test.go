package fetch_test

import (
	"bytes"
	"context"
	"errors"
	"testing"

	"github.com/greenticai/packvendor/internal/fetch"
	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/packtest"
	"github.com/greenticai/packvendor/internal/referrers"
	"github.com/greenticai/packvendor/internal/signature"
)

// A resolved pack has the bytes that its signatures are about. The cache stores no indexes.
func TestManifestAndIndex(t *testing.T) {
	b := newFixture(t, packtest.Options{})
	index, err := b.reg.PushIndex(repository, "several", []packtest.Child{b.pushed.Child()})
	if err != nil {
		t.Fatal(err)
	}
	f := b.fetcher(t, allowTags)
	ref := ociref.Reference{Registry: b.reg.Host(), Repository: repository}
	for range 2 { // the second time the manifest is cached
		p, err := f.Resolve(context.Background(), ref.WithDigest(index.ManifestDigest), "")
		if err != nil || !bytes.Equal(p.Manifest(), b.pushed.Manifest) || !bytes.Equal(p.Index(), index.Manifest) {
			t.Errorf("index: got %s, %s, %v", p.Manifest(), p.Index(), err)
		}
	}
	p, err := f.Resolve(context.Background(), parse(b.byTag()), "")
	if err != nil || !bytes.Equal(p.Manifest(), b.pushed.Manifest) || p.Index() != nil {
		t.Errorf("manifest: got %s, %s, %v", p.Manifest(), p.Index(), err)
	}
}

// Offline only the manifest is searched, and that is not all.
func TestSearchSignatures(t *testing.T) {
	data := packtest.Zip("bed", "1.0.0", 1000)
	artifact := packtest.Pack(data, "bed.gtpack")
	artifact.Annotations = map[string]string{signature.GreenticAnnotation: "an envelope"}
	b := newFixtureOf(t, packtest.Options{}, data, artifact)
	f := b.fetcher(t, allowTags)
	p, err := f.Resolve(context.Background(), parse(b.byDigest()), "")
	if err != nil {
		t.Fatal(err)
	}
	b.reg.ResetRequests()
	var found []referrers.Candidate
	search := func(f *fetch.Fetcher, last bool) referrers.Result {
		found = nil
		result, err := f.SearchSignatures(context.Background(), p, func(c referrers.Candidate) bool { found = append(found, c); return last })
		if err != nil {
			t.Error(err)
		}
		return result
	}
	if _, ok := search(f, false).(*referrers.Complete); !ok || len(found) != 1 {
		t.Errorf("got %v", found)
	}
	tag := "/v2/" + repository + "/manifests/" + packtest.FallbackTag(p.ManifestDigest)
	b.wantRequests(t, "GET /v2/"+repository+"/referrers/"+string(p.ManifestDigest), "GET "+tag, "GET "+tag+".sig", b.manifestLine())
	b.reg.ResetRequests()
	offline := b.offline(t)
	if p, err = offline.ResolveCached(parse(b.byDigest()), p.ManifestDigest, ""); err != nil {
		t.Fatal(err)
	}
	if _, ok := search(offline, false).(*referrers.Incomplete); !ok || len(found) != 1 {
		t.Errorf("offline: got %v", found)
	}
	if _, ok := search(offline, true).(*referrers.Stopped); !ok || string(found[0].Payload) != "an envelope" {
		t.Errorf("stopped: got %v", found)
	}
	b.wantRequests(t)
}

// Without a manifest nothing can be signed: a Verifier is not even asked.
func TestVerifierWithoutManifest(t *testing.T) {
	b := newFixture(t, packtest.Options{})
	b.fill(t)
	f := b.fetcher(t, func(o *fetch.Options) { o.Verifier = refuser{t} })
	p, err := f.FromLock(parse(b.byDigest()), b.pushed.ManifestDigest, b.layer(), "")
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.ToCache(context.Background(), p)
	var offline *fetch.OfflineError
	if !errors.As(err, &offline) || err.Error() != b.byDigest()+" is cached without its manifest, so it cannot be verified offline" {
		t.Errorf("got %v", err)
	}
	b.wantRequests(t)
}

type refuser struct{ t *testing.T }

func (r refuser) Verify(context.Context, fetch.Subject, fetch.Signature) error {
	r.t.Error("it was asked")
	return errors.New("refused")
}
