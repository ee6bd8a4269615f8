package fetch_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/greenticai/packvendor/internal/fetch"
	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/packtest"
	"github.com/greenticai/packvendor/internal/packtest/fault"
	"github.com/greenticai/packvendor/internal/registry"
	"github.com/greenticai/packvendor/internal/verified"
)

const (
	imageType = "application/vnd.oci.image.manifest.v1+json"
	indexType = "application/vnd.oci.image.index.v1+json"
)

// A shelf is what indexes are made of: a registry with some children.
type shelf struct {
	*fixture
	second, noPack, attestation packtest.Pushed
}

func newShelf(t *testing.T) *shelf {
	t.Helper()
	b := newFixture(t, packtest.Options{})
	return &shelf{
		fixture: b,
		second:  packtest.MustPush(t, b.reg, repository, "", packtest.Pack(packtest.Zip("second", "1.0.0", 0), "")),
		noPack:  packtest.MustPush(t, b.reg, repository, "", packtest.Artifact{Layers: []packtest.Layer{{MediaType: "image/png", Data: []byte("png")}}}),
		attestation: packtest.MustPush(t, b.reg, repository, "", packtest.Artifact{Layers: []packtest.Layer{
			{MediaType: "application/json", Data: []byte("{}")}}}),
	}
}

// index pushes an index of these children and returns its digest.
func (s *shelf) index(t *testing.T, children ...packtest.Child) ociref.Digest {
	t.Helper()
	pushed, err := s.reg.PushIndex(repository, "index", children)
	if err != nil {
		t.Fatal(err)
	}
	return pushed.ManifestDigest
}

func (s *shelf) attesting() packtest.Child {
	c := s.attestation.Child()
	c.Annotations = map[string]string{"vnd.docker.reference.type": "attestation-manifest"}
	return c
}

// subject pushes a manifest with an accepted layer that is about another.
func (s *shelf) subject(t *testing.T) packtest.Child {
	t.Helper()
	body := fmt.Sprintf(`{"schemaVersion":2,"mediaType":%q,"layers":[{"mediaType":"application/json","digest":%q,"size":2}],"subject":{"digest":%q}}`,
		imageType, ociref.DigestOf([]byte("{}")), s.pushed.ManifestDigest)
	digest, err := s.reg.PutManifest(repository, "", imageType, []byte(body))
	if err != nil {
		t.Fatal(err)
	}
	return packtest.Child{Digest: digest}
}

func TestIndexWithOnePack(t *testing.T) {
	for name, children := range map[string]func(*testing.T, *shelf) []packtest.Child{
		"alone": func(_ *testing.T, s *shelf) []packtest.Child { return []packtest.Child{s.pushed.Child()} },
		"with an attestation": func(_ *testing.T, s *shelf) []packtest.Child {
			return []packtest.Child{s.attesting(), s.pushed.Child()}
		},
		"with a subject": func(t *testing.T, s *shelf) []packtest.Child { return []packtest.Child{s.subject(t), s.pushed.Child()} },
		"with no pack": func(_ *testing.T, s *shelf) []packtest.Child {
			return []packtest.Child{s.noPack.Child(), s.pushed.Child()}
		},
		"twice": func(_ *testing.T, s *shelf) []packtest.Child {
			return []packtest.Child{s.pushed.Child(), s.pushed.Child()}
		},
		"an attestation gone": func(_ *testing.T, s *shelf) []packtest.Child {
			c := s.attesting()
			c.Digest, c.Size = ociref.DigestOf([]byte("gone")), 4
			return []packtest.Child{c, s.pushed.Child()}
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newShelf(t)
			index := s.index(t, children(t, s)...)
			f := s.fetcher(t, allowTags)
			for _, reference := range []string{s.refOf(index), s.reg.Host() + "/" + repository + ":index"} {
				p, err := f.Resolve(context.Background(), parse(reference), "")
				if err != nil {
					t.Fatal(err)
				}
				if p.IndexDigest != index || p.Digest() != index || p.ManifestDigest != s.pushed.ManifestDigest || p.Layer.Digest != s.layer().Digest {
					t.Errorf("got %+v", p)
				}
			}
			result, err := fetchToCache(context.Background(), f, s.refOf(index))
			if err != nil {
				t.Fatal(err)
			}
			if result.ResolvedDigest != s.pushed.ManifestDigest.String() || result.Path != s.file("pack.gtpack") {
				t.Errorf("got %+v", result)
			}
			s.wantWhole(t) // under the child's digest
		})
	}
}

func TestIndexFollowed(t *testing.T) {
	s := newShelf(t)
	index := s.index(t, s.pushed.Child())
	f := s.fetcher(t, allowTags)
	reference := s.reg.Host() + "/" + repository + ":index"
	if p, err := f.Follow(context.Background(), parse(reference), index, ""); p != nil || err != nil {
		t.Errorf("unchanged: got %+v, %v", p, err)
	}
	p, err := f.Follow(context.Background(), parse(reference), s.pushed.ManifestDigest, "")
	if err != nil || p == nil || p.IndexDigest != index {
		t.Errorf("moved: got %+v, %v", p, err)
	}
}

func TestFault21_OtherIndexes(t *testing.T) {
	list := func(children ...packtest.Child) string {
		text := ""
		for _, c := range children {
			text += "\n\t" + c.Digest.String() + "  " + c.MediaType
			if c.Platform != nil {
				text += "  " + c.Platform.OS + "/" + c.Platform.Architecture
			}
		}
		return text
	}
	for name, test := range map[string]struct {
		children func(*testing.T, *shelf) []packtest.Child
		reason   string
	}{
		"empty":        {func(*testing.T, *shelf) []packtest.Child { return nil }, "lists no pack"},
		"no pack":      {func(_ *testing.T, s *shelf) []packtest.Child { return []packtest.Child{s.noPack.Child()} }, "lists no pack"},
		"attestations": {func(_ *testing.T, s *shelf) []packtest.Child { return []packtest.Child{s.attesting()} }, "lists no pack"},
		"several": {func(_ *testing.T, s *shelf) []packtest.Child {
			one, two := s.pushed.Child(), s.second.Child()
			one.Platform = &packtest.Platform{OS: "linux", Architecture: "amd64"}
			two.Platform = &packtest.Platform{OS: "linux", Architecture: "arm64"}
			return []packtest.Child{one, two, s.noPack.Child()}
		}, "lists several packs"},
		"nested": {func(t *testing.T, s *shelf) []packtest.Child {
			inner, err := s.reg.PushIndex(repository, "", []packtest.Child{s.pushed.Child()})
			if err != nil {
				t.Fatal(err)
			}
			return []packtest.Child{{Digest: inner.ManifestDigest, Size: int64(len(inner.Manifest)), MediaType: indexType}, s.second.Child()}
		}, "is nested: it lists another index"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newShelf(t)
			children := test.children(t, s)
			reference := s.refOf(s.index(t, children...))
			_, err := fetchBytes(context.Background(), s.fetcher(t), reference)
			wantText(t, err, "cannot use "+reference+": the image index "+test.reason+list(children...))
			if e := as[*fetch.IndexError](t, err); len(e.Children) != len(children) {
				t.Errorf("got %+v", e)
			}
		})
	}
}

func TestIndexWithTooManyChildren(t *testing.T) {
	s := newShelf(t)
	children := []packtest.Child{s.pushed.Child()}
	for i := range 64 {
		children = append(children, packtest.Child{Digest: ociref.DigestOf([]byte{byte(i)}), Size: 1, MediaType: imageType})
	}
	reference := s.refOf(s.index(t, children...))
	_, err := fetchBytes(context.Background(), s.fetcher(t), reference)
	as[*fetch.IndexError](t, err)
	if want := "cannot use " + reference + ": the image index has 65 children, more than 64"; !strings.HasPrefix(err.Error(), want) {
		t.Errorf("got %.200q, want it to begin with %q", err, want)
	}
	if n := len(s.reg.Requests()); n != 2 {
		t.Errorf("%d requests, want the ping and the index alone", n)
	}
}

func TestIndexWithABadChild(t *testing.T) {
	for name, test := range map[string]struct {
		child func(*shelf) packtest.Child
		want  func(*testing.T, *shelf, error)
	}{
		"wrong size": {
			func(s *shelf) packtest.Child { c := s.pushed.Child(); c.Size++; return c },
			func(t *testing.T, s *shelf, err error) {
				as[*fetch.ManifestError](t, err)
				want := fmt.Sprintf("invalid manifest: child %s has %d bytes, the index says %d", s.pushed.ManifestDigest, len(s.pushed.Manifest), len(s.pushed.Manifest)+1)
				if !strings.HasSuffix(err.Error(), ": "+want) {
					t.Errorf("got %q, want it to end in %q", err, want)
				}
			}},
		"sha512": {
			func(*shelf) packtest.Child { return packtest.Child{Digest: "sha512:00", Size: 1, MediaType: imageType} },
			func(t *testing.T, _ *shelf, err error) {
				as[*fetch.ManifestError](t, err)
				if want := `invalid manifest: child: digest algorithm "sha512" is not supported: only sha256`; !strings.HasSuffix(err.Error(), ": "+want) {
					t.Errorf("got %q, want it to end in %q", err, want)
				}
			}},
		"gone": {
			func(*shelf) packtest.Child {
				return packtest.Child{Digest: ociref.DigestOf([]byte("x")), Size: 1, MediaType: imageType}
			},
			func(t *testing.T, _ *shelf, err error) {
				if e := as[*registry.Error](t, err); e.Status != 404 {
					t.Errorf("got %+v", e)
				}
			}},
		"evil": {
			func(s *shelf) packtest.Child {
				s.reg.Inject(fault.After(1, fault.EvilManifest([]byte("{}"), imageType)))
				return s.pushed.Child()
			},
			func(t *testing.T, _ *shelf, err error) { as[*verified.MismatchError](t, err) }},
	} {
		t.Run(name, func(t *testing.T) {
			s := newShelf(t)
			_, err := fetchBytes(context.Background(), s.fetcher(t), s.refOf(s.index(t, test.child(s))))
			if err == nil {
				t.Fatal("got no error")
			}
			test.want(t, s, err)
			if name == "wrong size" { // that is the index's lie, not the child's
				s.wantFiles(t, "manifest.json")
			} else {
				s.wantFiles(t)
			}
		})
	}
}

// An index in the lock file's place of a manifest is refused.
func TestResolveCachedOfAnIndex(t *testing.T) {
	s := newShelf(t)
	pushed, err := s.reg.PushIndex(repository, "", []packtest.Child{s.pushed.Child()})
	if err != nil {
		t.Fatal(err)
	}
	write(t, strings.Replace(s.file("manifest.json"), s.pushed.ManifestDigest.Hex(), pushed.ManifestDigest.Hex(), 1), pushed.Manifest)
	_, err = s.offline(t).ResolveCached(parse(s.byDigest()), pushed.ManifestDigest, "")
	as[*fetch.IndexError](t, err)
}
