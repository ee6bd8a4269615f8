package sources_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
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

// Which answers of a source lead to the next one.
func TestNextSource(t *testing.T) {
	for status, goesOn := range map[int]bool{
		400: false, 401: false, 403: false, 404: true, 405: false, 408: true, 410: false, 429: true, 451: false, 500: true, 502: true, 503: true, 504: true,
	} {
		n := newNetwork(t, twoMirrors)
		n.mirrors[0].Inject(fault.Status("/v2/"+repository, status, http.Header{"Retry-After": {"3600"}}))
		from, err := n.blob(t)
		var all *sources.Error
		switch {
		case goesOn && (err != nil || from != 2):
			t.Errorf("%d: from %d, %v", status, from, err)
		case !goesOn && !errors.As(err, &all):
			t.Errorf("%d: from %d, %v", status, from, err)
		case !goesOn && (len(all.Attempts) != 1 || all.Refused != (status == 401 || status == 403)):
			t.Errorf("%d: %+v", status, all)
		case !goesOn && len(n.mirrors[1].Requests())+len(n.reg.Requests()) > 0:
			t.Errorf("%d: others were asked", status)
		}
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
