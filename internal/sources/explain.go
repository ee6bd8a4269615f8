package sources

import (
	"net/url"

	"github.com/greenticai/packvendor/internal/ociref"
)

// An Explanation says where a reference leads.
type Explanation struct {
	Reference ociref.Reference
	Files     []string // that were read, in their order
	Ignored   []string // those of them in the format of version 1
	Rule      *Rule    // that matches; nil if none does
	// Digest are the sources for a digest, and Tag those for a tag or a list of tags, each in
	// the order in which they are asked. Blocked is the error of both; nil if they are.
	Digest, Tag []Explained
	Blocked     *BlockedError
}

// An Explained is a source of a reference, and how it is asked.
type Explained struct {
	Source
	URL         string // of the request, without a host that is redirected to
	File        string // that names the source; "" for the origin
	Line        int
	AfterOrigin bool   // asked only if the origin does not answer
	PassedOver  Reason // why it is not asked; "" if it is
}

// Check tells whether anybody may be asked for a reference. It reads files, and asks nobody.
// Errors: *BlockedError, and those of Explain.
func (c *Client) Check(ref ociref.Reference) error {
	_, err := c.plan(ref)
	return err
}

// Explain says where a reference leads. It reads files, and asks nobody. Errors: those of
// mirrors.Load, and *mirrors.Error.
func (c *Client) Explain(ref ociref.Reference) (*Explanation, error) {
	config, err := c.config()
	if err != nil {
		return nil, err
	}
	e := &Explanation{Reference: ref, Files: config.Files, Ignored: config.Version1, Rule: newRule(config.Rule(ref))}
	digest := ref.Digest
	if digest == "" {
		digest = "sha256:DIGEST"
	}
	if e.Digest, err = c.explained(ref.WithDigest(digest), e); err != nil {
		return nil, err
	}
	e.Tag, err = c.explained(ref.WithTag(ref.Tag), e)
	return e, err
}

// explained returns the sources of a reference, with those that are passed over.
func (c *Client) explained(ref ociref.Reference, e *Explanation) ([]Explained, error) {
	p, err := c.plan(ref)
	if blocked, ok := err.(*BlockedError); ok {
		e.Blocked = blocked
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var list []Explained
	for _, place := range p.places {
		list = append(list, Explained{
			Source: place.Source, URL: c.urlOf(place), File: place.at.File, Line: place.at.Line,
			AfterOrigin: place.afterOrigin, PassedOver: place.passed,
		})
	}
	return list, nil
}

// urlOf returns the URL of the request for a place's manifest, or for its tags.
func (c *Client) urlOf(p place) string {
	u := url.URL{Scheme: "https", Host: p.ref.Registry, Path: "/v2/" + p.ref.Repository + "/tags/list"}
	switch {
	case p.ref.Digest != "":
		u.Path = "/v2/" + p.ref.Repository + "/manifests/" + string(p.ref.Digest)
	case p.ref.Tag != "":
		u.Path = "/v2/" + p.ref.Repository + "/manifests/" + p.ref.Tag
	}
	if c.registry.IsInsecure(p.ref.Registry) {
		u.Scheme = "http"
	}
	if p.namespace != "" {
		u.RawQuery = url.Values{"ns": {p.namespace}}.Encode()
	}
	return u.String()
}
