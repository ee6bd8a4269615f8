package registry_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/greenticai/packvendor/internal/credentials"
	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/packtest"
	"github.com/greenticai/packvendor/internal/registry"
	"github.com/greenticai/packvendor/internal/verified"
)

const repository = "greenticai/pack"

// patience bounds the wait for something that must happen at once. Only a failing test
// waits that long.
const patience = 10 * time.Second

// A fixture is a registry that holds one pack under the tag 1.0, and a client that
// trusts it.
type fixture struct {
	reg      *packtest.Registry
	client   *registry.Client
	data     []byte
	pushed   packtest.Pushed
	insecure []string
}

// identity is the certificate of test servers by default: making one takes longer than
// most tests.
var identity = sync.OnceValues(func() (*packtest.Authority, tls.Certificate) {
	ca, err := packtest.NewAuthority()
	if err != nil {
		panic(err)
	}
	cert, err := ca.Issue(time.Time{}, "localhost", "127.0.0.1", "::1", "*.example")
	if err != nil {
		panic(err)
	}
	return ca, cert
})

// start starts a registry.
func start(t *testing.T, o packtest.Options) *packtest.Registry {
	t.Helper()
	if !o.Plain && o.CA == nil {
		ca, cert := identity()
		o.CA, o.Certificate = ca, &cert
	}
	return packtest.StartRegistry(t, o)
}

func newFixture(t *testing.T, o packtest.Options) *fixture {
	t.Helper()
	reg := start(t, o)
	data := packtest.Zip("bed", "1.0.0", 1000)
	b := &fixture{
		reg:    reg,
		data:   data,
		pushed: packtest.MustPush(t, reg, repository, "1.0", packtest.Pack(data, "bed.gtpack")),
	}
	if o.Plain {
		b.insecure = []string{reg.Host()}
	}
	b.client = newClient(t, reg.Transport(), b.insecure...)
	return b
}

// use gives the fixture a client with these options; what they leave out is as in
// newFixture.
func (b *fixture) use(t *testing.T, o registry.Options) {
	t.Helper()
	if o.Transport == nil {
		transport := b.reg.Transport()
		t.Cleanup(transport.CloseIdleConnections)
		o.Transport = transport
	}
	if o.Sleep == nil {
		o.Sleep = soon
	}
	if o.Insecure == nil {
		o.Insecure = b.insecure
	}
	b.client = registry.New(o)
}

func newClient(t *testing.T, transport *http.Transport, insecure ...string) *registry.Client {
	t.Helper()
	t.Cleanup(transport.CloseIdleConnections)
	return registry.New(registry.Options{
		Transport: transport, Insecure: insecure, UserAgent: "packvendor-test", Sleep: soon,
	})
}

// soon is a Sleep for tests, which have no time.
func soon(ctx context.Context, _ time.Duration) error { return context.Cause(ctx) }

// onEachProtocol runs a test over HTTP/1.1 and over HTTP/2.
func onEachProtocol(t *testing.T, o packtest.Options, test func(*testing.T, *fixture)) {
	t.Helper()
	for _, protocol := range []struct {
		name  string
		http2 bool
	}{{"http1", false}, {"http2", true}} {
		t.Run(protocol.name, func(t *testing.T) {
			o := o
			o.HTTP2 = protocol.http2
			test(t, newFixture(t, o))
		})
	}
}

func (b *fixture) byTag() ociref.Reference {
	return ociref.Reference{Registry: b.reg.Host(), Repository: repository, Tag: "1.0"}
}

func (b *fixture) byDigest() ociref.Reference {
	return ociref.Reference{Registry: b.reg.Host(), Repository: repository, Digest: b.pushed.ManifestDigest}
}

func (b *fixture) content() verified.Content {
	return verified.Content{Digest: b.pushed.Layers[0], Size: int64(len(b.data))}
}

func (b *fixture) manifestPath() string { return "/v2/" + repository + "/manifests/1.0" }

func (b *fixture) blobPath() string {
	return "/v2/" + repository + "/blobs/" + b.pushed.Layers[0].String()
}

// manifest reads the manifest by its tag.
func (b *fixture) manifest() error {
	_, err := b.client.Manifest(context.Background(), b.byTag())
	return err
}

// blob reads the pack and returns what was written, whatever the error.
func (b *fixture) blob() ([]byte, error) {
	var buf buffer
	err := b.client.Blob(context.Background(), b.byDigest(), b.content(), &buf, nil)
	return buf.Bytes(), err
}

// A buffer is a Sink in memory.
type buffer struct {
	bytes.Buffer
	resets int
}

func (b *buffer) Reset() error {
	b.resets++
	b.Buffer.Reset()
	return nil
}

// A writerFunc is a Sink that takes what it is given.
type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }
func (writerFunc) Reset() error                  { return nil }

// discard is a Sink that keeps nothing.
var discard = writerFunc(func(p []byte) (int, error) { return len(p), nil })

// lines returns the requests that reached reg.
func lines(reg *packtest.Registry) []string {
	list := []string{}
	for _, r := range reg.Requests() {
		list = append(list, r.String())
	}
	return list
}

// count returns how many requests under a path reached reg.
func count(reg *packtest.Registry, prefix string) int {
	n := 0
	for _, r := range reg.Requests() {
		if strings.HasPrefix(r.Path, prefix) {
			n++
		}
	}
	return n
}

func wantRequests(t *testing.T, reg *packtest.Registry, want ...string) {
	t.Helper()
	if got := lines(reg); !slices.Equal(got, want) {
		t.Errorf("requests:\n got %q\nwant %q", got, want)
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

// afterTries ends the message of a failure that may pass.
const afterTries = " (after 5 tries)"

// tries returns how often a request is made that is answered with a status, and
// how its message ends.
func tries(status int) (n int, end string) {
	if status == http.StatusRequestTimeout || status == http.StatusTooManyRequests || status >= 500 {
		return 5, afterTries
	}
	return 1, ""
}

// statusText returns an HTTP status as messages show it. Registries answer 404 for
// private repositories.
func statusText(status int) string {
	if status == http.StatusNotFound {
		return "404 not found or private"
	}
	return fmt.Sprintf("%d %s", status, http.StatusText(status))
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

// A keychain has credentials by host, and remembers what it was asked for.
type keychain struct {
	has map[string]credentials.Credentials
	err error // of every answer

	mu    sync.Mutex
	asked []string
}

func (k *keychain) Find(_ context.Context, host string) (*credentials.Credentials, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.asked = append(k.asked, host)
	if found, ok := k.has[host]; ok && k.err == nil {
		return &found, nil
	}
	return nil, k.err
}

// hosts returns what the keychain was asked for, in order.
func (k *keychain) hosts() []string {
	k.mu.Lock()
	defer k.mu.Unlock()
	return slices.Clone(k.asked)
}

// silent is the log of servers that are expected to fail.
func silent() *log.Logger { return log.New(io.Discard, "", 0) }
