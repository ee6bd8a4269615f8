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
	client *Client
	ref    ociref.Reference
	places map[string]place // by the repository's name; nil before Repositories
}

// Places returns the places for a reference with a digest: of all its sources. It reads no
// file: Repositories does, which must be called before all other methods.
func (c *Client) Places(ref ociref.Reference) *Places { return &Places{client: c, ref: ref} }

// Repositories returns the repositories, in the order in which to look. Errors are those of
// Client.Check.
func (p *Places) Repositories() ([]ociref.Reference, error) {
	found, err := p.client.plan(p.ref)
	if err != nil {
		return nil, err
	}
	p.client.tellPassed(found, p.ref)
	p.places = map[string]place{}
	var list []ociref.Reference
	for _, place := range found.asked() {
		if _, twice := p.places[place.Place]; !twice {
			list = append(list, place.ref)
			p.places[place.Place] = place
		}
	}
	return list, nil
}

// at has do ask the place that a reference names, unless it could not be reached before.
func (p *Places) at(ctx context.Context, ref ociref.Reference, do func(*registry.Client) error) error {
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
