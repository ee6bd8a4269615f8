package fetch_test

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/greenticai/packvendor/internal/fetch"
	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/packtest"
)

const repository = "greenticai/pack"

// patience is how long a test waits for what must happen soon. It is only ever
// spent by a test that fails.
const patience = 30 * time.Second

// A fixture is a registry that holds one pack under the tag 1.0, and a cache.
type fixture struct {
	reg    *packtest.Registry
	data   []byte
	pushed packtest.Pushed
	dir    string // the cache root
	events *events
}

func newFixture(t *testing.T, o packtest.Options) *fixture {
	t.Helper()
	data := packtest.Zip("bed", "1.0.0", 1000)
	artifact := packtest.Pack(data, "bed.gtpack")
	artifact.Annotations = map[string]string{"org.opencontainers.image.version": "1.0.0"}
	return newFixtureOf(t, o, data, artifact)
}

// newFixtureOf is newFixture of any artifact. Data is the pack that it holds.
func newFixtureOf(t *testing.T, o packtest.Options, data []byte, artifact packtest.Artifact) *fixture {
	t.Helper()
	reg := packtest.StartRegistry(t, o)
	return &fixture{
		reg:    reg,
		data:   data,
		pushed: packtest.MustPush(t, reg, repository, "1.0", artifact),
		dir:    filepath.Join(t.TempDir(), "cache"),
		events: &events{},
	}
}

// options are those of a Fetcher that trusts the registry.
func (b *fixture) options(t *testing.T) fetch.Options {
	t.Helper()
	transport := b.reg.Transport()
	t.Cleanup(transport.CloseIdleConnections)
	return fetch.Options{CacheDir: b.dir, Transport: transport, Events: b.events.add, Sleep: soon}
}

// soon is a Sleep for tests, which have no time.
func soon(ctx context.Context, _ time.Duration) error { return context.Cause(ctx) }

// fetcher returns a new Fetcher with what change makes of the options.
func (b *fixture) fetcher(t *testing.T, change ...func(*fetch.Options)) *fetch.Fetcher {
	t.Helper()
	o := b.options(t)
	for _, c := range change {
		c(&o)
	}
	f, err := fetch.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.Close)
	return f
}

// offline forbids the network, and fails the test if it is used all the same.
func (b *fixture) offline(t *testing.T) *fetch.Fetcher {
	t.Helper()
	return b.fetcher(t, offline, noNetwork(t))
}

func offline(o *fetch.Options)   { o.Offline = true }
func allowTags(o *fetch.Options) { o.AllowTags = true }

func noNetwork(t *testing.T) func(*fetch.Options) {
	return func(o *fetch.Options) {
		o.Transport = roundTripper(func(r *http.Request) (*http.Response, error) {
			t.Errorf("%s %s was sent", r.Method, r.URL)
			return nil, errors.New("no network in this test")
		})
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func (b *fixture) byTag() string    { return b.reg.Host() + "/" + repository + ":1.0" }
func (b *fixture) byDigest() string { return b.refOf(b.pushed.ManifestDigest) }

func (b *fixture) refOf(digest ociref.Digest) string {
	return b.reg.Host() + "/" + repository + "@" + digest.String()
}

func (b *fixture) manifestLine() string {
	return "GET /v2/" + repository + "/manifests/" + b.pushed.ManifestDigest.String()
}

func (b *fixture) blobLine() string {
	return "GET /v2/" + repository + "/blobs/" + b.pushed.Layers[0].String()
}

func (b *fixture) layer() fetch.Layer {
	return fetch.Layer{MediaType: packtest.PackMediaType, Digest: b.pushed.Layers[0].String(), Size: int64(len(b.data))}
}

// file returns the path of a file in the pack's cache entry.
func (b *fixture) file(name string) string {
	return filepath.Join(b.dir, b.pushed.ManifestDigest.Hex(), name)
}

// fill puts the pack into the cache and forgets how.
func (b *fixture) fill(t *testing.T) {
	t.Helper()
	b.fetch(t, b.fetcher(t))
	b.reg.ResetRequests()
}

// parse parses a reference that is one.
func parse(reference string) ociref.Reference {
	ref, err := ociref.Parse(reference)
	if err != nil {
		panic(err)
	}
	return ref
}

// fetchBytes returns the bytes of the pack that reference names.
func fetchBytes(ctx context.Context, f *fetch.Fetcher, reference string) ([]byte, error) {
	p, err := f.Resolve(ctx, parse(reference), "")
	if err != nil {
		return nil, err
	}
	var got sink
	_, err = f.Copy(ctx, p, &got)
	return got.Bytes(), err
}

// fetchToCache sees that the cache holds the pack that reference names.
func fetchToCache(ctx context.Context, f *fetch.Fetcher, reference string) (fetch.Result, error) {
	p, err := f.Resolve(ctx, parse(reference), "")
	if err != nil {
		return fetch.Result{}, err
	}
	return f.ToCache(ctx, p)
}

// fetch fetches the pack by digest and sees that it is right.
func (b *fixture) fetch(t *testing.T, f *fetch.Fetcher) {
	t.Helper()
	got, err := fetchBytes(context.Background(), f, b.byDigest())
	if err != nil {
		t.Fatal(err)
	}
	wantBytes(t, got, b.data)
}

// fetchToCache fetches the pack by digest and returns where it is, having seen
// that it is right.
func (b *fixture) fetchToCache(t *testing.T, f *fetch.Fetcher) fetch.Result {
	t.Helper()
	result, err := fetchToCache(context.Background(), f, b.byDigest())
	if err != nil {
		t.Fatal(err)
	}
	wantBytes(t, read(t, result.Path), b.data)
	return result
}

// wantTemporary wants a path outside the cache, and removes what is there.
func (b *fixture) wantTemporary(t *testing.T, path string) {
	t.Helper()
	if strings.HasPrefix(path, b.dir) || filepath.Ext(path) != ".gtpack" {
		t.Errorf("got path %s, want a temporary one", path)
		return
	}
	if err := os.Remove(path); err != nil {
		t.Error(err)
	}
}

func (b *fixture) wantRequests(t *testing.T, want ...string) {
	t.Helper()
	wantRequests(t, b.reg, want...)
}

func wantRequests(t *testing.T, reg *packtest.Registry, want ...string) {
	t.Helper()
	got := []string{}
	for _, r := range reg.Requests() {
		got = append(got, r.String())
	}
	if !slices.Equal(got, want) {
		t.Errorf("requests:\n got %q\nwant %q", got, want)
	}
}

// count returns how many requests of this method and path reached the
// registry.
func (b *fixture) count(line string) int {
	n := 0
	for _, r := range b.reg.Requests() {
		if r.String() == line {
			n++
		}
	}
	return n
}

// wantWhole wants a complete and right cache entry and nothing else in it.
func (b *fixture) wantWhole(t *testing.T) {
	t.Helper()
	b.wantFiles(t, "manifest.json", "metadata.json", "pack.gtpack")
	wantBytes(t, read(t, b.file("pack.gtpack")), b.data)
	wantBytes(t, read(t, b.file("manifest.json")), b.pushed.Manifest)
}

// wantFiles wants exactly these files in the cache entry.
func (b *fixture) wantFiles(t *testing.T, want ...string) {
	t.Helper()
	entries, err := os.ReadDir(b.file(""))
	if err != nil && !os.IsNotExist(err) {
		t.Error(err)
	}
	got := []string{}
	for _, e := range entries {
		got = append(got, e.Name())
	}
	if !slices.Equal(got, want) {
		t.Errorf("cache entry holds %q, want %q", got, want)
	}
}

func wantBytes(t *testing.T, got, want []byte) {
	t.Helper()
	if !bytes.Equal(got, want) {
		t.Errorf("got %d bytes, %.60q, want %d, %.60q", len(got), got, len(want), want)
	}
}

func wantText(t *testing.T, err error, want string) {
	t.Helper()
	if err == nil {
		t.Fatalf("got no error, want:\n%s", want)
	}
	if err.Error() != want {
		t.Errorf("error:\n got %q\nwant %q", err, want)
	}
}

// as returns err as an E or ends the test.
func as[E error](t *testing.T, err error) E {
	t.Helper()
	var e E
	if !errors.As(err, &e) {
		t.Fatalf("got error %v (%T), want a %T", err, err, e)
	}
	return e
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func write(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o666); err != nil {
		t.Fatal(err)
	}
}

// events remembers what a Fetcher told.
type events struct {
	mu   sync.Mutex
	list []fetch.Event
	on   func(fetch.Event) // if not nil, is told too
}

func (e *events) add(event fetch.Event) {
	e.mu.Lock()
	e.list = append(e.list, event)
	on := e.on
	e.mu.Unlock()
	if on != nil {
		on(event)
	}
}

func (e *events) all() []fetch.Event {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.list)
}

// one wants exactly one event, an E, and returns it.
func one[E fetch.Event](t *testing.T, e *events) E {
	t.Helper()
	var want E
	all := e.all()
	if len(all) != 1 {
		t.Fatalf("got events %+v, want one %T", all, want)
	}
	event, ok := all[0].(E)
	if !ok {
		t.Fatalf("got event %+v, want a %T", all[0], want)
	}
	return event
}

func (e *events) wantNone(t *testing.T) {
	t.Helper()
	if all := e.all(); len(all) > 0 {
		t.Errorf("got events %+v, want none", all)
	}
}

// A sink is a fetch.Sink in memory.
type sink struct{ bytes.Buffer }

func (s *sink) Reset() error {
	s.Buffer.Reset()
	return nil
}
