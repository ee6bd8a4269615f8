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
}

// Places returns the places for a reference.
func (c *Client) Places(ref ociref.Reference) *Places {
	return &Places{Repositories: []ociref.Reference{ref}, client: c}
}

// Manifest is that of registry.Client.
func (p *Places) Manifest(ctx context.Context, ref ociref.Reference) (registry.Manifest, error) {
	return p.client.registry.Manifest(ctx, ref)
}

// Blob is that of registry.Client.
func (p *Places) Blob(ctx context.Context, ref ociref.Reference, want verified.Content, w registry.Sink, kept io.Reader) error {
	return p.client.registry.Blob(ctx, ref, want, w, kept)
}

// Referrers is that of registry.Client.
func (p *Places) Referrers(ctx context.Context, ref ociref.Reference, subject ociref.Digest, artifactType string) ([]registry.Descriptor, error) {
	return p.client.registry.Referrers(ctx, ref, subject, artifactType)
}
