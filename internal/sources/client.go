// Package sources asks, for each reference, bundles, mirrors and the origin in order.
//
// The origin is the registry that a reference names. A mirror is another host and path, and
// is asked by the same code. A bundle is a layout on this machine, which answers by digest
// alone. registries.conf names the mirrors: package mirrors has the order, and its
// differences from other programs. Two more are here:
//
//   - A rule with blocked = true blocks the references that it matches, mirrors or not.
//     Others ask the mirrors of such a rule.
//   - A source that answers 401 or 403 is the last one: a proxy may be there to refuse. Every
//     other failure leads to the next source. Proxies answer 400, 405, 410 and others, too, for
//     a path that they do not know, so that no list of statuses is complete.
package sources

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"slices"
	"sync"

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
	Bundles  []Bundle    // in the order in which to ask them
	Mirrors  *Mirrors    // nil: there are none
	Insecure []string    // those of registry.Options, for events
	Events   func(Event) // nil drops them
}

// A Client reads from the sources of any reference. Calls of its methods may be concurrent.
type Client struct {
	registry *registry.Client
	bundles  []Bundle
	mirrors  *Mirrors
	insecure []string
	events   func(Event)

	distrust Distrust
	proving  bool

	read   sync.Once // the mirrors' files
	told   sync.Map  // events that are sent once
	dead   sync.Map  // by host[:port], the error of a source that could not be reached
	spoke  sync.Map  // names of repositories whose tags are asked of the origin, although a location has its place
	served sync.Map  // by reference with digest, the Source of a manifest
}

// CloseIdleConnections closes the connections that no request uses.
func (c *Client) CloseIdleConnections() { c.registry.CloseIdleConnections() }

// New returns a Client that asks registries through client. It touches neither disk nor
// network.
func New(client *registry.Client, o Options) *Client {
	if o.Events == nil {
		o.Events = func(Event) {}
	}
	return &Client{registry: client, bundles: o.Bundles, mirrors: o.Mirrors, insecure: o.Insecure, events: o.Events}
}

// Distrust says which files are a stranger's word. It must be called before any request.
func (c *Client) Distrust(d Distrust) { c.distrust = d }

// Prove has answers prove something about the origin: no mirror is asked for tags, and no
// source that a stranger's file names for digests. An event tells where a location has the
// origin's place. It must be called before any request.
func (c *Client) Prove() { c.proving = true }

// A Source is where something came from.
type Source struct {
	Role  Role
	Place string // HOST/REPOSITORY, or the path of a bundle
}

// A Role is the relation of a source to a reference.
type Role string

const (
	Origin   Role = "origin"   // the registry that the reference names
	Location Role = "location" // it replaces the origin
	Mirror   Role = "mirror"
	Stored   Role = "bundle"
)

// Manifest reads the manifest that ref names: by digest if it has one, by tag otherwise. By
// digest, Manifest has verified the body, and it has a media type from the origin alone.
//
// Errors: *Error, *BlockedError, *mirrors.Error, those of registry.Client.Manifest and
// mirrors.Load.
func (c *Client) Manifest(ctx context.Context, ref ociref.Reference) (m registry.Manifest, err error) {
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
	from, err := c.ask(ctx, ref, "manifest", Source{}, func(p place, client *registry.Client) error {
		m, err = client.Manifest(ctx, p.ref)
		if err == nil && p.Role != Origin && ref.Digest == "" && !isManifest(m.Body) {
			err = &registry.ProtocolError{Reason: "the answer is no manifest"}
		}
		return err
	})
	if err != nil {
		return registry.Manifest{}, err
	}
	if ref.Digest != "" && from.Role != Origin {
		m.MediaType = "" // as of a bundle: the digest proves the body, and nothing proves a header
	}
	c.served.Store(ref.WithDigest(m.Digest), from)
	return m, nil
}

// isManifest reports whether an answer may be a manifest. Proxies answer 200 with a page that
// asks to log in, and a tag proves nothing of what it names.
func isManifest(body []byte) bool {
	var m struct {
		MediaType                string
		Layers, Blobs, Manifests json.RawMessage
	}
	return json.Unmarshal(body, &m) == nil && (m.MediaType != "" || m.Layers != nil || m.Blobs != nil || m.Manifests != nil)
}

// Unchanged reports, with one HEAD request to the first source, whether ref's tag still
// names digest. True is only the source's word. False may mean that it does not say; then
// call Manifest.
//
// Errors: those of Manifest.
func (c *Client) Unchanged(ctx context.Context, ref ociref.Reference, digest ociref.Digest) (same bool, err error) {
	ref.Digest = ""
	p, err := c.plan(ref)
	if err != nil {
		return false, err
	}
	c.tellPassed(p, ref)
	for _, place := range p.asked() {
		if c.deadError(place) == nil {
			same, err := c.clientOf(place, false).Unchanged(ctx, place.ref, digest)
			c.bury(ctx, place, err)
			return same, err
		}
	}
	return false, nil
}

// Blob copies the blob want of ref's repository to w and verifies it: unless the error is
// nil, the bytes in w prove nothing. kept holds the first bytes, left by an interrupted
// call; nil means none. The source that had the manifest is asked first. If a source breaks
// off, the next one continues. The Source is the one that had the last byte.
//
// Errors: those of Manifest, and *verified.WriteError.
func (c *Client) Blob(ctx context.Context, ref ociref.Reference, want verified.Content, w registry.Sink, kept io.Reader) (Source, error) {
	for _, b := range c.bundles {
		err := b.Copy(ctx, w, want)
		if !errors.Is(err, fs.ErrNotExist) {
			return Source{Role: Stored, Place: b.Path()}, err
		}
	}
	d := registry.NewDownload(w, want)
	var first Source
	if source, ok := c.served.Load(ref.WithDigest(ref.Digest)); ok {
		first = source.(Source)
	}
	if done, err := d.Restore(ctx, kept); done || err != nil {
		return first, err
	}
	return c.ask(ctx, ref, "bytes", first, func(p place, client *registry.Client) error {
		err := client.Continue(ctx, p.ref, d)
		if isWrong(err) {
			if err := d.Discard(); err != nil {
				return err
			}
		}
		return err
	})
}

// Tags lists the tags of ref's repository, in the order of the source.
//
// Errors: those of Manifest.
func (c *Client) Tags(ctx context.Context, ref ociref.Reference) (tags []string, err error) {
	ref.Tag, ref.Digest = "", ""
	_, err = c.ask(ctx, ref, "tags", Source{}, func(p place, client *registry.Client) error {
		tags, err = client.Tags(ctx, p.ref)
		return err
	})
	return tags, err
}

// ask asks the sources of a reference in order, first before all others, until one answers.
func (c *Client) ask(ctx context.Context, ref ociref.Reference, what string, first Source, do func(place, *registry.Client) error) (Source, error) {
	p, err := c.plan(ref)
	if err != nil {
		return Source{}, err
	}
	c.tellPassed(p, ref)
	places := p.asked()
	slices.SortStableFunc(places, func(a, b place) int { return order(a, first) - order(b, first) })
	var failed []Attempt
	for i, place := range places {
		known := c.deadError(place)
		err := known
		if known == nil || len(places) == 1 {
			err = do(place, c.clientOf(place, i < len(places)-1))
		}
		switch {
		case err == nil:
			c.tellServed(p, ref, what, place, failed)
			return place.Source, nil
		case ctx.Err() != nil:
			return Source{}, err
		}
		c.bury(ctx, place, err)
		failed = append(failed, Attempt{Source: place.Source, File: place.at.File, Line: place.at.Line, Err: err})
		if !mayBeElsewhere(err) {
			break
		}
		if i < len(places)-1 && known == nil {
			c.tellFailed(ref, place, err)
		}
	}
	return Source{}, newError(failed)
}

// order is 0 for the source to ask first.
func order(p place, first Source) int {
	if p.Source == first {
		return 0
	}
	return 1
}

// tellFailed tells that a source failed before another one: what several requests at once
// find is told once.
func (c *Client) tellFailed(ref ociref.Reference, p place, err error) {
	c.once(p.ref.Registry+" "+err.Error(), Failed{Reference: ref.String(), Source: p.Source, Err: err, Suspect: isSuspect(err)})
}

// tellServed tells which of several sources has answered.
func (c *Client) tellServed(p *plan, ref ociref.Reference, what string, by place, failed []Attempt) {
	if by.afterOrigin {
		for _, a := range failed {
			if a.Role == Origin {
				c.events(TagsFromMirror{Reference: ref.String(), Mirror: by.Place, Err: a.Err})
			}
		}
	}
	if p.rule != nil {
		c.events(Served{Reference: ref.String(), What: what, Source: by.Source})
	}
}

// clientOf returns the client for a place. A mirror before another source is asked once.
func (c *Client) clientOf(p place, isFollowed bool) *registry.Client {
	if p.Role == Origin {
		return c.registry
	}
	return c.registry.Mirror(registry.Mirror{Namespace: p.namespace, Once: isFollowed && p.Role == Mirror})
}

// deadError returns the error by which a source was found dead, nil if it was not. It is
// not asked again.
func (c *Client) deadError(p place) error {
	if err, ok := c.dead.Load(p.ref.Registry); ok {
		return err.(error)
	}
	return nil
}

// bury records a source that could not be reached.
func (c *Client) bury(ctx context.Context, p place, err error) {
	var e *registry.Error
	if ctx.Err() == nil && errors.As(err, &e) && e.IsUnanswered() {
		c.dead.LoadOrStore(p.ref.Registry, err)
	}
}

// Ping asks a registry once, without credentials, how to authenticate.
//
// Errors: *registry.Error, *registry.ProtocolError.
func (c *Client) Ping(ctx context.Context, host string) (registry.Greeting, error) {
	return c.registry.Ping(ctx, host)
}

// PingMirror is Ping for a mirror, or for a location in the place of a registry.
func (c *Client) PingMirror(ctx context.Context, host string) (registry.Greeting, error) {
	return c.registry.Mirror(registry.Mirror{}).Ping(ctx, host)
}

// Proxy returns the proxy for a registry, without user and password; "" if there is none.
// The error is *registry.ProxyError.
func (c *Client) Proxy(host string) (string, error) { return c.registry.Proxy(host) }
