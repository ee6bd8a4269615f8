package sources_test

import (
	"bytes"
	"context"
	"io"
	"io/fs"
	"testing"
	"time"

	"github.com/greenticai/packvendor/internal/layout"
	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/packtest"
	"github.com/greenticai/packvendor/internal/registry"
	"github.com/greenticai/packvendor/internal/sources"
	"github.com/greenticai/packvendor/internal/verified"
)

var _ sources.Bundle = (*layout.Layout)(nil)

const repository = "greenticai/pack"

// A fixture is a registry that holds one pack.
type fixture struct {
	reg    *packtest.Registry
	data   []byte
	pushed packtest.Pushed
	ref    ociref.Reference // by digest
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	b := &fixture{reg: packtest.StartRegistry(t, packtest.Options{}), data: packtest.Zip("pack", "1.0.0", 1000)}
	b.pushed = packtest.MustPush(t, b.reg, repository, "1.0", packtest.Pack(b.data, "pack.gtpack"))
	b.ref = ociref.Reference{Registry: b.reg.Host(), Repository: repository, Digest: b.pushed.ManifestDigest}
	return b
}

func (b *fixture) layer() verified.Content {
	return verified.Content{Digest: b.pushed.Layers[0], Size: int64(len(b.data))}
}

// client returns a Client with its sources.
func (b *fixture) client(t *testing.T, o sources.Options) *sources.Client {
	t.Helper()
	transport := b.reg.Transport()
	t.Cleanup(transport.CloseIdleConnections)
	return sources.New(registry.New(registry.Options{Transport: transport, Sleep: soon}), o)
}

// soon is a Sleep for tests, which have no time.
func soon(ctx context.Context, _ time.Duration) error { return context.Cause(ctx) }

// A sink is a Sink in memory.
type sink struct{ bytes.Buffer }

func (s *sink) Reset() error {
	s.Buffer.Reset()
	return nil
}

// A shelf is a Bundle in memory.
type shelf struct {
	manifests map[ociref.Digest][]byte
	blobs     map[ociref.Digest][]byte
}

func (s *shelf) Path() string { return "shelf.tar" }

func (s *shelf) Manifest(digest ociref.Digest) ([]byte, error) {
	if body, ok := s.manifests[digest]; ok {
		return body, verified.Bytes(body, digest)
	}
	return nil, fs.ErrNotExist
}

func (s *shelf) Copy(ctx context.Context, dst io.Writer, want verified.Content) error {
	if body, ok := s.blobs[want.Digest]; ok {
		return verified.Copy(ctx, dst, bytes.NewReader(body), want)
	}
	return fs.ErrNotExist
}

func TestWithoutOthers(t *testing.T) {
	b := newFixture(t)
	c := b.client(t, sources.Options{})
	m, err := c.Manifest(t.Context(), b.ref)
	if err != nil || m.Digest != b.ref.Digest {
		t.Fatalf("manifest: %s, %v", m.Digest, err)
	}
	var got sink
	from, err := c.Blob(t.Context(), b.ref, b.layer(), &got, nil)
	if want := (sources.Source{Role: sources.Origin, Place: b.ref.Name()}); err != nil || from != want || !bytes.Equal(got.Bytes(), b.data) {
		t.Errorf("blob: %d bytes from %+v, %v", got.Len(), from, err)
	}
	if tags, err := c.Tags(t.Context(), b.ref); err != nil || len(tags) != 1 || tags[0] != "1.0" {
		t.Errorf("tags: %q, %v", tags, err)
	}
	if same, err := c.Unchanged(t.Context(), b.ref.WithTag("1.0"), b.ref.Digest); err != nil || !same {
		t.Errorf("unchanged: %t, %v", same, err)
	}
}

// A bundle answers what it has by digest, and no tag.
func TestBundle(t *testing.T) {
	b := newFixture(t)
	m, err := b.client(t, sources.Options{}).Manifest(t.Context(), b.ref)
	if err != nil {
		t.Fatal(err)
	}
	full := &shelf{map[ociref.Digest][]byte{m.Digest: m.Body}, map[ociref.Digest][]byte{b.layer().Digest: b.data}}
	c := b.client(t, sources.Options{Bundles: []sources.Bundle{&shelf{}, full}})
	b.reg.ResetRequests()
	if got, err := c.Manifest(t.Context(), b.ref); err != nil || !bytes.Equal(got.Body, m.Body) || got.Digest != m.Digest {
		t.Errorf("manifest: %q, %v", got.Body, err)
	}
	var got sink
	from, err := c.Blob(t.Context(), b.ref, b.layer(), &got, nil)
	if want := (sources.Source{Role: sources.Stored, Place: "shelf.tar"}); err != nil || from != want || !bytes.Equal(got.Bytes(), b.data) {
		t.Errorf("blob: %d bytes from %+v, %v", got.Len(), from, err)
	}
	if requests := b.reg.Requests(); len(requests) > 0 {
		t.Errorf("requests: %v", requests)
	}
	if got, err := c.Manifest(t.Context(), b.ref.WithTag("1.0")); err != nil || got.Digest != m.Digest || len(b.reg.Requests()) == 0 {
		t.Errorf("by tag: %s, %v, %d requests", got.Digest, err, len(b.reg.Requests()))
	}
}
