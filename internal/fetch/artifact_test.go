package fetch_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"

	"github.com/greenticai/packvendor/internal/fetch"
	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/packtest"
	"github.com/greenticai/packvendor/internal/verified"
)

// manifests are manifests by digest.
type manifests map[ociref.Digest][]byte

func (s manifests) add(body string) ociref.Digest {
	digest := ociref.DigestOf([]byte(body))
	s[digest] = []byte(body)
	return digest
}

func (s manifests) read(_ context.Context, digest ociref.Digest) ([]byte, error) {
	if body, ok := s[digest]; ok {
		return body, nil
	}
	return nil, fs.ErrNotExist
}

func descriptor(mediaType string, data []byte, more string) string {
	return fmt.Sprintf(`{"mediaType":%q,"digest":%q,"size":%d%s}`, mediaType, ociref.DigestOf(data), len(data), more)
}

// text shows an artifact; where bytes are known, they follow the size.
func text(a *fetch.Artifact) string {
	var b strings.Builder
	fmt.Fprintln(&b, a.MediaType)
	for _, m := range a.Manifests {
		fmt.Fprintf(&b, "manifest %s %v\n", m.Digest, ociref.DigestOf(m.Body) == m.Digest)
	}
	for _, blob := range a.Blobs {
		fmt.Fprintf(&b, "blob %s %d", blob.Digest, blob.Size)
		if blob.Known != nil {
			fmt.Fprintf(&b, " %q", blob.Known)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// An index has everything: its children with their configurations and layers, each blob
// once.
func TestReadArtifact(t *testing.T) {
	s := manifests{}
	layer, note := []byte("layer"), []byte("note")
	empty := descriptor("application/vnd.oci.empty.v1+json", []byte("{}"), "")
	pack := `{"schemaVersion":2,"config":` + empty + `,"layers":[` + descriptor("a/b", layer, "") + `,` +
		descriptor("a/c", note, `,"data":"`+base64.StdEncoding.EncodeToString(note)+`"`) + `,` + descriptor("a/d", nil, "") + `]}`
	// An embedded text that is another one is not believed.
	attestation := `{"layers":[` + descriptor("a/b", layer, "") + `,` + descriptor("a/e", []byte("eton"), `,"data":"`+base64.StdEncoding.EncodeToString(note)+`"`) + `]}`
	packDigest, attestationDigest := s.add(pack), s.add(attestation)
	index := s.add(`{"manifests":[` + descriptor("m/t", []byte(pack), "") + `,` + descriptor("m/t", []byte(pack), "") + `,` + descriptor("m/t", []byte(attestation), "") + `]}`)
	a, err := fetch.ReadArtifact(t.Context(), index, s.read)
	if err != nil {
		t.Fatal(err)
	}
	want := fmt.Sprintf("application/vnd.oci.image.index.v1+json\nmanifest %s true\nmanifest %s true\nmanifest %s true\n"+
		"blob %s 2 \"{}\"\nblob %s 5\nblob %s 4 \"note\"\nblob %s 0 \"\"\nblob %s 4\n", index, packDigest, attestationDigest,
		ociref.DigestOf([]byte("{}")), ociref.DigestOf(layer), ociref.DigestOf(note), ociref.DigestOf(nil), ociref.DigestOf([]byte("eton")))
	if got := text(a); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// The media type is the manifest's own, or that of its kind.
func TestArtifactMediaType(t *testing.T) {
	for body, want := range map[string]string{
		`{"mediaType":"application/vnd.docker.distribution.manifest.v2+json","layers":[]}`: "application/vnd.docker.distribution.manifest.v2+json",
		`{"layers":[]}`:    "application/vnd.oci.image.manifest.v1+json",
		`{"blobs":[]}`:     "application/vnd.oci.artifact.manifest.v1+json",
		`{"manifests":[]}`: "application/vnd.oci.image.index.v1+json",
	} {
		s := manifests{}
		a, err := fetch.ReadArtifact(t.Context(), s.add(body), s.read)
		if err != nil || a.MediaType != want {
			t.Errorf("%s: %v, %v", body, a, err)
		}
	}
}

func TestReadArtifactErrors(t *testing.T) {
	const some = "sha256:0000000000000000000000000000000000000000000000000000000000000000"
	for _, test := range []struct {
		body string
		want string
		as   any
	}{
		{`{"layers":[{"mediaType":"a/b","digest":"sha512:00","size":1}]}`, `invalid manifest: blob of type "a/b": `, new(*fetch.ManifestError)},
		{`{"layers":[{"mediaType":"a/b","digest":"` + some + `"}]}`, "invalid manifest: blob " + some + ": its size is missing or not a number of bytes", new(*fetch.ManifestError)},
		{`{"config":{"digest":"../x","size":1},"layers":[]}`, `invalid manifest: blob of type "": `, new(*fetch.ManifestError)},
		{`{"manifests":[{"digest":"x","size":1}]}`, "invalid manifest: child: ", new(*fetch.ManifestError)},
		{`{"manifests":[{"digest":"` + some + `"}]}`, "invalid manifest: child " + some + ": its size is missing or not a number of bytes", new(*fetch.ManifestError)},
		{`{"manifests":[{"digest":"` + some + `","size":1}]}`, "file does not exist", new(error)},
		{`{"manifests":[` + descriptor("m/t", []byte(`{"layers":[]}`), "")[:len(descriptor("m/t", []byte(`{"layers":[]}`), ""))-2] + `4}]}`, "invalid manifest: child ", new(*fetch.ManifestError)},
		{`{"manifests":[` + descriptor("m/t", []byte(`{"manifests":[]}`), "") + `]}`, "the image index is nested: it lists another index", new(*fetch.IndexError)},
		{`{"manifests":[` + strings.Repeat(`{},`, 64) + `{}]}`, "the image index has 65 children, more than 64", new(*fetch.IndexError)},
		{`{"mediaType":"a/b"}`, `packs are not read from manifests of type "a/b"`, new(*fetch.NoPackError)},
	} {
		s := manifests{}
		s.add(`{"layers":[]}`)
		s.add(`{"manifests":[]}`)
		a, err := fetch.ReadArtifact(t.Context(), s.add(test.body), s.read)
		if a != nil || err == nil || !strings.HasPrefix(err.Error(), test.want) || !errors.As(err, test.as) {
			t.Errorf("%.100s\n got %v\nwant %s", test.body, err, test.want)
		}
	}
}

// A manifest comes from the cache, else from the registry, a blob from the registry alone.
func TestManifestOf(t *testing.T) {
	b := newFixture(t, packtest.Options{})
	f := b.fetcher(t)
	for range 2 {
		body, err := f.ManifestOf(t.Context(), parse(b.byDigest()))
		if err != nil || ociref.DigestOf(body) != b.pushed.ManifestDigest {
			t.Fatalf("%s, %v", body, err)
		}
	}
	wantRequests(t, b.reg, "GET /v2/", b.manifestLine())
	b.reg.ResetRequests()
	content := verified.Content{Digest: b.pushed.Layers[0], Size: int64(len(b.data))}
	var got sink
	if fetched, err := f.CopyBlob(t.Context(), parse(b.byDigest()), content, &got); err != nil || !fetched || !bytes.Equal(got.Bytes(), b.data) {
		t.Errorf("%d bytes, %v", got.Len(), err)
	}
	wantRequests(t, b.reg, b.blobLine())
	var offline *fetch.OfflineError
	if _, err := b.offline(t).CopyBlob(t.Context(), parse(b.byDigest()), content, &got); !errors.As(err, &offline) {
		t.Errorf("got %v", err)
	}
	if _, err := b.offline(t).ManifestOf(t.Context(), parse(b.refOf(ociref.DigestOf(nil)))); !errors.As(err, &offline) {
		t.Errorf("got %v", err)
	}
}
