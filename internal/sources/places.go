package sources

import (
	"context"
	"io"

	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/registry"
	"github.com/greenticai/packvendor/internal/verified"
)

// Places are the repositories that may hold what is attached to a manifest, such as its
// signatures. Each method asks the repository that its reference names, and no other.
type Places struct {
	Repositories []ociref.Reference // in the order in which to look
	client       *Client
	places       map[string]place // by the repository's name
	err          error            // why there are none
}

// Places returns the places for a reference with a digest: of all its sources.
func (c *Client) Places(ref ociref.Reference) *Places {
	p := &Places{client: c, places: map[string]place{}}
	found, err := c.plan(ref)
	if err != nil {
		return &Places{Repositories: []ociref.Reference{ref}, client: c, err: err}
	}
	c.tellPassed(found, ref)
	for _, place := range found.asked() {
		if _, twice := p.places[place.Place]; !twice {
			p.Repositories = append(p.Repositories, place.ref)
			p.places[place.Place] = place
		}
	}
	return p
}

// at has do ask the place that a reference names, unless it could not be reached before.
func (p *Places) at(ctx context.Context, ref ociref.Reference, do func(*registry.Client) error) error {
	if p.err != nil {
		return p.err
	}
	place := p.places[ref.Name()]
	if err := p.client.deadError(place); err != nil && len(p.places) > 1 {
		return err
	}
	err := do(p.client.clientOf(place, len(p.places) > 1))
	p.client.bury(ctx, place, err)
	return err
}

// Manifest is that of registry.Client.
func (p *Places) Manifest(ctx context.Context, ref ociref.Reference) (m registry.Manifest, err error) {
	err = p.at(ctx, ref, func(c *registry.Client) error {
		m, err = c.Manifest(ctx, ref)
		return err
	})
	return m, err
}

// Blob is that of registry.Client.
func (p *Places) Blob(ctx context.Context, ref ociref.Reference, want verified.Content, w registry.Sink, kept io.Reader) error {
	return p.at(ctx, ref, func(c *registry.Client) error { return c.Blob(ctx, ref, want, w, kept) })
}

// Referrers is that of registry.Client.
func (p *Places) Referrers(ctx context.Context, ref ociref.Reference, subject ociref.Digest, artifactType string) (list []registry.Descriptor, err error) {
	err = p.at(ctx, ref, func(c *registry.Client) error {
		list, err = c.Referrers(ctx, ref, subject, artifactType)
		return err
	})
	return list, err
}
