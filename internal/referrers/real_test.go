package referrers_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	ggcr "github.com/google/go-containerregistry/pkg/registry"

	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/packtest"
	"github.com/greenticai/packvendor/internal/packtest/cosign"
	"github.com/greenticai/packvendor/internal/packtest/distribution"
	"github.com/greenticai/packvendor/internal/referrers"
	"github.com/greenticai/packvendor/internal/registry"
	"github.com/greenticai/packvendor/internal/signature"
)

var update = flag.Bool("update", false, "TestCosign: record what cosign writes")

// A server is a registry that other people have written.
type server struct {
	t    *testing.T
	host string // it speaks plain HTTP
	api  bool   // it has the referrers API
}

// onServers runs a test against the registry of the CNCF, which has no referrers API, and
// against that of go-containerregistry, which has it.
func onServers(t *testing.T, test func(*testing.T, server)) {
	t.Helper()
	t.Run("distribution", func(t *testing.T) { test(t, server{t, startDistribution(t).Host(), false}) })
	t.Run("go-containerregistry", func(t *testing.T) {
		s := httptest.NewServer(ggcr.New(ggcr.WithReferrersSupport(true), ggcr.Logger(log.New(io.Discard, "", 0))))
		t.Cleanup(s.Close)
		test(t, server{t, strings.TrimPrefix(s.URL, "http://"), true})
	})
}

func startDistribution(t *testing.T) *distribution.Server {
	t.Helper()
	packtest.NeedProgram(t, distribution.Program)
	d, err := distribution.Start(distribution.Options{Dir: t.TempDir(), Plain: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Stop(); err != nil {
			t.Error(err)
		}
	})
	return d
}

// send makes a request that must be answered with 201 or 202. It returns the Location.
func (s server) send(method, url, contentType string, body []byte) string {
	s.t.Helper()
	if strings.HasPrefix(url, "/") {
		url = "http://" + s.host + url
	}
	req, err := http.NewRequest(method, url, bytes.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("Content-Type", contentType)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	if said, _ := io.ReadAll(resp.Body); resp.StatusCode != http.StatusCreated && resp.StatusCode != http.StatusAccepted {
		s.t.Fatalf("%s %s: %s: %s", method, url, resp.Status, said)
	}
	return resp.Header.Get("Location")
}

// blob pushes a blob.
func (s server) blob(data []byte) {
	s.t.Helper()
	to := s.send("POST", "/v2/"+cosign.Repository+"/blobs/uploads/", "", nil)
	mark := "?"
	if strings.Contains(to, "?") {
		mark = "&"
	}
	s.send("PUT", to+mark+"digest="+ociref.DigestOf(data).String(), "application/octet-stream", data)
}

// manifest pushes a manifest, by its digest or under a tag.
func (s server) manifest(tag, mediaType string, body []byte) {
	s.t.Helper()
	if tag == "" {
		tag = ociref.DigestOf(body).String()
	}
	s.send("PUT", "/v2/"+cosign.Repository+"/manifests/"+tag, mediaType, body)
}

// subject pushes the pack that is signed here. It is always the same.
func (s server) subject() []byte {
	s.t.Helper()
	pushed := packtest.MustPush(s.t, packtest.StartRegistry(s.t, packtest.Options{Plain: true}), "x", "", packtest.Pack([]byte("a pack"), "a.gtpack"))
	s.blob([]byte("a pack"))
	s.blob([]byte("{}"))
	s.manifest("1.0.0", packtest.ManifestMediaType, pushed.Manifest)
	return pushed.Manifest
}

// search searches the server, and returns the candidates with their places and names of
// their payloads.
func (s server) search(subject referrers.Subject, name func([]byte) string) (found []referrers.Candidate, said string) {
	s.t.Helper()
	client := registry.New(registry.Options{Insecure: []string{s.host}, Sleep: soon})
	at := ociref.Reference{Registry: s.host, Repository: cosign.Repository}
	var lines []string
	result := referrers.Search(s.t.Context(), client, subject, func() []ociref.Reference { return []ociref.Reference{at} }, func(c referrers.Candidate) bool {
		found = append(found, c)
		lines = append(lines, fmt.Sprintf("%s %s in %s", c.Format, name(c.Payload), c.Place))
		return false
	})
	slices.Sort(lines) // digests that change with each signature have no order
	if incomplete, ok := result.(*referrers.Incomplete); ok {
		lines = append(lines, incomplete.Error())
	}
	names := strings.NewReplacer(s.host, "HOST", ociref.DigestOf(subject.Manifest).Hex(), "PACK", string(subject.Index), "INDEX")
	if subject.Index == "" {
		names = strings.NewReplacer(s.host, "HOST", ociref.DigestOf(subject.Manifest).Hex(), "PACK")
	}
	return found, names.Replace(strings.Join(lines, "\n"))
}

// place returns where a server has bundles about the pack.
func (s server) place() string {
	if s.api {
		return "the referrers API of HOST/greentic/pack for sha256:PACK"
	}
	return "HOST/greentic/pack:sha256-PACK"
}

// What cosign once wrote is found in registries that other people have written.
func TestRecorded(t *testing.T) {
	t.Parallel()
	onServers(t, func(t *testing.T, s server) {
		subject := s.subject()
		if !bytes.Equal(subject, cosign.File(cosign.Subject)) {
			t.Fatalf("the pack's manifest is not the recorded one: %s", subject)
		}
		names := map[string]string{}
		blobs := []string{cosign.SimplePayload, cosign.SimpleConfig}
		for _, signer := range cosign.Signers {
			blobs = append(blobs, cosign.Bundle(signer))
		}
		for _, name := range blobs {
			s.blob(cosign.File(name))
			names[string(cosign.File(name))] = name
		}
		for _, signer := range cosign.Signers {
			s.manifest("", packtest.ManifestMediaType, cosign.File(cosign.Artifact(signer)))
		}
		tag := packtest.FallbackTag(ociref.DigestOf(subject))
		if !s.api {
			s.manifest(tag, packtest.IndexMediaType, cosign.File(cosign.List))
		}
		s.manifest(tag+".sig", packtest.ManifestMediaType, cosign.File(cosign.Simple))
		found, said := s.search(referrers.Subject{Manifest: subject}, func(payload []byte) string { return names[string(payload)] })
		want := strings.Join([]string{
			"cosign-simplesigning simple.payload.json in HOST/greentic/pack:sha256-PACK.sig",
			"cosign-simplesigning simple.payload.json in HOST/greentic/pack:sha256-PACK.sig",
			"cosign-simplesigning simple.payload.json in HOST/greentic/pack:sha256-PACK.sig",
			"sigstore-bundle ecdsa.bundle.json in " + s.place(),
			"sigstore-bundle ed25519.bundle.json in " + s.place(),
			"sigstore-bundle rsa.bundle.json in " + s.place(),
		}, "\n")
		if said != want {
			t.Fatalf("found:\n%s\nwant:\n%s", said, want)
		}
		seen := map[string]bool{"": true}
		for _, c := range found[3:] {
			if sig := signatureOf(c); seen[sig] {
				t.Errorf("signature %q is missing or there twice", sig)
			}
			seen[signatureOf(c)] = true
		}
	})
}

// signatureOf returns the signature of a candidate of the older form.
func signatureOf(c referrers.Candidate) string {
	return c.Annotations["dev.cosignproject.cosign/signature"]
}

// The real cosign signs, and what it writes is found, and has the shape of what is
// recorded.
func TestCosign(t *testing.T) {
	c := cosign.WithKeys(t)
	onServers(t, func(t *testing.T, s server) {
		subject := s.subject()
		digest := ociref.DigestOf(subject)
		index := fmt.Appendf(nil, `{"schemaVersion":2,"mediaType":%q,"manifests":[{"mediaType":%q,"digest":%q,"size":%d}]}`,
			packtest.IndexMediaType, packtest.ManifestMediaType, digest, len(subject))
		s.manifest("index", packtest.IndexMediaType, index)
		name := s.host + "/" + cosign.Repository + "@"
		signings := [][]string{{cosign.Ed25519, name + ociref.DigestOf(index).String()}}
		for _, signer := range cosign.Signers {
			signings = append(signings, []string{signer, name + digest.String()}, []string{signer, name + digest.String(), cosign.Old})
		}
		for _, args := range signings {
			if err := c.Sign(t.Context(), args[0], args[1], args[2:]...); err != nil {
				t.Fatal(err)
			}
		}
		found, said := s.search(referrers.Subject{Manifest: subject, Index: ociref.DigestOf(index)}, func([]byte) string { return "one" })
		want := strings.Join([]string{
			"cosign-simplesigning one in HOST/greentic/pack:sha256-PACK.sig",
			"cosign-simplesigning one in HOST/greentic/pack:sha256-PACK.sig",
			"cosign-simplesigning one in HOST/greentic/pack:sha256-PACK.sig",
			"sigstore-bundle one in " + s.place(),
			"sigstore-bundle one in " + s.place(),
			"sigstore-bundle one in " + s.place(),
			"sigstore-bundle one in " + strings.Replace(strings.Replace(s.place(), "sha256:PACK", "INDEX", 1), "sha256-PACK", "sha256-"+ociref.DigestOf(index).Hex(), 1),
		}, "\n")
		if said != want {
			t.Fatalf("found:\n%s\nwant:\n%s", said, want)
		}
		written := s.written(c, subject, found)
		if *update && s.api {
			return // the other registry's are recorded: they include the list under the tag
		}
		for file, data := range written {
			if *update {
				if err := cosign.Record(filepath.Join("..", "packtest", "cosign"), file, data); err != nil {
					t.Fatal(err)
				}
				continue
			}
			if got, want := shape(t, data), shape(t, cosign.File(file)); got != want {
				t.Errorf("%s has another shape than what is recorded\n got: %s\nwant: %s", file, got, want)
			}
		}
	})
}

// written returns what cosign has written about the pack, as recorded files.
func (s server) written(c cosign.Cosign, subject []byte, found []referrers.Candidate) map[string][]byte {
	s.t.Helper()
	files := map[string][]byte{cosign.Subject: subject}
	for _, signer := range cosign.Signers {
		pem, err := c.PublicKey(signer)
		if err != nil {
			s.t.Fatal(err)
		}
		files[cosign.Key(signer)] = pem
	}
	for _, candidate := range found {
		switch {
		case candidate.Format == signature.Simple:
			files[cosign.Simple], files[cosign.SimplePayload] = candidate.Manifest, candidate.Payload
		case candidate.Place.Subject != ociref.DigestOf(subject):
		default:
			signer := signerOf(s.t, candidate.Payload)
			files[cosign.Artifact(signer)], files[cosign.Bundle(signer)] = candidate.Manifest, candidate.Payload
		}
	}
	var simple struct{ Config struct{ Digest string } }
	if err := json.Unmarshal(files[cosign.Simple], &simple); err != nil {
		s.t.Fatal(err)
	}
	files[cosign.SimpleConfig] = s.get("/v2/" + cosign.Repository + "/blobs/" + simple.Config.Digest)
	if !s.api {
		files[cosign.List] = s.get("/v2/" + cosign.Repository + "/manifests/" + packtest.FallbackTag(ociref.DigestOf(subject)))
	}
	return files
}

// signerOf returns the signer of a bundle, which the length of its signature tells.
func signerOf(t *testing.T, bundle []byte) string {
	t.Helper()
	var b struct {
		DSSEEnvelope struct{ Signatures []struct{ Sig []byte } }
	}
	if err := json.Unmarshal(bundle, &b); err != nil || len(b.DSSEEnvelope.Signatures) != 1 {
		t.Fatalf("bundle %s: %v", bundle, err)
	}
	switch len(b.DSSEEnvelope.Signatures[0].Sig) {
	case 64:
		return cosign.Ed25519
	case 256:
		return cosign.RSA
	}
	return cosign.ECDSA
}

func (s server) get(path string) []byte {
	s.t.Helper()
	req, err := http.NewRequest("GET", "http://"+s.host+path, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("Accept", packtest.IndexMediaType+", "+packtest.ManifestMediaType)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		s.t.Fatalf("%s: %s, %v", path, resp.Status, err)
	}
	return body
}

// changing are the keys of values that are others in each run.
var changing = []string{
	"digest", "size", "sig", "hint", "sha256", "docker-reference", "docker-manifest-digest", "diff_ids", "created",
	"org.opencontainers.image.created", "dev.cosignproject.cosign/signature",
}

// shape returns a recorded file without what is another in each run.
func shape(t *testing.T, data []byte) string {
	t.Helper()
	if bytes.HasPrefix(data, []byte("-----BEGIN PUBLIC KEY-----\n")) {
		return fmt.Sprintf("a key in %d bytes of PEM", len(data))
	}
	var value any
	if err := json.Unmarshal(data, &value); err != nil {
		t.Fatalf("%s: %v", data, err)
	}
	text, err := json.Marshal(withoutChanging(t, "", value))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func withoutChanging(t *testing.T, key string, value any) any {
	if slices.Contains(changing, key) {
		switch list := value.(type) {
		case map[string]any:
		case []any:
			return len(list)
		default:
			return fmt.Sprintf("%T", value)
		}
	}
	switch value := value.(type) {
	case map[string]any:
		for k, v := range value {
			value[k] = withoutChanging(t, k, v)
		}
	case []any:
		for i, v := range value {
			value[i] = withoutChanging(t, "", v)
		}
	case string:
		if key == "payload" {
			decoded, err := base64.StdEncoding.DecodeString(value)
			if err != nil {
				t.Fatal(err)
			}
			return shape(t, decoded)
		}
	}
	return value
}

// The real oras pushes a manifest that carries its signature.
func TestOras(t *testing.T) {
	t.Parallel()
	packtest.NeedProgram(t, "oras")
	recorded, err := os.ReadFile(filepath.Join("testdata", "oras.json"))
	if err != nil {
		t.Fatal(err)
	}
	var manifest struct{ Annotations map[string]string }
	if err := json.Unmarshal(recorded, &manifest); err != nil {
		t.Fatal(err)
	}
	envelope := manifest.Annotations[signature.GreenticAnnotation]
	if envelope == "" {
		t.Fatal("no envelope is recorded")
	}
	d := startDistribution(t)
	s := server{t, d.Host(), false}
	pack := filepath.Join(t.TempDir(), "state-memory.gtpack")
	if err := os.WriteFile(pack, []byte("a pack"), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := d.OrasPush(t.Context(), "--artifact-type", packtest.PackMediaType, "--annotation", signature.GreenticAnnotation+"="+envelope,
		s.host+"/"+cosign.Repository+":1.0.0", pack+":"+packtest.PackMediaType); err != nil {
		t.Fatal(err)
	}
	pushed := s.get("/v2/" + cosign.Repository + "/manifests/1.0.0")
	found, said := s.search(referrers.Subject{Manifest: pushed}, func(payload []byte) string { return fmt.Sprint(string(payload) == envelope) })
	if want := "greentic-dsse true in the manifest's annotation dev.greentic.dsse"; said != want || len(found) != 1 {
		t.Errorf("found:\n%s\nwant:\n%s", said, want)
	}
}
