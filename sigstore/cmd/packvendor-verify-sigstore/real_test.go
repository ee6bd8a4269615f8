package main

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	protobundle "github.com/sigstore/protobuf-specs/gen/pb-go/bundle/v1"
	protocommon "github.com/sigstore/protobuf-specs/gen/pb-go/common/v1"
	"github.com/sigstore/sigstore-go/pkg/verify"
	"google.golang.org/protobuf/encoding/protojson"
)

// sigstoreFile reads a file of sigstore-go's module.
func sigstoreFile(t *testing.T, name string) []byte {
	t.Helper()
	dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/sigstore/sigstore-go").Output()
	check(t, err)
	data, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(dir)), filepath.FromSlash(name)))
	check(t, err)
	return data
}

// realBundle returns a bundle that GitHub Actions once made, as version 0.3 writes it. Its
// statement is about a SHA-512.
func realBundle(t *testing.T) []byte {
	t.Helper()
	b := &protobundle.Bundle{}
	check(t, protojson.Unmarshal(sigstoreFile(t, "pkg/testing/data/bundles/sigstore.js@2.0.0-provenance.sigstore.json"), b))
	b.MediaType = bundleMediaType
	leaf := b.VerificationMaterial.GetX509CertificateChain().GetCertificates()[0]
	b.VerificationMaterial.Content = &protobundle.VerificationMaterial_Certificate{
		Certificate: &protocommon.X509Certificate{RawBytes: leaf.RawBytes},
	}
	return marshalBundle(t, b)
}

const realSum = "46d4e2f74c4877316640000a6fdf8a8b59f1e0847667973e9859f774dd31b8f1e0937813b777fb66a2ac67d50540fe34640966eee9fc2ccca387082b4c85cd3c"

// The public service's bundle is verified with its root, without network.
func TestRealBundle(t *testing.T) {
	forbidNetwork(t)
	roots, err := readRoots(sigstoreFile(t, "pkg/testing/data/trusted-roots/public-good.json"))
	check(t, err)
	b, leaf, err := readBundle(realBundle(t))
	check(t, err)
	sum, err := hex.DecodeString(realSum)
	check(t, err)
	result, err := satisfies(b, verify.ArtifactDigest{Algorithm: "sha512", Digest: sum}, roots[0])
	check(t, err)
	got, err := describe(b, leaf, result)
	check(t, err)
	if !strings.HasPrefix(string(got.Payload), `{"_type":"https://in-toto.io/Statement/v1","subject":[{"name":"pkg:npm/sigstore@2.0.0",`) {
		t.Errorf("%.200s", got.Payload)
	}
	got.Payload = nil
	text, err := json.Marshal(got)
	check(t, err)
	const want = `{"payload":null,"issuer":"https://token.actions.githubusercontent.com",` +
		`"subject":"https://github.com/sigstore/sigstore-js/.github/workflows/release.yml@refs/heads/main",` +
		`"repository":"https://github.com/sigstore/sigstore-js","repository_id":"495574555","owner_id":"71096353",` +
		`"ref":"refs/heads/main","trigger":"push","runner_environment":"github-hosted","time":"2023-08-18T16:05:35Z"}`
	if string(text) != want {
		t.Errorf("\n%s\n%s", text, want)
	}
}

// The whole program refuses it about a SHA-256, at the last check, and with another root at
// the first.
func TestRealBundleAboutAnother(t *testing.T) {
	forbidNetwork(t)
	for name, want := range map[string]string{
		"public-good.json": "failed to verify signature: provided artifact digests does not match digests in statement",
		"scaffolding.json": "failed to verify log inclusion: not enough verified log entries from transparency log: 0 < 1",
	} {
		root := sigstoreFile(t, "pkg/testing/data/trusted-roots/"+name)
		if got := reasonOf(t, realBundle(t), root, ours); got != want {
			t.Errorf("%s: %q, not %q", name, got, want)
		}
	}
}

// Bundles as sigstore-go's tests have them are of older versions, or sign no envelope.
func TestOlderBundles(t *testing.T) {
	root := sigstoreFile(t, "pkg/testing/data/trusted-roots/public-good.json")
	for name, want := range map[string]string{
		"sigstore.js@2.0.0-provenance.sigstore.json": `bundle: media type "application/vnd.dev.sigstore.bundle+json;version=0.1", not ` + bundleMediaType,
		"dsse-2sigs.sigstore.json":                   `bundle: media type "application/vnd.dev.sigstore.bundle+json;version=0.1", not ` + bundleMediaType,
		"othername.sigstore.json":                    "bundle: no dsseEnvelope",
	} {
		if got := reasonOf(t, sigstoreFile(t, "pkg/testing/data/bundles/"+name), root, ours); got != want {
			t.Errorf("%s: %q, not %q", name, got, want)
		}
	}
}

// forbidNetwork makes each request of the test over HTTP, and each look-up of a name, fail it.
func forbidNetwork(t *testing.T) {
	transport, resolver := http.DefaultTransport, net.DefaultResolver
	t.Cleanup(func() { http.DefaultTransport, net.DefaultResolver = transport, resolver })
	http.DefaultTransport = roundTripper(func(r *http.Request) (*http.Response, error) {
		t.Errorf("a request to %s", r.URL)
		return nil, errors.New("no network")
	})
	net.DefaultResolver = &net.Resolver{PreferGo: true, Dial: func(_ context.Context, _, address string) (net.Conn, error) {
		t.Errorf("a look-up at %s", address)
		return nil, errors.New("no network")
	}}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
