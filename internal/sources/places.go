package sources

import (
	"context"
	"errors"
	"io"
	"slices"

	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/registry"
	"github.com/greenticai/packvendor/internal/verified"
)

// Places are the repositories that may hold what is attached to a manifest, such as its
// signatures. Each method asks the repository that its reference names, and no other.
//
// They are those of all sources. A mirror for digests alone is asked for tags, too, which name
// the manifest's digest here: what is attached proves itself. A mirror for tags alone is asked
// for them and for what they lead to, but not for the manifest and its referrers.
type Places struct {
	client *Client
	ref    ociref.Reference
	places map[string]place // by the repository's name; nil before Repositories
	tagged map[string]bool  // those of mirrors for tags alone
}

// Places returns the places for a reference with a digest. It reads no file: Repositories does,
// which must be called before all other methods.
func (c *Client) Places(ref ociref.Reference) *Places { return &Places{client: c, ref: ref} }

// Repositories returns the repositories, in the order in which to look: mirrors first. Errors
// are those of Client.Check.
func (p *Places) Repositories() ([]ociref.Reference, error) {
	found, err := p.client.plan(p.ref)
	if err != nil {
		return nil, err
	}
	p.client.tellPassed(found, p.ref)
	p.places, p.tagged = map[string]place{}, map[string]bool{}
	byDigest := found.asked()
	mirrors := 0
	for mirrors < len(byDigest) && byDigest[mirrors].Role == Mirror {
		mirrors++
	}
	var list []ociref.Reference
	for _, place := range slices.Insert(byDigest, mirrors, p.mirrorsOfTags()...) {
		if _, twice := p.places[place.Place]; twice {
			continue
		}
		p.places[place.Place] = place
		p.tagged[place.Place] = place.ref.Digest == ""
		list = append(list, place.ref)
	}
	return list, nil
}

// mirrorsOfTags returns the mirrors that are asked for tags.
func (p *Places) mirrorsOfTags() []place {
	found, err := p.client.plan(p.ref.WithTag("sha256-" + p.ref.Digest.Hex()))
	if err != nil {
		return nil // they are blocked
	}
	return slices.DeleteFunc(found.asked(), func(p place) bool { return p.Role != Mirror })
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

// errTagsAlone keeps a mirror for tags alone from being asked for the manifest.
var errTagsAlone = errors.New("the mirror is for tags alone")

// Manifest is that of registry.Client.
func (p *Places) Manifest(ctx context.Context, ref ociref.Reference) (m registry.Manifest, err error) {
	if p.tagged[ref.Name()] && ref.Digest == p.ref.Digest {
		return registry.Manifest{}, errTagsAlone
	}
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
	if p.tagged[ref.Name()] {
		return nil, &registry.NoReferrersAPIError{Answer: "none, since the mirror is for tags alone"}
	}
	err = p.at(ctx, ref, func(c *registry.Client) error {
		list, err = c.Referrers(ctx, ref, subject, artifactType)
		return err
	})
	return list, err
}
