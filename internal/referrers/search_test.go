package referrers_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/greenticai/packvendor/internal/credentials"
	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/packtest"
	"github.com/greenticai/packvendor/internal/packtest/fault"
	"github.com/greenticai/packvendor/internal/referrers"
	"github.com/greenticai/packvendor/internal/registry"
	"github.com/greenticai/packvendor/internal/signature"
)

// both are registries with and without the referrers API.
var both = map[string]packtest.Options{"API": {Referrers: true}, "no API": {}}

func TestNothing(t *testing.T) {
	t.Parallel()
	for name, o := range both {
		t.Run(name, func(t *testing.T) {
			o.Token = true
			w := newWorld(t, o)
			result := w.search()
			w.wantSaid(result, "Complete")
			w.wantPayloads()
			w.wantRequests(everywhere...)
			if n := len(result.Answers()); n != 7 {
				t.Errorf("%d answers", n)
			}
			missing := "nothing"
			if !o.Referrers {
				missing = "nothing: no referrers API: the answer is 404 Not Found"
			}
			var got []string
			for _, a := range result.Answers() {
				got = append(got, strings.NewReplacer(w.names...).Replace(a.String()))
			}
			want := []string{
				annotation + "nothing", apiOfIndex + missing, apiOfPack + missing,
				listOfIndex + "nothing: 404 Not Found", listOfPack + "nothing: 404 Not Found",
				sigsOfIndex + "nothing: 404 Not Found", sigsOfPack + "nothing: 404 Not Found",
			}
			if !slices.Equal(got, want) {
				t.Errorf("answers:\n got: %s\nwant: %s", strings.Join(got, "\n      "), strings.Join(want, "\n      "))
			}

			w.alone = true
			ref := w.at(w.reg.Host())
			ref.Tag, ref.Digest = "1.0", w.index.ManifestDigest // do not matter
			result = w.search(ref)
			w.wantSaid(result, "Complete")
			w.wantRequests("referrers/sha256:PACK", "manifests/sha256-PACK", "manifests/sha256-PACK.sig", "manifests/sha256:PACK")
			for _, a := range result.Answers() {
				if a.Place.Repository.Tag != "" || a.Place.Repository.Digest != "" {
					t.Errorf("place %+v", a.Place)
				}
			}

			w.alone, w.index = false, w.pack // the index is no other
			w.wantSaid(w.search(), "Complete")
			w.wantRequests("referrers/sha256:PACK", "manifests/sha256-PACK", "manifests/sha256-PACK.sig", "manifests/sha256:PACK")
		})
	}
}

// What every place has comes in its order, and no request is made after the one that judge
// wants.
func TestOrder(t *testing.T) {
	t.Parallel()
	w := newWorld(t, packtest.Options{Referrers: true})
	w.push(map[string]string{signature.GreenticAnnotation: "an envelope", "other": "x"})
	apiIndex, apiPack := w.bundle("api-index", w.index), w.bundle("api-pack", w.pack)
	listIndex, listPack := w.bundle("list-index", w.index), w.bundle("list-pack", w.pack)
	w.list(w.index, bundleType, listIndex)
	w.list(w.pack, bundleType, listPack)
	w.simple(w.index, packtest.Layer{MediaType: simpleType, Data: []byte("sig-index")})
	w.simple(w.pack, packtest.Layer{MediaType: simpleType, Data: []byte("sig-pack")})

	// The registry lists those under the tags too: hide them from its API.
	honest := []packtest.Pushed{apiIndex, apiPack}
	w.reg.Intercept(func(rw http.ResponseWriter, r *http.Request) bool {
		_, kind, subject := packtest.Endpoint(r.URL.Path)
		if kind != "referrers" {
			return false
		}
		one := honest[0]
		if subject == w.pack.ManifestDigest.String() {
			one = honest[1]
		}
		rw.Header().Set("Content-Type", packtest.IndexMediaType)
		fmt.Fprintf(rw, `{"mediaType":%q,"manifests":[{"mediaType":%q,"digest":%q,"size":%d}]}`, packtest.IndexMediaType, one.MediaType, one.ManifestDigest, len(one.Manifest))
		return true
	})
	order := []string{"an envelope", "api-index", "api-pack", "list-index", "list-pack", "sig-index", "sig-pack"}
	requests := []string{
		"referrers/sha256:INDEX", "manifests/sha256:api-index", "blobs/sha256:api-index/0",
		"referrers/sha256:PACK", "manifests/sha256:api-pack", "blobs/sha256:api-pack/0",
		"manifests/sha256-INDEX", "manifests/sha256:list-index", "blobs/sha256:list-index/0",
		"manifests/sha256-PACK", "manifests/sha256:list-pack", "blobs/sha256:list-pack/0",
		"manifests/sha256-INDEX.sig", "blobs/sha256:sig-index", "manifests/sha256-PACK.sig", "blobs/sha256:sig-pack",
	}
	made := []int{0, 3, 6, 9, 12, 14, 16}
	for _, text := range []string{"sig-index", "sig-pack"} {
		w.name(ociref.DigestOf([]byte(text)).Hex(), text)
	}
	for i, wanted := range order {
		w.stop = func(c referrers.Candidate) bool { return string(c.Payload) == wanted }
		result := w.search()
		stopped, ok := result.(*referrers.Stopped)
		if !ok || len(stopped.Answers()) != i+1 {
			t.Errorf("%s: %T, %d answers", wanted, result, len(result.Answers()))
		}
		w.wantPayloads(order[:i+1]...)
		w.wantRequests(requests[:made[i]]...)
	}
	w.stop = nil
	w.wantSaid(w.search(), annotation+"1 candidate", apiOfIndex+"1 candidate", apiOfPack+"1 candidate", listOfIndex+"1 candidate",
		listOfPack+"1 candidate", sigsOfIndex+"1 candidate", sigsOfPack+"1 candidate", "Complete")
	w.wantPayloads(order...)
}

// A candidate has all that it takes to judge it.
func TestCandidate(t *testing.T) {
	t.Parallel()
	w := newWorld(t, packtest.Options{Referrers: true})
	w.alone = true
	w.push(map[string]string{signature.GreenticAnnotation: "an envelope"})
	bundle := w.bundle("bundle", w.pack)
	annotations := map[string]string{"dev.cosignproject.cosign/signature": "c2ln", "dev.sigstore.cosign/certificate": "PEM"}
	simple := w.simple(w.pack,
		packtest.Layer{MediaType: simpleType, Data: []byte("one"), Annotations: annotations},
		packtest.Layer{MediaType: simpleType, Data: []byte("two")})
	w.wantSaid(w.search(), annotation+"1 candidate", apiOfPack+"1 candidate", sigsOfPack+"2 candidates", "Complete")
	home, digest := w.at(w.reg.Host()), w.pack.ManifestDigest
	want := []referrers.Candidate{
		{Format: signature.Greentic, Place: referrers.Place{Kind: referrers.Annotation, Subject: digest}, Payload: []byte("an envelope")},
		{Format: signature.Bundle, Place: referrers.Place{Kind: referrers.API, Repository: home, Subject: digest}, Artifact: bundle.ManifestDigest,
			Manifest: bundle.Manifest, Layer: bundle.Layers[0], MediaType: bundleType, Payload: []byte("bundle")},
		{Format: signature.Simple, Place: referrers.Place{Kind: referrers.SignatureTag, Repository: home, Subject: digest}, Artifact: simple.ManifestDigest,
			Manifest: simple.Manifest, Layer: simple.Layers[0], MediaType: simpleType, Annotations: annotations, Payload: []byte("one")},
		{Format: signature.Simple, Place: referrers.Place{Kind: referrers.SignatureTag, Repository: home, Subject: digest}, Artifact: simple.ManifestDigest,
			Manifest: simple.Manifest, Layer: simple.Layers[1], MediaType: simpleType, Payload: []byte("two")},
	}
	if !reflect.DeepEqual(w.found, want) {
		t.Errorf("got %+v\nwant %+v", w.found, want)
	}
}

// What stands in the manifest is a candidate whatever it is; a manifest with two readings
// is none.
func TestAnnotation(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ manifest, payload, said string }{
		"empty":               {`{"annotations":{"dev.greentic.dsse":""}}`, "", annotation + "1 candidate"},
		"not base64":          {`{"annotations":{"dev.greentic.dsse":"?"}}`, "?", annotation + "1 candidate"},
		"other case":          {`{"annotations":{"dev.greentic.DSSE":"x"}}`, "none", ""},
		"elsewhere":           {`{"dev.greentic.dsse":"x","config":{"annotations":{"dev.greentic.dsse":"x"}}}`, "none", ""},
		"twice":               {`{"annotations":{"dev.greentic.dsse":"x","dev.greentic.dsse":"y"}}`, "none", annotation + "1 refused\n  the manifest: key \"dev.greentic.dsse\" stands twice in one object"},
		"annotations twice":   {`{"annotations":{"dev.greentic.dsse":"x"},"annotations":{}}`, "none", annotation + "1 refused\n  the manifest: key \"annotations\" stands twice in one object"},
		"a number":            {`{"annotations":{"dev.greentic.dsse":7}}`, "none", annotation + "1 refused\n  the manifest: annotations.\"dev.greentic.dsse\": not a string"},
		"annotations, a list": {`{"annotations":["dev.greentic.dsse"]}`, "none", annotation + "1 refused\n  the manifest: annotations: not an object"},
		"not JSON":            {"\x1b[2J", "none", annotation + "1 refused\n  the manifest: not JSON: invalid character '\\x1b' looking for beginning of value"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, packtest.Options{})
			w.alone = true
			w.pack.Manifest = []byte(test.manifest)
			digest, err := w.reg.PutManifest(repository, "", packtest.ManifestMediaType, w.pack.Manifest)
			if err != nil {
				t.Fatal(err)
			}
			w.name(digest.Hex(), "PACK")
			result := w.search()
			want := []string{"Complete"}
			if test.said != "" {
				want = append(strings.Split(test.said, "\n"), want...)
			}
			w.wantSaid(result, want...)
			if test.payload == "none" {
				w.wantPayloads()
			} else {
				w.wantPayloads(test.payload)
			}
		})
	}
}

// What is listed and is not what it says is refused, in the list of the API and under the
// tag alike, and never given to judge.
func TestRefused(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		make func(w *world) packtest.Child // what is listed
		want string                        // after the digest of BAD
	}{
		"another subject": {func(w *world) packtest.Child {
			other := packtest.MustPush(w.t, w.reg, repository, "2.0", packtest.Pack([]byte("other"), ""))
			w.name(other.ManifestDigest.Hex(), "OTHER")
			return w.bundle("BAD", other).Child()
		}, "its subject is sha256:OTHER"},
		"the index's": {func(w *world) packtest.Child { return w.bundle("BAD", w.index).Child() }, "its subject is sha256:INDEX"},
		"no subject": {func(w *world) packtest.Child {
			return w.attach("BAD", packtest.Artifact{ArtifactType: bundleType, Layers: []packtest.Layer{{MediaType: bundleType, Data: []byte("x")}}}).Child()
		}, "it has no subject"},
		"strange subject": {func(w *world) packtest.Child {
			a := about(w.pack, bundleType, bundleType, "x")
			a.Subject.Digest = "\x1b[2J"
			return w.attach("BAD", a).Child()
		}, `its subject is "\x1b[2J"`},
		"another size": {func(w *world) packtest.Child {
			child := w.bundle("BAD", w.pack).Child()
			child.Size = 7
			return child
		}, "it has SIZE bytes, listed are 7"},
		"missing": {func(w *world) packtest.Child {
			w.name(ociref.DigestOf(nil).Hex(), "BAD")
			return packtest.Child{Digest: ociref.DigestOf(nil), Size: 7, MediaType: packtest.ManifestMediaType}
		}, "the registry does not have the artifact"},
		"two layers": {func(w *world) packtest.Child {
			return w.attach("BAD", about(w.pack, bundleType, bundleType, "x", "y")).Child()
		}, "it has 2 layers, with a bundle there is one"},
		"other layer beside": {func(w *world) packtest.Child {
			a := about(w.pack, bundleType, "text/plain", "x")
			a.Layers = append(a.Layers, packtest.Layer{MediaType: bundleType, Data: []byte("y")})
			return w.attach("BAD", a).Child()
		}, "it has 2 layers, with a bundle there is one"},
		"missing blob": {func(w *world) packtest.Child {
			a := about(w.pack, bundleType, bundleType, "x")
			a.Layers[0].Digest = ociref.DigestOf(nil).String()
			w.name(ociref.DigestOf(nil).Hex(), "NIL")
			return w.attach("BAD", a).Child()
		}, "the registry does not have layer sha256:NIL"},
		"blob of another size": {func(w *world) packtest.Child {
			a := about(w.pack, bundleType, bundleType, "bundle")
			size := int64(7)
			a.Layers[0].Size = &size
			return w.attach("BAD", a).Child()
		}, "layer sha256:BAD/0 is not what is listed: 6 bytes came, not 7"},
		"layer without digest": {func(w *world) packtest.Child {
			a := about(w.pack, bundleType, bundleType, "x")
			a.Layers[0].Digest = "sha512:00"
			return w.attach("BAD", a).Child()
		}, "layers[0].digest: not sha256: and 64 hexadecimal digits"},
		"key twice": {func(w *world) packtest.Child {
			return w.body(`{"mediaType":"application/vnd.oci.image.manifest.v1+json","subject":{"digest":"x"},"subject":{"digest":"sha256:` + w.pack.ManifestDigest.Hex() + `"},"layers":[]}`)
		}, `key "subject" stands twice in one object`},
		"other mediaType": {func(w *world) packtest.Child { return w.body(`{"mediaType":"x","layers":[]}`) },
			"mediaType: not application/vnd.oci.image.manifest.v1+json"},
		"no layers": {func(w *world) packtest.Child { return w.body(`{"subject":{"digest":"x"}}`) }, "layers: missing"},
		"HTML":      {func(w *world) packtest.Child { return w.body("<html>") }, "not JSON: invalid character '<' looking for beginning of value"},
	} {
		for where := range both {
			t.Run(name+", "+where, func(t *testing.T) {
				t.Parallel()
				w := newWorld(t, packtest.Options{})
				w.alone = true
				bad := test.make(w)
				w.name(fmt.Sprintf("it has %d", w.sizeOf(bad.Digest)), "it has SIZE")
				good := w.bundle("good", w.pack)
				place := w.listed(where, bad, good.Child())
				w.wantSaid(w.search(), place+"1 candidate, 1 refused", "  sha256:BAD: "+test.want, "Complete")
				w.wantPayloads("good")
			})
		}
	}
}

// body stores any bytes as a manifest.
func (w *world) body(text string) packtest.Child {
	w.t.Helper()
	digest, err := w.reg.PutManifest(repository, "", packtest.ManifestMediaType, []byte(text))
	if err != nil {
		w.t.Fatal(err)
	}
	w.name(digest.Hex(), "BAD")
	return packtest.Child{Digest: digest, Size: int64(len(text)), MediaType: packtest.ManifestMediaType}
}

// sizeOf returns the size of a manifest, 0 if there is none.
func (w *world) sizeOf(digest ociref.Digest) int {
	w.t.Helper()
	resp, err := w.reg.Client().Get(w.reg.URL() + "/v2/" + repository + "/manifests/" + digest.String())
	if err != nil {
		w.t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return 0
	}
	return int(resp.ContentLength)
}

// listed lists artifacts about the pack by the API, or under the tag. It returns the place.
func (w *world) listed(where string, children ...packtest.Child) string {
	w.t.Helper()
	if where == "no API" {
		if _, err := w.reg.PushIndex(repository, packtest.FallbackTag(w.pack.ManifestDigest), children); err != nil {
			w.t.Fatal(err)
		}
		return listOfPack
	}
	list, err := w.reg.PushIndex(repository, "listed", children)
	if err != nil {
		w.t.Fatal(err)
	}
	w.reg.Intercept(func(rw http.ResponseWriter, r *http.Request) bool {
		_, kind, subject := packtest.Endpoint(r.URL.Path)
		if kind != "referrers" || subject != w.pack.ManifestDigest.String() {
			return false
		}
		rw.Header().Set("Content-Type", packtest.IndexMediaType)
		rw.Write(list.Manifest)
		return true
	})
	return apiOfPack
}

// A digest that is none is refused before it becomes part of a request.
func TestListedDigests(t *testing.T) {
	t.Parallel()
	for _, digest := range []string{"", "sha256:x", "sha512:" + strings.Repeat("0", 128), "../../../../admin", "latest", "\x1b[2J", "sha256:" + strings.Repeat("A", 64)} {
		for where := range both {
			w := newWorld(t, packtest.Options{})
			w.alone = true
			place := w.listed(where, packtest.Child{Digest: ociref.Digest(digest), Size: 7, MediaType: packtest.ManifestMediaType})
			shown := strconv.Quote(digest)
			if len(digest) > 120 {
				shown = `"sha512:` + strings.Repeat("0", 113) + `"...`
			}
			refusal := "  " + shown + ": its digest is not sha256: and 64 hexadecimal digits"
			w.wantSaid(w.search(), place+"1 refused", refusal, "Complete")
			w.wantRequests("referrers/sha256:PACK", "manifests/sha256-PACK", "manifests/sha256-PACK.sig")
		}
	}
}

// Bytes with another digest are refused, whatever the registry calls them.
func TestOtherBytes(t *testing.T) {
	t.Parallel()
	for where, o := range both {
		w := newWorld(t, o)
		w.alone = true
		bundle := w.bundle("bundle", w.pack)
		place := apiOfPack
		if where == "no API" {
			w.list(w.pack, bundleType, bundle)
			place = listOfPack
		}
		w.reg.Inject(fault.EvilManifest([]byte("{}"), packtest.ManifestMediaType))
		w.wantSaid(w.search(), place+"1 refused", "  sha256:bundle: the artifact is not what is listed: its digest is "+ociref.DigestOf([]byte("{}")).String(), "Complete")
		w.wantPayloads()
		inverted := []byte("bundle")
		for i := range inverted {
			inverted[i] ^= 0xff
		}
		w.reg.Inject(fault.WrongBlob(""))
		w.wantSaid(w.search(), place+"1 refused", "  sha256:bundle: layer sha256:bundle/0 is not what is listed: its digest is "+ociref.DigestOf(inverted).String(), "Complete")
		w.wantPayloads()
	}
}

// Artifacts that are no signatures are left out: by the API for the type that the registry
// has of them, under the tag for the types of their layers. An index is not followed.
func TestOthers(t *testing.T) {
	t.Parallel()
	for where, o := range both {
		w := newWorld(t, o)
		w.alone = true
		sbom := w.attach("sbom", about(w.pack, sbomType, sbomType, "an SBOM"))
		vague := w.attach("vague", about(w.pack, "", sbomType, "another SBOM"))
		bundle := w.bundle("bundle", w.pack)
		bundleOf := w.attach("untyped", about(w.pack, "", bundleType, "a bundle without artifactType"))
		nested := w.index.Child()
		nested.ArtifactType = bundleType
		place, more := apiOfPack, ""
		if where == "no API" {
			place, more = listOfPack, "manifests/sha256:sbom"
			child := func(p packtest.Pushed) packtest.Child {
				c := p.Child()
				c.ArtifactType = emptyType // as cosign 2 and go-containerregistry write it
				return c
			}
			if _, err := w.reg.PushIndex(repository, packtest.FallbackTag(w.pack.ManifestDigest), []packtest.Child{
				child(sbom), nested, child(vague), child(bundle), child(bundleOf), child(sbom),
			}); err != nil {
				t.Fatal(err)
			}
		}
		others := "2 other artifacts"
		if where == "no API" {
			others = "3 other artifacts"
		}
		result := w.search()
		w.wantSaid(result, place+"2 candidates, "+others, "Complete")
		got := w.payloads()
		slices.Sort(got)
		if !slices.Equal(got, []string{"a bundle without artifactType", "bundle"}) {
			t.Errorf("%s: %q", where, got)
		}
		if asked := slices.Contains(w.requests(), "manifests/sha256:sbom"); asked != (more != "") {
			t.Errorf("%s: the SBOM was asked for: %t", where, asked)
		}
		var digests []string
		for _, c := range w.found {
			digests = append(digests, c.Artifact.String())
		}
		if !slices.IsSorted(digests) {
			t.Errorf("%s: not in the order of digests", where)
		}
	}
}

// Bundles of other versions, and signatures of the older form that are referrers, are
// candidates: whoever judges them says that they are not supported.
func TestOtherForms(t *testing.T) {
	t.Parallel()
	for _, layerType := range []string{
		"application/vnd.dev.sigstore.bundle.v0.4+json", "application/vnd.dev.sigstore.bundle+json;version=0.2", simpleType,
	} {
		for where, o := range both {
			w := newWorld(t, o)
			w.alone = true
			artifactType := layerType
			if layerType == simpleType {
				artifactType = "application/vnd.dev.cosign.artifact.sig.v1+json"
			}
			pushed := w.attach("it", about(w.pack, artifactType, layerType, "it"))
			if where == "no API" {
				w.list(w.pack, artifactType, pushed)
			}
			w.search()
			w.wantPayloads("it")
			if len(w.found) == 1 && w.found[0].MediaType != layerType {
				t.Errorf("media type %s", w.found[0].MediaType)
			}
		}
	}
}

// An artifact that several places have is read and given once.
func TestKnown(t *testing.T) {
	t.Parallel()
	w := newWorld(t, packtest.Options{Referrers: true})
	w.alone = true
	bundle := w.bundle("bundle", w.pack)
	sbom := w.attach("sbom", about(w.pack, "", sbomType, "an SBOM"))
	w.list(w.pack, emptyType, bundle, sbom)
	if err := w.reg.Tag(repository, packtest.FallbackTag(w.pack.ManifestDigest)+".sig", bundle.ManifestDigest); err != nil {
		t.Fatal(err)
	}
	w.wantSaid(w.search(), apiOfPack+"1 candidate, 1 other artifact", listOfPack+"1 other artifact, 1 known already", sigsOfPack+"1 known already", "Complete")
	w.wantPayloads("bundle")
	requests := w.requests()
	if want := 6; len(requests) != want {
		t.Errorf("%d requests, want %d: %q", len(requests), want, requests)
	}
}

// Under the tags stands anything.
func TestTags(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		tag  string // what follows the digest
		make func(w *world) ociref.Digest
		want []string
	}{
		"the list is the pack": {"", func(w *world) ociref.Digest { return w.pack.ManifestDigest }, []string{
			listOfPack + "nothing: the answer is the manifest itself"}},
		"the list is the index": {"", func(w *world) ociref.Digest { return w.index.ManifestDigest }, []string{
			listOfPack + "nothing: the answer is the index that lists the manifest"}},
		"the list is a manifest": {"", func(w *world) ociref.Digest { return w.bundle("x", w.pack).ManifestDigest }, []string{
			listOfPack + "nothing: the answer is no image index: mediaType: not application/vnd.oci.image.index.v1+json"}},
		"the list is HTML": {"", func(w *world) ociref.Digest { return w.body("<html>").Digest }, []string{
			listOfPack + "nothing: the answer is no image index: not JSON: invalid character '<' looking for beginning of value"}},
		"signatures are the pack": {".sig", func(w *world) ociref.Digest { return w.pack.ManifestDigest }, []string{
			sigsOfPack + "nothing: the answer is the manifest itself"}},
		"signatures are an index": {".sig", func(w *world) ociref.Digest {
			digest, _ := w.reg.PutManifest(repository, "", packtest.IndexMediaType, []byte(`{"mediaType":"`+packtest.IndexMediaType+`","manifests":[]}`))
			w.name(digest.Hex(), "BAD")
			return digest
		}, []string{sigsOfPack + "1 refused", "  sha256:BAD: mediaType: not application/vnd.oci.image.manifest.v1+json"}},
		"signatures without any": {".sig", func(w *world) ociref.Digest {
			return packtest.MustPush(w.t, w.reg, repository, "", packtest.Pack([]byte("x"), "")).ManifestDigest
		}, []string{sigsOfPack + "1 other artifact"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, packtest.Options{})
			if err := w.reg.Tag(repository, packtest.FallbackTag(w.pack.ManifestDigest)+test.tag, test.make(w)); err != nil {
				t.Fatal(err)
			}
			w.wantSaid(w.search(), append(test.want, "Complete")...)
			w.wantPayloads()
		})
	}
}

// GitLab answers with the subject: that is no list of referrers, and nothing is wrong.
func TestSubjectAsAnswer(t *testing.T) {
	t.Parallel()
	for where, o := range both {
		w := newWorld(t, o)
		w.reg.Inject(fault.SubjectAsReferrers())
		w.wantSaid(w.search(),
			apiOfIndex+"nothing: no referrers API: the answer is the manifest itself",
			apiOfPack+"nothing: no referrers API: the answer is the manifest itself",
			listOfIndex+"nothing: the answer is the manifest itself",
			listOfPack+"nothing: the answer is the manifest itself", "Complete")
		w.wantPayloads()
		w.wantRequests(everywhere...)
		if t.Failed() {
			t.Log(where)
		}
	}
}

// Answers by which there is no API lead on to the tag.
func TestNoAPI(t *testing.T) {
	t.Parallel()
	other := packtest.StartRegistry(t, packtest.Options{CA: ca})
	for name, test := range map[string]struct {
		fault packtest.Fault
		want  string
	}{
		"303":   {fault.SeeOther("/v2/"+repository+"/referrers/", other.URL()), "a redirect to another host (303 See Other)"},
		"400":   {fault.Status("/v2/"+repository+"/referrers/", 400, nil), "400 Bad Request"},
		"405":   {fault.Status("/v2/"+repository+"/referrers/", 405, nil), "405 Method Not Allowed"},
		"406":   {fault.Status("/v2/"+repository+"/referrers/", 406, nil), "406 Not Acceptable"},
		"HTML":  {fault.ErrorBody("/v2/"+repository+"/referrers/", 200, []byte("<html>")), "no image index: not JSON: invalid character '<' looking for beginning of value"},
		"empty": {fault.ErrorBody("/v2/"+repository+"/referrers/", 200, []byte("{}")), "no image index: mediaType: not application/vnd.oci.image.index.v1+json"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, packtest.Options{Referrers: true})
			w.alone = true
			w.list(w.pack, emptyType, w.bundle("bundle", w.pack))
			w.reg.Inject(test.fault)
			w.wantSaid(w.search(), apiOfPack+"nothing: no referrers API: the answer is "+test.want, listOfPack+"1 candidate", "Complete")
			w.wantPayloads("bundle")
			if got := other.Requests(); len(got) != 0 {
				t.Errorf("requests elsewhere: %v", got)
			}
		})
	}
}

// A registry in trouble at any place, and any request, never makes a search complete. The
// other places are searched all the same.
func TestTrouble(t *testing.T) {
	t.Parallel()
	for _, status := range []int{401, 403, 429, 500, 503} {
		text, end := fmt.Sprintf("%d %s", status, http.StatusText(status)), ""
		if status == 429 || status >= 500 {
			end = " (after 5 tries)"
		}
		for name, test := range map[string]struct {
			path, want string
			rest       []string // candidates besides
		}{
			"API":        {"/referrers/", apiOfPack + listURL + "PACK: ", []string{"listed", "older"}},
			"artifact":   {"/manifests/sha256:api", apiOfPack + manifestsURL + "sha256:api: ", []string{"listed", "older"}},
			"bundle":     {"/blobs/sha256:api/0", apiOfPack + blobsURL + "sha256:api/0: ", []string{"listed", "older"}},
			"list":       {"/manifests/sha256-PACK$", listOfPack + manifestsURL + "sha256-PACK: ", []string{"api", "older"}},
			"signatures": {"/manifests/sha256-PACK.sig", sigsOfPack + manifestsURL + "sha256-PACK.sig: ", []string{"api", "listed"}},
			"signature":  {"/blobs/sha256:older", sigsOfPack + blobsURL + "sha256:older: ", []string{"api", "listed"}},
		} {
			t.Run(fmt.Sprint(name, status), func(t *testing.T) {
				t.Parallel()
				w := newWorld(t, packtest.Options{})
				w.alone = true
				w.listed("API", w.bundle("api", w.pack).Child())
				w.list(w.pack, emptyType, w.bundle("listed", w.pack))
				w.simple(w.pack, packtest.Layer{MediaType: simpleType, Data: []byte("older")})
				w.name(ociref.DigestOf([]byte("older")).Hex(), "older")
				path := test.path
				for i := 0; i < len(w.names); i += 2 {
					path = strings.ReplaceAll(path, w.names[i+1], w.names[i])
				}
				if name == "API" {
					w.reg.Intercept(nil)
				}
				w.reg.Inject(fault.ErrorBody("/v2/"+repository+path, status, nil))
				result := w.search()
				var want []string
				for _, place := range []struct{ name, payload string }{{apiOfPack, "api"}, {listOfPack, "listed"}, {sigsOfPack, "older"}} {
					if slices.Contains(test.rest, place.payload) {
						want = append(want, place.name+"1 candidate")
					} else {
						want = append(want, test.want+text+end)
					}
				}
				w.wantSaid(result, append(want, "Incomplete")...)
				w.wantPayloads(test.rest...)

				incomplete, ok := result.(*referrers.Incomplete)
				if !ok {
					t.Fatalf("%T", result)
				}
				if got, want := strings.NewReplacer(w.names...).Replace(incomplete.Error()), "not fully searched for signatures\n\t"+test.want+text+end; got != want {
					t.Errorf("error:\n got: %s\nwant: %s", got, want)
				}
				var failed *registry.Error
				if !errors.As(error(incomplete), &failed) || failed.Status != status {
					t.Errorf("wraps %v", failed)
				}
			})
		}
	}
}

// Of several artifacts one that cannot be read does not hide the others; but a registry
// that was asked in vain several times is not asked for the next.
func TestUnreadArtifacts(t *testing.T) {
	t.Parallel()
	for _, status := range []int{403, 503} {
		w := newWorld(t, packtest.Options{Referrers: true})
		w.alone = true
		var all []string
		for i := range 3 {
			all = append(all, w.bundle(fmt.Sprint("bundle", i), w.pack).ManifestDigest.String())
		}
		slices.Sort(all)
		w.reg.Inject(fault.ErrorBody("/v2/"+repository+"/manifests/"+all[1], status, nil))
		names := strings.NewReplacer(w.names...)
		if status == 403 {
			w.wantSaid(w.search(), apiOfPack+"2 candidates, "+manifestsURL+names.Replace(all[1])+": 403 Forbidden", "Incomplete")
		} else {
			w.wantSaid(w.search(), apiOfPack+"1 candidate, "+manifestsURL+names.Replace(all[1])+": 503 Service Unavailable (after 5 tries)", "Incomplete")
		}
	}
}

// What is too much is cut off, and the search is not complete.
func TestLimits(t *testing.T) {
	t.Parallel()
	t.Run("100 MB bundle", func(t *testing.T) {
		for where, o := range both {
			w := newWorld(t, o)
			w.alone = true
			a := about(w.pack, bundleType, bundleType, "bundle")
			size := int64(100 << 20)
			a.Layers[0].Size = &size
			pushed, place := w.attach("huge", a), apiOfPack
			if where == "no API" {
				w.list(w.pack, emptyType, pushed)
				place = listOfPack
			}
			w.reg.Inject(fault.EndlessBlob(""))
			w.wantSaid(w.search(), place+"layer sha256:huge/0 has 104857600 bytes, more than 1048576", "Incomplete")
			w.wantPayloads()
			if slices.ContainsFunc(w.requests(), func(r string) bool { return strings.HasPrefix(r, "blobs/") }) {
				t.Error("it was asked for")
			}
		}
	})
	t.Run("endless bundle", func(t *testing.T) {
		w := newWorld(t, packtest.Options{Referrers: true})
		w.alone = true
		w.bundle("bundle", w.pack)
		w.reg.Inject(fault.EndlessBlob(""))
		w.wantSaid(w.search(), apiOfPack+"1 refused", "  sha256:bundle: layer sha256:bundle/0 is not what is listed: more than 6 bytes came", "Complete")
	})
	t.Run("exactly 1 MiB", func(t *testing.T) {
		w := newWorld(t, packtest.Options{Referrers: true})
		w.alone = true
		w.attach("large", about(w.pack, bundleType, bundleType, strings.Repeat("x", 1<<20)))
		w.wantSaid(w.search(), apiOfPack+"1 candidate", "Complete")
	})
	t.Run("huge artifact", func(t *testing.T) {
		for where := range both {
			w := newWorld(t, packtest.Options{})
			w.alone = true
			child := w.bundle("bundle", w.pack).Child()
			child.Size = 1<<20 + 1
			place := w.listed(where, child)
			w.wantSaid(w.search(), place+"artifact sha256:bundle has 1048577 bytes, more than 1048576", "Incomplete")
		}
	})
	t.Run("huge signatures", func(t *testing.T) {
		w := newWorld(t, packtest.Options{})
		w.alone = true
		w.simple(w.pack, packtest.Layer{MediaType: simpleType, Data: []byte("x")})
		tag := packtest.FallbackTag(w.pack.ManifestDigest) + ".sig"
		w.reg.Inject(fault.HugeManifest(tag, 1<<20+1))
		w.wantSaid(w.search(), sigsOfPack+"the manifest has 1048577 bytes, more than 1048576", "Incomplete")
		w.reg.Inject(fault.HugeManifest(tag, 4<<20+1))
		w.wantSaid(w.search(), sigsOfPack+"manifest is larger than 4194304 bytes", "Incomplete")
	})
	t.Run("33 bundles", func(t *testing.T) {
		for where, o := range both {
			w := newWorld(t, o)
			w.alone = true
			var all []packtest.Pushed
			for i := range 32 {
				all = append(all, w.bundle(fmt.Sprintf("bundle%02d", i), w.pack))
			}
			place := apiOfPack
			if where == "no API" {
				w.list(w.pack, emptyType, all...)
				place = listOfPack
			}
			w.wantSaid(w.search(), place+"32 candidates", "Complete")
			all = append(all, w.bundle("one more", w.pack))
			if where == "no API" {
				w.list(w.pack, emptyType, all...)
			}
			w.wantSaid(w.search(), place+"32 candidates, more than 32 candidates", "Incomplete")
			requests := len(w.requests())
			for i := range 5 {
				all = append(all, w.bundle(fmt.Sprint("more", i), w.pack))
			}
			if where == "no API" {
				w.list(w.pack, emptyType, all...)
			}
			w.wantSaid(w.search(), place+"32 candidates, more than 32 candidates", "Incomplete")
			if n := len(w.requests()); len(w.found) != 32 || n != requests {
				t.Errorf("%d candidates, %d requests, want 32 and %d", len(w.found), n, requests)
			}
		}
	})
	t.Run("33 signatures", func(t *testing.T) {
		w := newWorld(t, packtest.Options{})
		w.alone = true
		layers := make([]packtest.Layer, 33)
		for i := range layers {
			layers[i] = packtest.Layer{MediaType: simpleType, Data: fmt.Append(nil, i)}
		}
		w.simple(w.pack, layers...)
		w.wantSaid(w.search(), sigsOfPack+"32 candidates, more than 32 candidates", "Incomplete")
	})
	t.Run("more values than are read", func(t *testing.T) {
		for where := range both {
			w := newWorld(t, packtest.Options{})
			w.alone = true
			child := packtest.Child{Digest: ociref.DigestOf(nil), Size: 7, MediaType: "x/y"}
			place := w.listed(where, slices.Repeat([]packtest.Child{child}, 34_000)...)
			said := "an index of 3808087 bytes cannot be read: more than 100000 values"
			if where == "API" {
				said = listURL + "PACK: a page of referrers of 3808087 bytes cannot be read: more than 100000 values"
			}
			w.wantSaid(w.search(), place+said, "Incomplete")
		}
	})
	t.Run("a list that links to itself", func(t *testing.T) {
		w := newWorld(t, packtest.Options{Referrers: true})
		w.alone = true
		w.bundle("bundle", w.pack)
		w.reg.Inject(fault.ReferrersLink(""))
		w.wantSaid(w.search(), apiOfPack+"1 candidate, "+listURL+"PACK: the next page of referrers is one that was there before", "Incomplete")
		w.reg.Inject(fault.ReferrersLink("https://other.example/"))
		w.wantSaid(w.search(), apiOfPack+listURL+"PACK: the next page of referrers is said to be elsewhere", "Incomplete")
	})
}

// Among 1,000 artifacts a bundle is found where the registry can choose by type; all of
// them are not looked at, which is said.
func TestManyReferrers(t *testing.T) {
	t.Parallel()
	for where, o := range map[string]packtest.Options{"one page": {Referrers: true}, "pages": {Referrers: true, ReferrersPage: 50}, "tag": {}} {
		t.Run(where, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, o)
			w.alone = true
			bundle, all := "bundle", []packtest.Pushed{w.bundle("bundle", w.pack)}
			for all[0].ManifestDigest.Hex() < "f" { // no registry lists it early
				if err := w.reg.Delete(repository, all[0].ManifestDigest.String()); err != nil {
					t.Fatal(err)
				}
				bundle += "s"
				all = []packtest.Pushed{w.bundle(bundle, w.pack)}
			}
			for i := range 1000 {
				all = append(all, packtest.MustPush(t, w.reg, repository, "", about(w.pack, sbomType, sbomType, fmt.Sprint(i))))
			}
			if where == "tag" {
				w.list(w.pack, sbomType, all...)
				w.wantSaid(w.search(), listOfPack+"256 other artifacts, more than 256 referrers", "Incomplete")
				if n := len(w.requests()); n != 3+256 {
					t.Errorf("%d requests", n)
				}
				return
			}
			said, lists := "256 other artifacts, "+listURL+"PACK: more than 256 referrers", 2
			if where == "pages" {
				said, lists = "200 other artifacts, "+listURL+"PACK: more than 4 pages of referrers", 5
			}
			result := w.search()
			w.wantSaid(result, apiOfPack+"1 candidate, "+said, "Incomplete")
			w.wantPayloads(bundle)
			if n := len(w.requests()); n != lists+2+2 {
				t.Errorf("%d requests: %q", n, w.requests())
			}
		})
	}
}

// Mirrors: an empty, an invalid and a failing one do not end the search.
func TestSources(t *testing.T) {
	t.Parallel()
	mirror := func(t *testing.T, o packtest.Options) *packtest.Registry {
		o.CA = ca
		return packtest.StartRegistry(t, o)
	}
	t.Run("empty mirror", func(t *testing.T) {
		w, m := newWorld(t, packtest.Options{Referrers: true}), mirror(t, packtest.Options{Referrers: true})
		w.alone = true
		w.bundle("bundle", w.pack)
		w.name(m.Host(), "MIRROR")
		w.wantSaid(w.search(w.at(m.Host()), w.at(w.reg.Host())), apiOfPack+"1 candidate", "Complete")
		w.wantPayloads("bundle")
	})
	t.Run("mirror with 403", func(t *testing.T) {
		w, m := newWorld(t, packtest.Options{Referrers: true}), mirror(t, packtest.Options{})
		w.alone = true
		w.bundle("bundle", w.pack)
		w.name(m.Host(), "MIRROR")
		m.Inject(fault.ErrorBody("/v2/"+repository, 403, nil))
		failed := "GET https://MIRROR/v2/greentic/pack/"
		want := []string{
			"the referrers API of MIRROR/greentic/pack for sha256:PACK: " + failed + "referrers/sha256:PACK: 403 Forbidden",
			"MIRROR/greentic/pack:sha256-PACK: " + failed + "manifests/sha256-PACK: 403 Forbidden",
			"MIRROR/greentic/pack:sha256-PACK.sig: " + failed + "manifests/sha256-PACK.sig: 403 Forbidden",
			apiOfPack + "1 candidate",
		}
		w.wantSaid(w.search(w.at(m.Host()), w.at(w.reg.Host())), append(want, "Incomplete")...)
		w.stop = func(referrers.Candidate) bool { return true }
		w.wantSaid(w.search(w.at(m.Host()), w.at(w.reg.Host())), append(want, "Stopped")...)
	})
	t.Run("the same in both", func(t *testing.T) {
		w, m := newWorld(t, packtest.Options{Referrers: true}), mirror(t, packtest.Options{Referrers: true})
		w.alone = true
		w.bundle("bundle", w.pack)
		packtest.MustPush(t, m, repository, "", about(w.pack, bundleType, bundleType, "bundle"))
		w.name(m.Host(), "MIRROR")
		w.wantSaid(w.search(w.at(m.Host()), w.at(w.reg.Host())), "the referrers API of MIRROR/greentic/pack for sha256:PACK: 1 candidate", apiOfPack+"1 known already", "Complete")
		w.wantPayloads("bundle")
	})
	t.Run("origin with 503 after an empty mirror", func(t *testing.T) {
		w, m := newWorld(t, packtest.Options{}), mirror(t, packtest.Options{Referrers: true})
		w.alone = true
		w.reg.Inject(fault.ErrorBody("/v2/$", 503, nil))
		end := "GET https://HOST/v2/: 503 Service Unavailable (after 5 tries)"
		w.wantSaid(w.search(w.at(m.Host()), w.at(w.reg.Host())), apiOfPack+end, listOfPack+end, sigsOfPack+end, "Incomplete")
	})
}

// A registry that hides a private repository says of everything that it is not there. Only
// with credentials a search can be complete.
func TestHidden(t *testing.T) {
	t.Parallel()
	for name, refusal := range map[string]packtest.Refusal{"hidden": packtest.RefuseHidden, "denied": packtest.RefuseDenied} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, packtest.Options{Token: true, User: packtest.User, Password: packtest.Password, Refusal: refusal, Referrers: true})
			w.alone = true
			want := []string{"HOST/greentic/pack@sha256:PACK: the manifest itself is not there, or hidden", "Incomplete"}
			if name == "denied" {
				denied := "GET https://HOST/token: 403 Forbidden: DENIED: requested access to the resource is denied"
				want = []string{apiOfPack + denied, listOfPack + denied, sigsOfPack + denied, "Incomplete"}
			}
			w.wantSaid(w.search(), want...)
			w.options.Keychain = keychain{}
			w.wantSaid(w.search(), "Complete")
			w.push(map[string]string{signature.GreenticAnnotation: "an envelope"}) // it shows nothing of the repository
			w.options.Keychain = nil
			w.wantSaid(w.search(), append([]string{annotation + "1 candidate"}, want...)...)
			w.options.Keychain = keychain{}
			w.wantSaid(w.search(), annotation+"1 candidate", "Complete")
			w.bundle("bundle", w.pack)
			w.wantSaid(w.search(), annotation+"1 candidate", apiOfPack+"1 candidate", "Complete")
		})
	}
}

// A keychain has the credentials of private repositories.
type keychain struct{}

func (keychain) Find(context.Context, string) (*credentials.Credentials, error) {
	return &credentials.Credentials{Username: packtest.User, Password: packtest.Password}, nil
}

// A mirror without the manifest says nothing about it; the origin does.
func TestManifestElsewhere(t *testing.T) {
	t.Parallel()
	w, m := newWorld(t, packtest.Options{}), packtest.StartRegistry(t, packtest.Options{CA: ca})
	w.alone = true
	w.name(m.Host(), "MIRROR")
	w.wantSaid(w.search(w.at(m.Host())), "MIRROR/greentic/pack@sha256:PACK: the manifest itself is not there, or hidden", "Incomplete")
	w.wantSaid(w.search(w.at(m.Host()), w.at(w.reg.Host())), "Complete")
	w.reg.Inject(fault.ErrorBody("/v2/"+repository+"/manifests/sha256:", 503, nil))
	w.wantSaid(w.search(), "HOST/greentic/pack@sha256:PACK: "+manifestsURL+"sha256:PACK: 503 Service Unavailable (after 5 tries)", "Incomplete")
}

// Without a repository only the annotation was looked at: nobody may call that unsigned.
func TestNowhere(t *testing.T) {
	t.Parallel()
	w := newWorld(t, packtest.Options{})
	result := w.search([]ociref.Reference{}...)
	w.wantSaid(result, "no repository was searched", "Incomplete")
	if incomplete, ok := result.(*referrers.Incomplete); !ok || incomplete.Error() != "not fully searched for signatures\n\tno repository was searched" {
		t.Errorf("%v", result)
	}
	w.wantRequests()

	w.push(map[string]string{signature.GreenticAnnotation: "an envelope"})
	w.stop = func(referrers.Candidate) bool { return true }
	w.wantSaid(w.search([]ociref.Reference{}...), annotation+"1 candidate", "Stopped")
}

// A search that is interrupted ends at once, and is not complete.
func TestInterrupted(t *testing.T) {
	t.Parallel()
	w := newWorld(t, packtest.Options{Referrers: true})
	w.alone = true
	w.bundle("bundle", w.pack)
	w.bundle("another", w.pack)
	ctx, cancel := context.WithCancelCause(t.Context())
	w.stop = func(referrers.Candidate) bool { cancel(errors.New("enough")); return false }
	result := w.searchIn(ctx)
	if _, ok := result.(*referrers.Incomplete); !ok || len(w.found) != 1 || len(w.requests()) != 3 {
		t.Errorf("%T, %d candidates, requests %q", result, len(w.found), w.requests())
	}
	for _, a := range result.Answers()[1:] {
		if a.Err == nil || !strings.HasSuffix(a.Err.Error(), ": enough") {
			t.Errorf("%s", a)
		}
	}
}
