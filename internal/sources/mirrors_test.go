package sources_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/packtest"
	"github.com/greenticai/packvendor/internal/packtest/fault"
	"github.com/greenticai/packvendor/internal/registry"
	"github.com/greenticai/packvendor/internal/sources"
	"github.com/greenticai/packvendor/internal/verified"
)

// A network is an origin and its mirrors, which all have one pack.
type network struct {
	*fixture
	mirrors []*packtest.Registry
	client  *sources.Client
	asked   *events
}

type events struct {
	mu   sync.Mutex
	list []sources.Event
}

func (e *events) add(event sources.Event) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.list = append(e.list, event)
}

// newNetwork starts two mirrors, and has the client read a file with ORIGIN, FIRST and
// SECOND for the hosts.
func newNetwork(t *testing.T, conf string, change ...func(*sources.Options)) *network {
	t.Helper()
	n := &network{fixture: newFixture(t), asked: &events{}}
	hosts := []string{"ORIGIN", n.reg.Host()}
	for _, name := range []string{"FIRST", "SECOND"} {
		mirror := packtest.StartRegistry(t, packtest.Options{CA: n.reg.CA()})
		packtest.MustPush(t, mirror, repository, "1.0", packtest.Pack(n.data, "pack.gtpack"))
		n.mirrors, hosts = append(n.mirrors, mirror), append(hosts, name, mirror.Host())
	}
	file := filepath.Join(t.TempDir(), "registries.conf")
	if err := os.WriteFile(file, []byte(strings.NewReplacer(hosts...).Replace(conf)), 0o666); err != nil {
		t.Fatal(err)
	}
	o := sources.Options{Mirrors: sources.UserMirrors(environment(file)), Events: n.asked.add}
	for _, c := range change {
		c(&o)
	}
	n.client = n.fixture.client(t, o)
	return n
}

func environment(file string) func(string) string {
	return func(key string) string {
		return map[string]string{"CONTAINERS_REGISTRIES_CONF": file}[key]
	}
}

const twoMirrors = `
[[registry]]
location = "ORIGIN"
[[registry.mirror]]
location = "FIRST"
[[registry.mirror]]
location = "SECOND"
`

// blob reads the pack, and returns where it came from: 0 for the origin, else the number of
// the mirror.
func (n *network) blob(t *testing.T) (from int, err error) {
	t.Helper()
	var got sink
	source, err := n.client.Blob(t.Context(), n.ref, n.layer(), &got, nil)
	if err == nil && !bytes.Equal(got.Bytes(), n.data) {
		t.Errorf("%d bytes", got.Len())
	}
	for i, mirror := range n.mirrors {
		if strings.HasPrefix(source.Place, mirror.Host()+"/") {
			from = i + 1
		}
	}
	return from, err
}

// statuses are those of a source, and whether the next one is asked.
var statuses = map[int]bool{
	300: true, 304: true, 400: true, 402: true, 404: true, 405: true, 406: true, 408: true, 410: true, 418: true, 421: true, 429: true,
	451: true, 500: true, 501: true, 502: true, 503: true, 504: true, 599: true,
	401: false, 403: false,
}

// Only 401 and 403 are the end.
func TestNextSource(t *testing.T) {
	for status, goesOn := range statuses {
		for _, what := range []string{"manifest", "blob"} {
			n := newNetwork(t, twoMirrors)
			n.mirrors[0].Inject(fault.Status("/v2/"+repository, status, http.Header{"Retry-After": {"1"}}))
			from, err := 2, error(nil)
			if what == "blob" {
				from, err = n.blob(t)
			} else {
				_, err = n.client.Manifest(t.Context(), n.ref)
			}
			n.wantNext(t, fmt.Sprint(what, " ", status), goesOn, from, err)
			if goesOn && len(n.reg.Requests()) > 0 {
				t.Errorf("%s %d: the origin was asked, too", what, status)
			}
			if asked := n.mirrors[0].Requests(); len(asked) != 2 {
				t.Errorf("%s %d: the first mirror was asked more than once: %v", what, status, asked)
			}
		}
	}
}

// wantNext demands that the second mirror answered, or that the first one's refusal was the end.
func (n *network) wantNext(t *testing.T, name string, goesOn bool, from int, err error) {
	t.Helper()
	var all *sources.Error
	switch {
	case goesOn && (err != nil || from != 2 || len(n.mirrors[1].Requests()) == 0):
		t.Errorf("%s: from %d, %v", name, from, err)
	case !goesOn && (!errors.As(err, &all) || len(all.Attempts) != 1 || !all.Refused):
		t.Errorf("%s: from %d, %v", name, from, err)
	case !goesOn && len(n.mirrors[1].Requests())+len(n.reg.Requests()) > 0:
		t.Errorf("%s: others were asked", name)
	}
}

// Tags are asked of the origin first. What ends the search among mirrors ends it there, too.
func TestNextSourceOfTags(t *testing.T) {
	for status, goesOn := range statuses {
		n := newNetwork(t, twoMirrors)
		n.reg.Inject(fault.Status("/v2/"+repository, status, http.Header{"Retry-After": {"3600"}}))
		_, err := n.client.Manifest(t.Context(), n.ref.WithTag("1.0"))
		var all *sources.Error
		asked := len(n.mirrors[0].Requests()) > 0
		if asked != goesOn || goesOn != (err == nil) || !goesOn && errors.As(err, &all) {
			t.Errorf("%d: a mirror was asked: %t, %v", status, asked, err)
		}
	}
}

// Failures of a mirror that are no statuses of its own, and whether the next source is asked.
func TestNextSourceAfterFailures(t *testing.T) {
	for name, test := range map[string]struct {
		fault   func(n *network, first *packtest.Registry) packtest.Fault
		goesOn  bool
		suspect bool // a warning tells of it
	}{
		"wrong bytes":        {func(n *network, _ *packtest.Registry) packtest.Fault { return fault.WrongBlob(n.layer().Digest) }, true, true},
		"too few":            {func(n *network, _ *packtest.Registry) packtest.Fault { return fault.ShortBlob(n.layer().Digest, 3) }, true, true},
		"compressed":         {func(n *network, _ *packtest.Registry) packtest.Fault { return fault.GzipBlob(n.layer().Digest) }, true, true},
		"broken off":         {func(n *network, _ *packtest.Registry) packtest.Fault { return fault.AbortBlob(n.layer().Digest, 100) }, true, false},
		"connection dropped": {func(*network, *packtest.Registry) packtest.Fault { return fault.Drop("/v2/" + repository) }, true, false},
		"redirect to plain HTTP": {func(_ *network, first *packtest.Registry) packtest.Fault {
			return fault.Redirect("/v2/"+repository, "http://"+first.Host()+"/plain")
		}, true, true},
		"redirect to metadata": {func(*network, *packtest.Registry) packtest.Fault {
			return fault.Redirect("/v2/"+repository, "https://169.254.169.254/")
		}, true, true},
		"redirects without an end": {func(*network, *packtest.Registry) packtest.Fault { return fault.RedirectLoop("/v2/" + repository) }, true, true},
		"realm elsewhere over plain HTTP": {func(*network, *packtest.Registry) packtest.Fault {
			return fault.Status("/v2/", 401, http.Header{"Www-Authenticate": {`Bearer realm="http://example.com/token",service="x"`}})
		}, true, false},
		"realm at metadata": {func(*network, *packtest.Registry) packtest.Fault {
			return fault.Status("/v2/", 401, http.Header{"Www-Authenticate": {`Bearer realm="https://169.254.169.254/token",service="x"`}})
		}, true, true},
		"storage refuses": {func(n *network, _ *packtest.Registry) packtest.Fault {
			n.mirrors[1].Inject(fault.Status("/storage", 403, nil))
			return fault.Redirect("/v2/"+repository, "https://"+n.mirrors[1].Host()+"/storage")
		}, true, false},
	} {
		n := newNetwork(t, twoMirrors)
		n.mirrors[0].Inject(test.fault(n, n.mirrors[0]))
		from, err := n.blob(t)
		n.wantNext(t, name, test.goesOn, from, err)
		for _, e := range n.asked.list {
			if failed, ok := e.(sources.Failed); ok && failed.Suspect != test.suspect {
				t.Errorf("%s: suspect is %t: %v", name, failed.Suspect, failed.Err)
			}
		}
	}
}

// blobRanges returns the Range headers of the requests for the blob.
func blobRanges(reg *packtest.Registry) (list []string) {
	for _, r := range reg.Requests() {
		if strings.Contains(r.Path, "/blobs/") {
			list = append(list, r.Header.Get("Range"))
		}
	}
	return list
}

// No source continues wrong bytes.
func TestAfterWrongBytes(t *testing.T) {
	n := newNetwork(t, twoMirrors)
	n.mirrors[0].Inject(fault.WrongBlob(n.layer().Digest))
	if from, err := n.blob(t); err != nil || from != 2 {
		t.Errorf("from %d, %v", from, err)
	}
	if got := blobRanges(n.mirrors[1]); len(got) != 1 || got[0] != "" {
		t.Errorf("ranges %q", got)
	}
}

// Wrong bytes that break off are continued by the next source, and found wrong; then it sends the
// whole.
func TestAfterWrongBeginning(t *testing.T) {
	n := newNetwork(t, twoMirrors)
	n.mirrors[0].Inject(packtest.Fault{
		Match: func(r *http.Request) bool { return strings.Contains(r.URL.Path, "/blobs/") },
		Serve: func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
			w.Header().Set("Content-Length", fmt.Sprint(len(n.data)))
			w.Write(bytes.Repeat([]byte("x"), 100))
			w.(http.Flusher).Flush()
			panic(http.ErrAbortHandler)
		},
	})
	if from, err := n.blob(t); err != nil || from != 2 {
		t.Errorf("from %d, %v", from, err)
	}
	if got := blobRanges(n.mirrors[1]); fmt.Sprint(got) != "[bytes=100- ]" {
		t.Errorf("ranges %q", got)
	}
}

// A source without another one after it is asked again, mirror or not.
func TestLastSource(t *testing.T) {
	n := newNetwork(t, twoMirrors)
	n.reg.Stop()
	n.mirrors[0].Inject(fault.Status("/v2/"+repository, 404, nil))
	n.mirrors[1].Inject(fault.First(1, fault.Status("/v2/"+repository, 503, nil)))
	if _, err := n.client.Manifest(t.Context(), n.ref.WithTag("1.0")); err != nil {
		t.Error(err)
	}
}

// A source that a HEAD request did not reach is dead, too; but not if the context had ended.
func TestUnchangedOfDeadSource(t *testing.T) {
	n := newNetwork(t, twoMirrors)
	tagged := n.ref.WithTag("1.0")
	if same, err := n.client.Unchanged(t.Context(), tagged, n.ref.Digest); err != nil || !same {
		t.Fatal(same, err)
	}
	ended, cancel := context.WithCancel(t.Context())
	n.reg.Intercept(func(http.ResponseWriter, *http.Request) bool {
		cancel()
		<-ended.Done()
		return false
	})
	if _, err := n.client.Unchanged(ended, tagged, n.ref.Digest); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	n.reg.Intercept(nil)
	if same, err := n.client.Unchanged(t.Context(), tagged, n.ref.Digest); err != nil || !same || len(n.mirrors[0].Requests()) > 0 {
		t.Error(same, err)
	}
	n.reg.Stop()
	if _, err := n.client.Unchanged(t.Context(), tagged, n.ref.Digest); err == nil {
		t.Error("no error")
	}
	if err := n.reg.Start(); err != nil {
		t.Fatal(err)
	}
	n.reg.ResetRequests()
	if _, err := n.client.Manifest(t.Context(), tagged); err != nil || len(n.reg.Requests()) > 0 {
		t.Errorf("%v, requests: %v", err, n.reg.Requests())
	}
	if same, err := n.client.Unchanged(t.Context(), tagged, n.ref.Digest); err != nil || !same || len(n.reg.Requests()) > 0 {
		t.Errorf("%t, %v, requests: %v", same, err, n.reg.Requests())
	}
}

// What is attached is looked for in all sources. A mirror for tags alone is asked for tags and
// what they lead to, and not for the manifest and its referrers.
func TestPlacesOfTags(t *testing.T) {
	n := newNetwork(t, `
[[registry]]
location = "ORIGIN"
[[registry.mirror]]
location = "FIRST"
pull-from-mirror = "tag-only"
[[registry.mirror]]
location = "SECOND"
pull-from-mirror = "digest-only"
`)
	packtest.MustPush(t, n.mirrors[0], repository, packtest.FallbackTag(n.ref.Digest), packtest.Pack([]byte("signature"), "s"))
	places := n.client.Places(n.ref)
	list, err := places.Repositories()
	var hosts []string
	for _, ref := range list {
		hosts = append(hosts, ref.Registry)
	}
	if want := []string{n.mirrors[1].Host(), n.mirrors[0].Host(), n.reg.Host()}; err != nil || !slices.Equal(hosts, want) {
		t.Fatalf("%v, %v, want %v", hosts, err, want)
	}
	var none *registry.NoReferrersAPIError
	if _, err := places.Referrers(t.Context(), list[1], n.ref.Digest, ""); !errors.As(err, &none) {
		t.Errorf("referrers: %v", err)
	}
	if _, err := places.Manifest(t.Context(), list[1].WithDigest(n.ref.Digest)); err == nil {
		t.Error("the manifest itself was read")
	}
	if requests := n.mirrors[0].Requests(); len(requests) > 0 {
		t.Errorf("by digest: %v", requests)
	}
	m, err := places.Manifest(t.Context(), list[1].WithTag(packtest.FallbackTag(n.ref.Digest)))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := places.Manifest(t.Context(), list[1].WithDigest(m.Digest)); err != nil {
		t.Errorf("what the tag leads to: %v", err)
	}
	for _, i := range []int{0, 2} {
		if _, err := places.Manifest(t.Context(), list[i].WithDigest(n.ref.Digest)); err != nil {
			t.Errorf("%s: %v", list[i], err)
		}
		if _, err := places.Referrers(t.Context(), list[i], n.ref.Digest, ""); err != nil && !errors.As(err, &none) {
			t.Errorf("%s: %v", list[i], err)
		}
	}
}

// A mirror for all references is one place.
func TestPlacesOnce(t *testing.T) {
	n := newNetwork(t, twoMirrors)
	if list, err := n.client.Places(n.ref).Repositories(); err != nil || len(list) != 3 || list[2] != n.ref {
		t.Errorf("%v, %v", list, err)
	}
}

// A blocked reference has no source, whatever mirrors its rule has.
func TestBlockedWithMirrors(t *testing.T) {
	n := newNetwork(t, strings.Replace(twoMirrors, "[[registry.mirror]]", "blocked = true\n[[registry.mirror]]", 1))
	var blocked *sources.BlockedError
	if err := n.client.Check(n.ref); !errors.As(err, &blocked) || blocked.Line != 2 || blocked.Prefix != n.reg.Host() {
		t.Errorf("%+v", err)
	}
	if _, err := n.blob(t); !errors.As(err, &blocked) {
		t.Errorf("%v", err)
	}
	if _, err := n.client.Places(n.ref).Repositories(); !errors.As(err, &blocked) {
		t.Errorf("%v", err)
	}
	for _, reg := range append(n.mirrors, n.reg) {
		if requests := reg.Requests(); len(requests) > 0 {
			t.Errorf("%v", requests)
		}
	}
}

// A mirror whose certificate is not trusted is one that cannot be reached: the next source is
// asked, and it is not asked again.
func TestUntrustedMirror(t *testing.T) {
	strange := packtest.StartRegistry(t, packtest.Options{})
	n := newNetwork(t, strings.ReplaceAll(twoMirrors, "FIRST", strange.Host()))
	for range 2 {
		if from, err := n.blob(t); err != nil || from != 2 {
			t.Errorf("from %d, %v", from, err)
		}
	}
	told := 0
	for _, e := range n.asked.list {
		if _, ok := e.(sources.Failed); ok {
			told++
		}
	}
	if told != 1 {
		t.Errorf("told %d times: %v", told, n.asked.list)
	}
}

// A source that many requests at once cannot reach is asked no more afterwards, and told
// once.
func TestDeadSource(t *testing.T) {
	n := newNetwork(t, twoMirrors)
	n.mirrors[0].Stop()
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			if from, err := n.blob(t); err != nil || from != 2 {
				t.Errorf("from %d, %v", from, err)
			}
		})
	}
	group.Wait()
	if err := n.mirrors[0].Start(); err != nil {
		t.Fatal(err)
	}
	if from, err := n.blob(t); err != nil || from != 2 || len(n.mirrors[0].Requests()) > 0 {
		t.Errorf("from %d, %v, %d requests", from, err, len(n.mirrors[0].Requests()))
	}
	told := 0
	for _, e := range n.asked.list {
		if _, ok := e.(sources.Failed); ok {
			told++
		}
	}
	if told != 1 {
		t.Errorf("told %d times: %v", told, n.asked.list)
	}
}

// If all sources are dead, the error has them all, without a second try.
func TestAllDead(t *testing.T) {
	n := newNetwork(t, twoMirrors)
	for _, reg := range append(n.mirrors, n.reg) {
		reg.Stop()
	}
	for range 2 {
		_, err := n.blob(t)
		var all *sources.Error
		if !errors.As(err, &all) || len(all.Attempts) != 3 || all.Attempts[2].Role != sources.Origin || all.Refused {
			t.Errorf("%v", err)
		}
		var last *registry.Error
		if !errors.As(err, &last) || last.Host != n.reg.Host() {
			t.Errorf("it wraps %v", last)
		}
	}
}

// The end of a context is no failure of a source: the next one is not asked, and none is
// dead.
func TestInterrupted(t *testing.T) {
	n := newNetwork(t, twoMirrors)
	ctx, cancel := context.WithCancel(t.Context())
	n.mirrors[0].Intercept(func(http.ResponseWriter, *http.Request) bool {
		cancel()
		<-ctx.Done()
		return false
	})
	if _, err := n.client.Manifest(ctx, n.ref); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	n.mirrors[0].Intercept(nil)
	if len(n.mirrors[1].Requests())+len(n.reg.Requests()) > 0 {
		t.Error("others were asked")
	}
	if from, err := n.blob(t); err != nil || from != 1 {
		t.Errorf("from %d, %v", from, err)
	}
}

// Wrong bytes of all sources are a mismatch, and the sink holds none of them.
func TestWrongEverywhere(t *testing.T) {
	n := newNetwork(t, twoMirrors)
	for _, reg := range append(n.mirrors, n.reg) {
		reg.Inject(fault.WrongBlob(n.layer().Digest))
	}
	_, err := n.blob(t)
	var all *sources.Error
	if !errors.As(err, &all) || len(all.Attempts) != 3 || !errors.As(err, new(*verified.MismatchError)) {
		t.Errorf("%v", err)
	}
}

// Bytes that an interrupted run has left serve every source.
func TestKept(t *testing.T) {
	n := newNetwork(t, twoMirrors)
	n.mirrors[0].Inject(fault.Status("/v2/"+repository, 404, nil))
	var got sink
	if _, err := n.client.Blob(t.Context(), n.ref, n.layer(), &got, bytes.NewReader(n.data[:700])); err != nil || !bytes.Equal(got.Bytes(), n.data) {
		t.Errorf("%d bytes, %v", got.Len(), err)
	}
	for _, r := range n.mirrors[1].Requests() {
		if strings.Contains(r.Path, "/blobs/") && r.Header.Get("Range") != "bytes=700-" {
			t.Errorf("%s: Range %q", r, r.Header.Get("Range"))
		}
	}
}

// Who has no mirrors reads no file, and sees no event.
func TestNoMirrors(t *testing.T) {
	n := newNetwork(t, "garbage", func(o *sources.Options) { o.Mirrors = nil })
	if from, err := n.blob(t); err != nil || from != 0 || len(n.asked.list) > 0 {
		t.Errorf("from %d, %v, %v", from, err, n.asked.list)
	}
	n = newNetwork(t, "[[registry]]\nlocation = \"elsewhere.example\"\n")
	if from, err := n.blob(t); err != nil || from != 0 {
		t.Errorf("from %d, %v", from, err)
	}
	if len(n.asked.list) != 1 {
		t.Errorf("%v", n.asked.list)
	}
}

// Mirrors are asked for an index and its manifests where it was found, and for the tags of
// a repository not at all.
func TestTagList(t *testing.T) {
	n := newNetwork(t, twoMirrors)
	packtest.MustPush(t, n.reg, repository, "2.0", packtest.Pack(n.data, "pack.gtpack"))
	if tags, err := n.client.Tags(t.Context(), n.ref); err != nil || fmt.Sprint(tags) != "[1.0 2.0]" {
		t.Errorf("%q, %v", tags, err)
	}
	n.reg.Inject(fault.Status("/v2/"+repository, 404, nil))
	if tags, err := n.client.Tags(t.Context(), n.ref); err != nil || fmt.Sprint(tags) != "[1.0]" {
		t.Errorf("%q, %v", tags, err)
	}
}

// A stranger's location answers no tags; what the origin's tag leads to is there.
func TestDistrust(t *testing.T) {
	signed := false
	n := newNetwork(t, "[[registry]]\nprefix = \"ORIGIN\"\nlocation = \"FIRST\"\n")
	n.client.Distrust(sources.Distrust{
		IsForeign:  func(string) bool { return true },
		AsksSigner: func(ociref.Reference) bool { return signed },
	})
	if _, err := n.client.Manifest(t.Context(), n.ref.WithTag("1.0")); err != nil || len(n.mirrors[0].Requests()) > 0 || len(n.reg.Requests()) == 0 {
		t.Errorf("by tag: %v", err)
	}
	if from, err := n.blob(t); err != nil || from != 0 {
		t.Errorf("its blob: from %d, %v", from, err)
	}
	n.reg.ResetRequests()
	signed = true
	if _, err := n.client.Manifest(t.Context(), n.ref.WithTag("1.0")); err != nil || len(n.mirrors[0].Requests()) == 0 || len(n.reg.Requests()) > 0 {
		t.Errorf("signed: %v", err)
	}
}
