// Package registry reads manifests and blobs from OCI registries over HTTPS.
//
// Nothing a registry says is believed: manifests are bounded and hashed, blobs
// are hashed as they pass, and digest headers are never read as proof.
package registry

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"sync"

	"github.com/google/go-containerregistry/pkg/name"

	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/verified"
)

// MaxManifestSize bounds a manifest, in bytes. It is the limit that the
// distribution specification asks registries to support:
// https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pushing-manifests
const MaxManifestSize = 4 << 20

// acceptManifests is what a request for a manifest says it can read.
var acceptManifests = strings.Join([]string{
	"application/vnd.oci.image.manifest.v1+json",
	"application/vnd.oci.image.index.v1+json",
	"application/vnd.oci.artifact.manifest.v1+json",
	"application/vnd.docker.distribution.manifest.v2+json",
	"application/vnd.docker.distribution.manifest.list.v2+json",
}, ", ")

// Options configure a Client. The zero value speaks HTTPS to every registry
// with the system's trust and proxies.
type Options struct {
	// Transport sends the requests; nil is NewTransport().
	Transport http.RoundTripper
	// Insecure lists the host[:port] that are spoken to over plain HTTP.
	Insecure []string
	// UserAgent names the program to registries.
	UserAgent string
}

// A Client reads from any number of registries. It asks each registry once
// how to authenticate and each repository once for a token. Its methods may be
// called concurrently.
type Client struct {
	transport http.RoundTripper
	insecure  []string

	mu    sync.Mutex
	hosts map[string]*host
}

// New returns a Client.
func New(o Options) *Client {
	base := o.Transport
	if base == nil {
		base = NewTransport()
	}
	return &Client{
		transport: &guard{base: base, insecure: o.Insecure, userAgent: o.UserAgent},
		insecure:  o.Insecure,
		hosts:     map[string]*host{},
	}
}

// A Manifest is the exact body of a manifest or index.
type Manifest struct {
	Body      []byte
	Digest    ociref.Digest // sha256 of Body, computed here
	MediaType string        // of the Content-Type header, without parameters; "" if there was none
}

// Manifest reads the manifest that ref names: by digest if it has one, by tag
// otherwise. By digest the body has been verified against it.
//
// Errors: *Error, *verified.MismatchError, *ProtocolError.
func (c *Client) Manifest(ctx context.Context, ref ociref.Reference) (Manifest, error) {
	resp, err := c.send(ctx, http.MethodGet, ref, manifestPath(ref), acceptManifests)
	if err != nil {
		return Manifest{}, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, MaxManifestSize+1))
	if err != nil {
		return Manifest{}, newError(resp.Request, fmt.Errorf("the manifest broke off: %w", err))
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

// Unchanged tells, by a HEAD request, whether ref's tag still names digest.
// True is only the registry's word; false may mean that it does not say, and
// is for Manifest to settle.
//
// Errors: *Error.
func (c *Client) Unchanged(ctx context.Context, ref ociref.Reference, digest ociref.Digest) (bool, error) {
	ref.Digest = ""
	resp, err := c.send(ctx, http.MethodHead, ref, manifestPath(ref), acceptManifests)
	if err != nil {
		return false, err
	}
	resp.Body.Close()
	return resp.Header.Get("Docker-Content-Digest") == string(digest), nil
}

// Blob copies the blob want of ref's repository to w, verified as by
// [verified.Copy]: unless it returns nil, the bytes in w prove nothing.
//
// Errors: *Error, *verified.MismatchError, *verified.WriteError, *ProtocolError.
func (c *Client) Blob(ctx context.Context, ref ociref.Reference, want verified.Content, w io.Writer) error {
	resp, err := c.send(ctx, http.MethodGet, ref, "/v2/"+ref.Repository+"/blobs/"+string(want.Digest), "*/*")
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.ContentLength >= 0 && resp.ContentLength != want.Size {
		return &verified.MismatchError{Want: want, Got: verified.Content{Size: resp.ContentLength}}
	}
	err = verified.Copy(w, resp.Body, want)
	var broken *verified.ReadError
	if errors.As(err, &broken) {
		return newError(resp.Request, fmt.Errorf("the body broke off after %w", broken))
	}
	return err
}

func manifestPath(ref ociref.Reference) string {
	reference := string(ref.Digest)
	if reference == "" {
		reference = ref.Tag
	}
	return "/v2/" + ref.Repository + "/manifests/" + reference
}

// send answers a request about ref, which accepts those media types, with a
// response of status 200 whose body is not encoded.
func (c *Client) send(ctx context.Context, method string, ref ociref.Reference, path, accept string) (*http.Response, error) {
	h := c.host(ref.Registry)
	token, err := h.token(ctx, ref.Repository)
	if err != nil {
		return nil, err
	}
	u := &url.URL{Scheme: h.scheme, Host: h.name.RegistryStr(), Path: path}
	req, err := http.NewRequestWithContext(ctx, method, u.String(), nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", accept)
	client := http.Client{
		Transport:     &bearer{base: c.transport, host: u.Host, scheme: u.Scheme, token: token},
		CheckRedirect: checkRedirect,
	}
	resp, err := client.Do(req)
	if err != nil {
		return nil, newError(req, err)
	}
	if resp.StatusCode != http.StatusOK {
		defer resp.Body.Close()
		return nil, newStatusError(req, resp)
	}
	if encoding := resp.Header.Get("Content-Encoding"); encoding != "" && encoding != "identity" {
		resp.Body.Close()
		return nil, &ProtocolError{Reason: fmt.Sprintf("the registry sent Content-Encoding %+q, which was not asked for", encoding)}
	}
	return resp, nil
}

func (c *Client) host(registry string) *host {
	c.mu.Lock()
	defer c.mu.Unlock()
	h := c.hosts[registry]
	if h == nil {
		h = &host{transport: c.transport, scheme: "https", tokens: map[string]*answer[string]{}}
		if isListed(c.insecure, registry) {
			h.scheme = "http"
			h.name, h.err = name.NewRegistry(registry, name.StrictValidation, name.Insecure)
		} else {
			h.name, h.err = name.NewRegistry(registry, name.StrictValidation)
		}
		c.hosts[registry] = h
	}
	return h
}
