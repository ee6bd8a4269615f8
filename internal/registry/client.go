// Package registry reads manifests and blobs from OCI registries over HTTPS.
//
// It trusts nothing that a registry says: it bounds and hashes manifests, hashes blobs
// as they pass, and never takes a digest header as proof.
package registry

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/greenticai/packvendor/internal/credentials"
	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/verified"
)

// MaxManifestSize bounds a manifest, in bytes. It is the limit that the
// distribution specification asks registries to support:
// https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pushing-manifests
const MaxManifestSize = 4 << 20

// acceptManifests lists the media types that a request for a manifest accepts.
var acceptManifests = strings.Join([]string{
	"application/vnd.oci.image.manifest.v1+json",
	"application/vnd.oci.image.index.v1+json",
	"application/vnd.oci.artifact.manifest.v1+json",
	"application/vnd.docker.distribution.manifest.v2+json",
	"application/vnd.docker.distribution.manifest.list.v2+json",
}, ", ")

// Options configure a Client. The zero value speaks HTTPS to every registry
// with the system's trust and proxies, anonymously.
type Options struct {
	// Transport sends the requests; nil is NewTransport(). An *http.Transport
	// configures the connections, but the Client makes its own.
	Transport http.RoundTripper
	// Resolver looks up names unless Transport has a dialer; nil is the system's
	// resolver.
	Resolver *net.Resolver
	// Insecure lists the host[:port] to speak plain HTTP with.
	Insecure []string
	// UserAgent names the program to registries.
	UserAgent string
	// Keychain finds the user's credentials when a registry refuses an anonymous
	// request; nil never has any.
	Keychain Keychain
	// Stall bounds the time in which a request makes no progress: no sign of life, or
	// fewer than ten bytes a second; 0 is DefaultStall.
	Stall time.Duration
	// Sleep waits before a retry; nil is the function of that name. Its error ends the
	// request.
	Sleep func(context.Context, time.Duration) error
	// Retrying, if not nil, is called before every such wait. Calls may be concurrent.
	Retrying func(Retry)
	// Underway, if not nil, is called for every request to a host[:port]: with 1 when
	// the request is sent, with -1 when its response is read or abandoned. Calls may be
	// concurrent.
	Underway func(host string, n int)
}

// A Keychain finds the user's credentials for a host[:port]; nil if there are none.
// Calls may be concurrent. Its errors hold no secrets.
type Keychain interface {
	Find(ctx context.Context, host string) (*credentials.Credentials, error)
}

// A Client reads from any number of registries. It asks each registry once how to
// authenticate and each repository once for a token. Calls of its methods may be
// concurrent.
type Client struct {
	*core
	mirror *Mirror // nil: it asks the registries that the user's references name
}

// A core is what a Client shares with the ones for mirrors.
type core struct {
	transport  http.RoundTripper
	transports *transports
	insecure   []string
	keychain   Keychain
	sleep      func(context.Context, time.Duration) error
	retrying   func(Retry)

	mu    sync.Mutex
	hosts map[string]*host
}

// New returns a Client.
func New(o Options) *Client {
	if o.Transport == nil {
		o.Transport = NewTransport()
	}
	if o.Sleep == nil {
		o.Sleep = Sleep
	}
	transports := newTransports(o.Transport, o.Resolver)
	guard := &guard{
		transports: transports, insecure: o.Insecure, userAgent: o.UserAgent,
		stall: cmp.Or(o.Stall, DefaultStall), underway: o.Underway,
		lanes: lanes{connections: transports.connections},
	}
	c := &Client{core: &core{
		transport:  guard,
		transports: transports,
		insecure:   o.Insecure,
		keychain:   o.Keychain,
		sleep:      o.Sleep,
		retrying:   o.Retrying,
		hosts:      map[string]*host{},
	}}
	guard.waitForTurn = c.waitForTurn
	return c
}

// CloseIdleConnections closes the connections that no request uses, unless Options.Transport
// makes its own.
func (c *Client) CloseIdleConnections() { c.transports.closeIdle() }

// A Manifest is the exact body of a manifest or index.
type Manifest struct {
	Body      []byte
	Digest    ociref.Digest // sha256 of Body, computed here
	MediaType string        // of the Content-Type header, without parameters; "" if there was none
}

// Manifest reads the manifest that ref names: by digest if it has one, by tag
// otherwise. By digest, Manifest has verified the body.
//
// Errors: *Error, *verified.MismatchError, *ProtocolError.
func (c *Client) Manifest(ctx context.Context, ref ociref.Reference) (m Manifest, err error) {
	err = c.retry(ctx, func(ctx context.Context) error {
		m, err = c.manifest(ctx, ref)
		return err
	})
	return m, err
}

func (c *Client) manifest(ctx context.Context, ref ociref.Reference) (Manifest, error) {
	resp, err := c.send(ctx, ref, request{method: http.MethodGet, accept: acceptManifests}, manifestPath(ref))
	if err != nil {
		return Manifest{}, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, MaxManifestSize+1))
	if err != nil {
		return Manifest{}, newError(resp.Request, fmt.Errorf("the manifest broke off: %w", asTransient(err)))
	}
	if len(body) > MaxManifestSize {
		return Manifest{}, &ProtocolError{Reason: fmt.Sprintf("manifest is larger than %d bytes", MaxManifestSize)}
	}
	if ref.Digest != "" {
		if err := verified.Bytes(body, ref.Digest); err != nil {
			return Manifest{}, err
		}
	}
	mediaType, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	return Manifest{Body: body, Digest: ociref.DigestOf(body), MediaType: mediaType}, nil
}

// Unchanged reports, with one HEAD request, whether ref's tag still names digest. True
// is only the registry's word. False may mean that the registry does not say; then call
// Manifest.
//
// Errors: *Error.
func (c *Client) Unchanged(ctx context.Context, ref ociref.Reference, digest ociref.Digest) (bool, error) {
	ref.Digest = ""
	resp, err := c.send(ctx, ref, request{method: http.MethodHead, accept: acceptManifests}, manifestPath(ref))
	if err != nil {
		return false, err
	}
	resp.Body.Close()
	return resp.Header.Get("Docker-Content-Digest") == string(digest), nil
}

func manifestPath(ref ociref.Reference) string {
	reference := string(ref.Digest)
	if reference == "" {
		reference = ref.Tag
	}
	return "/v2/" + ref.Repository + "/manifests/" + reference
}

// send makes a request of ref's repository, once.
func (c *Client) send(ctx context.Context, ref ociref.Reference, r request, path string) (*http.Response, error) {
	ctx = c.mark(ctx)
	h := c.host(ref.Registry)
	r.url = h.url()
	r.url.Path, r.url.RawQuery, _ = strings.Cut(path, "?")
	r.url.RawQuery = c.mirror.query(r.url.RawQuery)
	return h.session(ref.Repository).send(ctx, r)
}

func (c *core) host(registry string) *host {
	c.mu.Lock()
	defer c.mu.Unlock()
	h := c.hosts[registry]
	if h == nil {
		h = c.newHost(registry)
		c.hosts[registry] = h
	}
	return h
}
