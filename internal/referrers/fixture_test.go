package referrers_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/packtest"
	"github.com/greenticai/packvendor/internal/referrers"
	"github.com/greenticai/packvendor/internal/registry"
	"github.com/greenticai/packvendor/internal/signature"
)

const (
	repository = "greentic/pack"
	bundleType = signature.BundleMediaType
	simpleType = signature.SimpleMediaType
	emptyType  = "application/vnd.oci.empty.v1+json"
	sbomType   = "application/spdx+json"
)

// A world is a registry with one pack, which an index lists, and a search for what is
// attached to it. Messages show its digests by names.
type world struct {
	t       *testing.T
	reg     *packtest.Registry
	pack    packtest.Pushed
	index   packtest.Pushed
	names   []string // pairs of a text and what messages of the test have for it
	options registry.Options

	// Of the search.
	alone bool // no index lists the pack
	stop  func(referrers.Candidate) bool
	found []referrers.Candidate
}

// ca is the authority of all registries: making one takes longer than most tests.
var ca = func() *packtest.Authority {
	ca, err := packtest.NewAuthority()
	if err != nil {
		panic(err)
	}
	return ca
}()

func newWorld(t *testing.T, o packtest.Options) *world {
	t.Helper()
	o.CA = ca
	w := &world{t: t, reg: packtest.StartRegistry(t, o)}
	w.name(w.reg.Host(), "HOST")
	w.push(nil)
	return w
}

// push pushes the pack with annotations, and an index of it.
func (w *world) push(annotations map[string]string) {
	w.t.Helper()
	pack := packtest.Pack([]byte("a pack"), "")
	pack.Annotations = annotations
	w.pack = packtest.MustPush(w.t, w.reg, repository, "1.0", pack)
	index, err := w.reg.PushIndex(repository, "", []packtest.Child{w.pack.Child()})
	if err != nil {
		w.t.Fatal(err)
	}
	w.index = index
	w.name(w.pack.ManifestDigest.Hex(), "PACK")
	w.name(w.index.ManifestDigest.Hex(), "INDEX")
}

func (w *world) name(text, name string) { w.names = append([]string{text, name}, w.names...) }

// about is an artifact about a manifest, with layers of one type.
func about(subject packtest.Pushed, artifactType, layerType string, layers ...string) packtest.Artifact {
	child := subject.Child()
	a := packtest.Artifact{ArtifactType: artifactType, Subject: &child}
	for _, text := range layers {
		a.Layers = append(a.Layers, packtest.Layer{MediaType: layerType, Data: []byte(text)})
	}
	return a
}

// attach pushes an artifact, and calls it by a name.
func (w *world) attach(name string, a packtest.Artifact) packtest.Pushed {
	w.t.Helper()
	pushed := packtest.MustPush(w.t, w.reg, repository, "", a)
	w.name(pushed.ManifestDigest.Hex(), name)
	for i, layer := range pushed.Layers {
		w.name(layer.Hex(), fmt.Sprintf("%s/%d", name, i))
	}
	return pushed
}

// bundle attaches a bundle.
func (w *world) bundle(name string, subject packtest.Pushed) packtest.Pushed {
	w.t.Helper()
	return w.attach(name, about(subject, bundleType, bundleType, name))
}

// list lists artifacts under the tag of a subject's referrers, with that type.
func (w *world) list(subject packtest.Pushed, artifactType string, artifacts ...packtest.Pushed) {
	w.t.Helper()
	var children []packtest.Child
	for _, a := range artifacts {
		child := a.Child()
		child.ArtifactType = artifactType
		children = append(children, child)
	}
	if _, err := w.reg.PushIndex(repository, packtest.FallbackTag(subject.ManifestDigest), children); err != nil {
		w.t.Fatal(err)
	}
}

// simple pushes signatures of the older form under the tag of a subject.
func (w *world) simple(subject packtest.Pushed, layers ...packtest.Layer) packtest.Pushed {
	w.t.Helper()
	pushed := packtest.MustPush(w.t, w.reg, repository, packtest.FallbackTag(subject.ManifestDigest)+".sig", packtest.Artifact{
		ConfigMediaType: "application/vnd.oci.image.config.v1+json", Layers: layers,
	})
	w.name(pushed.ManifestDigest.Hex(), "SIG")
	return pushed
}

// soon is a Sleep for tests, which have no time.
func soon(ctx context.Context, _ time.Duration) error { return context.Cause(ctx) }

func (w *world) at(host string) ociref.Reference {
	return ociref.Reference{Registry: host, Repository: repository}
}

// search searches the repositories; nil is the world's own.
func (w *world) search(repositories ...ociref.Reference) referrers.Result {
	w.t.Helper()
	return w.searchIn(w.t.Context(), repositories...)
}

func (w *world) searchIn(ctx context.Context, repositories ...ociref.Reference) referrers.Result {
	w.t.Helper()
	if repositories == nil {
		repositories = []ociref.Reference{w.at(w.reg.Host())}
	}
	transport := w.reg.Transport()
	w.t.Cleanup(transport.CloseIdleConnections)
	w.options.Transport, w.options.Sleep = transport, soon
	subject := referrers.Subject{Manifest: w.pack.Manifest, Index: w.index.ManifestDigest}
	if w.alone {
		subject.Index = ""
	}
	w.found = nil
	w.reg.ResetRequests()
	return referrers.Search(ctx, registry.New(w.options), subject, func() []ociref.Reference { return repositories }, func(c referrers.Candidate) bool {
		w.found = append(w.found, c)
		return w.stop != nil && w.stop(c)
	})
}

// payloads returns what judge was given.
func (w *world) payloads() []string {
	var list []string
	for _, c := range w.found {
		list = append(list, string(c.Payload))
	}
	return list
}

// said returns how a search ended, and one line for each place that had anything, with
// all that was refused.
func (w *world) said(r referrers.Result) string {
	var lines []string
	for _, a := range r.Answers() {
		if a.Err == nil && a.Candidates+len(a.Refused)+a.Others+a.Known == 0 && isUsual(a.Missing) {
			continue
		}
		lines = append(lines, a.String())
		for _, refused := range a.Refused {
			lines = append(lines, "  "+refused.String())
		}
	}
	kind := fmt.Sprintf("%T", r)
	lines = append(lines, kind[strings.LastIndex(kind, ".")+1:])
	return strings.NewReplacer(w.names...).Replace(strings.Join(lines, "\n"))
}

// isUsual tells whether that is what a place without anything says.
func isUsual(missing string) bool {
	return slices.Contains([]string{"", "404 Not Found", "no referrers API: the answer is 404 Not Found"}, missing)
}

// wantSaid compares what a search said: lines, the last of them how it ended.
func (w *world) wantSaid(r referrers.Result, want ...string) {
	w.t.Helper()
	if got := w.said(r); got != strings.Join(want, "\n") {
		w.t.Errorf("search:\n got:\n%s\nwant:\n%s", got, strings.Join(want, "\n"))
	}
}

func (w *world) wantPayloads(want ...string) {
	w.t.Helper()
	if got := w.payloads(); !slices.Equal(got, want) {
		w.t.Errorf("candidates %q, want %q", got, want)
	}
}

// requests returns the requests of the search after the ping, shortened and with names.
func (w *world) requests() []string {
	var list []string
	names := strings.NewReplacer(append(slices.Clone(w.names), "/v2/"+repository+"/", "")...)
	for _, r := range w.reg.Requests() {
		if r.Path != "/v2/" && !strings.HasPrefix(r.Path, "/token?") {
			list = append(list, names.Replace(r.Path))
		}
	}
	return list
}

func (w *world) wantRequests(want ...string) {
	w.t.Helper()
	if got := w.requests(); !slices.Equal(got, want) {
		w.t.Errorf("requests:\n got: %s\nwant: %s", strings.Join(got, "\n      "), strings.Join(want, "\n      "))
	}
}

// The places of the world, as messages show them.
const (
	annotation   = "the manifest's annotation dev.greentic.dsse: "
	apiOfIndex   = "the referrers API of HOST/greentic/pack for sha256:INDEX: "
	apiOfPack    = "the referrers API of HOST/greentic/pack for sha256:PACK: "
	listOfIndex  = "HOST/greentic/pack:sha256-INDEX: "
	listOfPack   = "HOST/greentic/pack:sha256-PACK: "
	sigsOfIndex  = "HOST/greentic/pack:sha256-INDEX.sig: "
	sigsOfPack   = "HOST/greentic/pack:sha256-PACK.sig: "
	listURL      = "GET https://HOST/v2/greentic/pack/referrers/sha256:"
	manifestsURL = "GET https://HOST/v2/greentic/pack/manifests/"
	blobsURL     = "GET https://HOST/v2/greentic/pack/blobs/"
)

// everywhere are the requests of a search that finds nothing.
var everywhere = []string{
	"referrers/sha256:INDEX", "referrers/sha256:PACK", "manifests/sha256-INDEX", "manifests/sha256-PACK",
	"manifests/sha256-INDEX.sig", "manifests/sha256-PACK.sig", "manifests/sha256:PACK",
}
