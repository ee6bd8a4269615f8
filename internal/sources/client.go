// Package sources asks, for each reference, bundles, mirrors and the origin in order.
//
// The origin is the registry that a reference names. A mirror is another host and path, and
// is asked by the same code. A bundle is a layout on this machine, which answers by digest
// alone.
package sources

import (
	"context"
	"errors"
	"io"
	"io/fs"

	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/registry"
	"github.com/greenticai/packvendor/internal/verified"
)

// A Bundle has manifests and blobs, and is asked before all other sources. It answers by
// digest alone: no tag, no list. Its methods may be called concurrently.
type Bundle interface {
	// Path names the bundle to the user.
	Path() string
	// Manifest returns the bytes of the manifest with a digest, verified. The error is an
	// fs.ErrNotExist if the bundle does not have it.
	Manifest(digest ociref.Digest) ([]byte, error)
	// Copy copies a blob to dst, verified as by verified.Copy. The error is an
	// fs.ErrNotExist if the bundle does not have it; then nothing was written.
	Copy(ctx context.Context, dst io.Writer, want verified.Content) error
}

// Options say which sources there are besides the registry that a reference names. The zero
// value has none.
type Options struct {
	Bundles []Bundle // in the order in which to ask them
}

// A Client reads from the sources of any reference. Calls of its methods may be concurrent.
type Client struct {
	registry *registry.Client
	bundles  []Bundle
}

// New returns a Client that asks registries through client. It touches neither disk nor
// network.
func New(client *registry.Client, o Options) *Client {
	return &Client{registry: client, bundles: o.Bundles}
}

// A Source is where something came from.
type Source struct {
	Role  Role
	Place string // HOST/REPOSITORY, or the path of a bundle
}

// A Role is the relation of a source to a reference.
type Role string

const (
	Origin Role = "origin" // the registry that the reference names
	Stored Role = "bundle"
)

// Manifest reads the manifest that ref names: by digest if it has one, by tag otherwise. By
// digest, Manifest has verified the body.
//
// Errors: *registry.Error, *verified.MismatchError, *registry.ProtocolError.
func (c *Client) Manifest(ctx context.Context, ref ociref.Reference) (registry.Manifest, error) {
	if ref.Digest != "" {
		for _, b := range c.bundles {
			body, err := b.Manifest(ref.Digest)
			switch {
			case err == nil:
				return registry.Manifest{Body: body, Digest: ref.Digest}, nil
			case !errors.Is(err, fs.ErrNotExist):
				return registry.Manifest{}, err
			}
		}
	}
	return c.registry.Manifest(ctx, ref)
}

// Unchanged reports, with one HEAD request, whether ref's tag still names digest. True is
// only the registry's word. False may mean that the registry does not say; then call
// Manifest.
//
// Errors: *registry.Error.
func (c *Client) Unchanged(ctx context.Context, ref ociref.Reference, digest ociref.Digest) (bool, error) {
	return c.registry.Unchanged(ctx, ref, digest)
}

// Blob copies the blob want of ref's repository to w and verifies it: unless the error is
// nil, the bytes in w prove nothing. kept holds the first bytes, left by an interrupted
// call; nil means none. The Source is the one that had the last byte.
//
// Errors: *registry.Error, *verified.MismatchError, *verified.WriteError,
// *registry.ProtocolError.
func (c *Client) Blob(ctx context.Context, ref ociref.Reference, want verified.Content, w registry.Sink, kept io.Reader) (Source, error) {
	for _, b := range c.bundles {
		err := b.Copy(ctx, w, want)
		if !errors.Is(err, fs.ErrNotExist) {
			return Source{Role: Stored, Place: b.Path()}, err
		}
	}
	return Source{Role: Origin, Place: ref.Name()}, c.registry.Blob(ctx, ref, want, w, kept)
}

// Tags lists the tags of ref's repository, in the registry's order.
//
// Errors: *registry.Error, *registry.ProtocolError.
func (c *Client) Tags(ctx context.Context, ref ociref.Reference) ([]string, error) {
	return c.registry.Tags(ctx, ref)
}

// Ping asks a registry once, without credentials, how to authenticate.
//
// Errors: *registry.Error, *registry.ProtocolError.
func (c *Client) Ping(ctx context.Context, host string) (registry.Greeting, error) {
	return c.registry.Ping(ctx, host)
}

// Proxy returns the proxy for a registry, without user and password; "" if there is none.
// The error is *registry.ProxyError.
func (c *Client) Proxy(host string) (string, error) { return c.registry.Proxy(host) }
