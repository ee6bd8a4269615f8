package registry_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/packtest"
	"github.com/greenticai/packvendor/internal/registry"
	"github.com/greenticai/packvendor/internal/verified"
)

const repository = "greenticai/pack"

// patience is how long a test waits for what must happen at once. It is only
// ever spent by a test that fails.
const patience = 10 * time.Second

// A bed is a registry that holds one pack under the tag 1.0, and a client that
// trusts it.
type bed struct {
	reg    *packtest.Registry
	client *registry.Client
	data   []byte
	pushed packtest.Pushed
}

func newBed(t *testing.T, o packtest.Options) *bed {
	t.Helper()
	reg := packtest.StartRegistry(t, o)
	data := packtest.Zip("bed", "1.0.0", 1000)
	b := &bed{
		reg:    reg,
		data:   data,
		pushed: packtest.MustPush(t, reg, repository, "1.0", packtest.Pack(data, "bed.gtpack")),
	}
	var insecure []string
	if o.Plain {
		insecure = []string{reg.Host()}
	}
	b.client = newClient(t, reg.Transport(), insecure...)
	return b
}

func newClient(t *testing.T, transport *http.Transport, insecure ...string) *registry.Client {
	t.Helper()
	t.Cleanup(transport.CloseIdleConnections)
	return registry.New(registry.Options{Transport: transport, Insecure: insecure, UserAgent: "packvendor-test"})
}

// onEachProtocol runs a test over HTTP/1.1 and over HTTP/2.
func onEachProtocol(t *testing.T, o packtest.Options, test func(*testing.T, *bed)) {
	t.Helper()
	for _, protocol := range []struct {
		name  string
		http2 bool
	}{{"http1", false}, {"http2", true}} {
		t.Run(protocol.name, func(t *testing.T) {
			o := o
			o.HTTP2 = protocol.http2
			test(t, newBed(t, o))
		})
	}
}

func (b *bed) byTag() ociref.Reference {
	return ociref.Reference{Registry: b.reg.Host(), Repository: repository, Tag: "1.0"}
}

func (b *bed) byDigest() ociref.Reference {
	return ociref.Reference{Registry: b.reg.Host(), Repository: repository, Digest: b.pushed.ManifestDigest}
}

func (b *bed) content() verified.Content {
	return verified.Content{Digest: b.pushed.Layers[0], Size: int64(len(b.data))}
}

func (b *bed) manifestPath() string { return "/v2/" + repository + "/manifests/1.0" }

func (b *bed) blobPath() string {
	return "/v2/" + repository + "/blobs/" + b.pushed.Layers[0].String()
}

// manifest reads the manifest by its tag.
func (b *bed) manifest() error {
	_, err := b.client.Manifest(context.Background(), b.byTag())
	return err
}

// blob reads the pack and returns what was written, whatever the error.
func (b *bed) blob() ([]byte, error) {
	var buf bytes.Buffer
	err := b.client.Blob(context.Background(), b.byDigest(), b.content(), &buf)
	return buf.Bytes(), err
}

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

// statusText is how a message gives an HTTP status. Registries answer 404 for
// what one may not see.
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

// A wire is a transport that remembers what began each connection.
type wire struct {
	mu     sync.Mutex
	firsts []byte // the first byte that each connection was sent
}

// over makes t report to w and returns it.
func (w *wire) over(t *http.Transport) *http.Transport {
	t.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		var d net.Dialer
		conn, err := d.DialContext(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return &wireConn{Conn: conn, wire: w}, nil
	}
	return t
}

// protocols returns "tls" or "plain" for each connection.
func (w *wire) protocols() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	list := []string{}
	for _, b := range w.firsts {
		if b == 0x16 { // a TLS handshake record
			list = append(list, "tls")
		} else {
			list = append(list, "plain")
		}
	}
	return list
}

type wireConn struct {
	net.Conn
	wire *wire
	once sync.Once
}

func (c *wireConn) Write(p []byte) (int, error) {
	c.once.Do(func() {
		c.wire.mu.Lock()
		defer c.wire.mu.Unlock()
		c.wire.firsts = append(c.wire.firsts, p[0])
	})
	return c.Conn.Write(p)
}
