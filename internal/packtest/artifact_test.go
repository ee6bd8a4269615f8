package packtest

import (
	"fmt"
	"testing"

	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/packtest/internal/reply"
)

func TestArtifactForms(t *testing.T) {
	r := StartRegistry(t, Options{})
	negative := int64(-1)
	empty := `"config":{"mediaType":"application/vnd.oci.empty.v1+json","digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","size":2,"data":"e30="}`
	zip := `"mediaType":"application/vnd.greentic.gtpack.v1+zip","digest":"sha256:4a60bf7d4bc1e485744cf7e8d0860524752fca1ce42331be7c439fd23043f151","size":2`
	for name, test := range map[string]struct {
		artifact  Artifact
		mediaType string
		manifest  string
	}{
		"zero": {Artifact{}, ManifestMediaType,
			`{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json",` + empty + `,"layers":[]}`},
		"pack": {Pack([]byte("zz"), "/abs/a.gtpack"), ManifestMediaType,
			`{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","artifactType":"application/vnd.greentic.gtpack.v1+zip",` + empty +
				`,"layers":[{` + zip + `,"annotations":{"org.opencontainers.image.title":"/abs/a.gtpack"}}]}`},
		"artifact manifest": {Artifact{Kind: OCIArtifact, Layers: []Layer{{Data: []byte("zz")}}}, ociArtifact,
			`{"mediaType":"application/vnd.oci.artifact.manifest.v1+json","blobs":[{` + zip + `}]}`},
		"docker": {Artifact{Kind: DockerSchema2, OmitMediaType: true, Annotations: map[string]string{"a": "b"}}, dockerManifest,
			`{"schemaVersion":2,"config":{"mediaType":"application/vnd.docker.container.image.v1+json","digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","size":2},"layers":[],"annotations":{"a":"b"}}`},
		"lies": {Artifact{MediaType: "application/x", ConfigMediaType: "application/y", Layers: []Layer{{
			MediaType: "text/markdown", Title: "README.md", Annotations: map[string]string{"a": "b"}, Data: []byte("zz"),
			Digest: "sha512:00", Size: &negative, URLs: []string{"https://example.com"}, InlineData: []byte("in"),
		}}}, "application/x",
			`{"schemaVersion":2,"mediaType":"application/x","config":{"mediaType":"application/y","digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","size":2},` +
				`"layers":[{"mediaType":"text/markdown","digest":"sha512:00","size":-1,"urls":["https://example.com"],"annotations":{"a":"b","org.opencontainers.image.title":"README.md"},"data":"aW4="}]}`},
	} {
		t.Run(name, func(t *testing.T) {
			pushed := MustPush(t, r, "x", "t", test.artifact)
			if got := string(pushed.Manifest); got != test.manifest {
				t.Errorf("manifest =\n%s\nwant\n%s", got, test.manifest)
			}
			reply.WantHeader(t, reply.Ask(t, r, "GET", "/v2/x/manifests/t"), "Content-Type", test.mediaType)
		})
	}
	_, err := r.Push("x", "", Artifact{Kind: 7})
	reply.WantError(t, err, "test artifact: unknown kind of manifest 7")
}

func TestPushIndex(t *testing.T) {
	r := StartRegistry(t, Options{})
	a := MustPush(t, r, "x", "", Artifact{})
	gone := Child{Digest: ociref.DigestOf(nil), Size: 5, MediaType: "application/gone"}
	full := a.Child()
	full.Platform = &Platform{Architecture: "amd64", OS: "linux"}
	pushed, err := r.PushIndex("x", "multi", []Child{{Digest: a.ManifestDigest}, full, gone})
	if err != nil {
		t.Fatal(err)
	}
	want := fmt.Sprintf(`{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[`+
		`{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"%[1]s","size":%[2]d},`+
		`{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"%[1]s","size":%[2]d,"platform":{"architecture":"amd64","os":"linux"}},`+
		`{"mediaType":"application/gone","digest":"%[3]s","size":5}]}`, a.ManifestDigest, len(a.Manifest), gone.Digest)
	got := reply.Ask(t, r, "GET", "/v2/x/manifests/multi")
	reply.Want(t, got, 200, want)
	reply.WantHeader(t, got, "Content-Type", pushed.MediaType)
	_, err = r.PushIndex("x", "", []Child{{Digest: gone.Digest}})
	reply.WantError(t, err, "child of test index: manifest "+gone.Digest.String()+" of x: file does not exist")
}
