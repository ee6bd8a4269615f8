package main

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/registry"

	"github.com/greenticai/packvendor/internal/packtest"
	"github.com/greenticai/packvendor/internal/packtest/cosign"
	"github.com/greenticai/packvendor/internal/packtest/distribution"
	"github.com/greenticai/packvendor/internal/packtest/signing"
)

// plainDistribution starts the registry of the CNCF, which has no referrers API.
func plainDistribution(t *testing.T) string {
	t.Helper()
	packtest.NeedProgram(t, distribution.Program)
	d, err := distribution.Start(distribution.Options{Dir: t.TempDir(), Plain: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Stop() })
	return d.Host()
}

// withReferrers starts the registry of go-containerregistry, which has that API.
func withReferrers(t *testing.T) string {
	t.Helper()
	s := httptest.NewServer(registry.New(registry.WithReferrersSupport(true), registry.Logger(log.New(io.Discard, "", 0))))
	t.Cleanup(s.Close)
	return strings.TrimPrefix(s.URL, "http://")
}

// A signedProject is one whose packs are in a registry without TLS. It is used by the packvendor of
// this test.
type signedProject struct {
	t    *testing.T
	host string
	dir  string
	oras string
}

func newSignedProject(t *testing.T, host string) *signedProject {
	t.Helper()
	p := &signedProject{t: t, host: host, dir: t.TempDir(), oras: packtest.NeedProgram(t, "oras")}
	p.write("go.mod", goMod)
	p.write("app.go", "package app\n")
	return p
}

func (p *signedProject) write(name, text string) {
	p.t.Helper()
	write(p.t, filepath.Join(p.dir, name), text)
}

func (p *signedProject) read(name string) string {
	p.t.Helper()
	data, err := os.ReadFile(filepath.Join(p.dir, name))
	if err != nil {
		p.t.Fatal(err)
	}
	return string(data)
}

// push pushes a file as a publisher does, and returns the digest of its manifest.
func (p *signedProject) push(repository, file string, args ...string) string {
	p.t.Helper()
	args = append([]string{"push", "--plain-http", "--no-tty", "--disable-path-validation", "--format", "go-template={{.digest}}", "--artifact-type", packtest.PackMediaType}, args...)
	cmd := exec.Command(p.oras, append(args, p.host+"/"+repository+":1.0.0", file+":"+packtest.PackMediaType)...)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	digest, err := cmd.Output()
	if err != nil {
		p.t.Fatalf("oras push: %v\n%s", err, &stderr)
	}
	return string(digest)
}

// packsTOML writes packs.toml: its signers, and of each pack the signer that its rule lists.
func (p *signedProject) packsTOML(signers, packs map[string]string) {
	p.t.Helper()
	text := fmt.Sprintf("insecure_registries = [%q]\n\n[trust.signers]\n", p.host)
	for name, file := range signers {
		text += fmt.Sprintf("%s = { key = %q }\n", name, file)
	}
	rules, refs := "\n[trust.rules]\n", "\n[packs]\n"
	for pack, signer := range packs {
		repository, _, _ := strings.Cut(pack, "@")
		name := repository[strings.LastIndex(repository, "/")+1:]
		rules += fmt.Sprintf("%q = [%q]\n", p.host+"/"+repository, signer)
		refs += fmt.Sprintf("%s = %q\n", name, p.host+"/"+pack)
	}
	p.write("packs.toml", text+rules+refs)
}

// ends runs packvendor without a cache, and demands an exit code and words on standard error.
func (p *signedProject) ends(code int, words []string, args ...string) {
	p.t.Helper()
	args = append(args, "-f", filepath.Join(p.dir, "packs.toml"), "--cache-dir", p.t.TempDir())
	got, stdout, stderr := runWith(p.t, nil, args...)
	if got != code {
		p.t.Fatalf("packvendor %q: exit code %d, not %d\n%s%s", args, got, code, stdout, stderr)
	}
	for _, text := range words {
		if !strings.Contains(stderr, text) {
			p.t.Errorf("packvendor %q: no %q in\n%s", args, text, stderr)
		}
	}
}

func (p *signedProject) lacks(name string) {
	p.t.Helper()
	if _, err := os.Lstat(filepath.Join(p.dir, name)); err == nil {
		p.t.Errorf("there is %s", name)
	}
}

// identityOf returns what packs.lock calls a key in PEM.
func identityOf(t *testing.T, text string) string {
	t.Helper()
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		t.Fatalf("no PEM: %s", text)
	}
	sum := sha256.Sum256(block.Bytes)
	return "key:sha256:" + hex.EncodeToString(sum[:])
}

// The real cosign signs packs with each kind of key, in its newer and its older form, and
// packvendor accepts them under a rule, in registries with and without the referrers API.
func TestCosign(t *testing.T) {
	c := cosign.WithKeys(t)
	for name, start := range map[string]func(*testing.T) string{"distribution": plainDistribution, "go-containerregistry": withReferrers} {
		t.Run(name, func(t *testing.T) { testCosign(t, newSignedProject(t, start(t)), c) })
	}
}

func testCosign(t *testing.T, p *signedProject, c cosign.Cosign) {
	pack := filepath.Join(t.TempDir(), "a.gtpack")
	if err := os.WriteFile(pack, packtest.Zip("acme.a", "1.0.0", 500), 0o666); err != nil {
		t.Fatal(err)
	}
	keys, packs, swapped := map[string]string{}, map[string]string{}, map[string]string{}
	var unsigned []string
	type signature struct{ signer, reference, form string }
	var signatures []signature
	for i, signer := range cosign.Signers {
		public, err := c.PublicKey(signer)
		if err != nil {
			t.Fatal(err)
		}
		keys[signer] = "keys/" + signer + ".pub"
		p.write(keys[signer], string(public))
		for _, form := range []string{"", "-old"} {
			repository := "acme/" + signer + form
			pushed := repository + "@" + p.push(repository, pack)
			packs[pushed], swapped[pushed] = signer, cosign.Signers[(i+1)%len(cosign.Signers)]
			unsigned = append(unsigned, "packs."+signer+form+": no signature yet; ")
			signatures = append(signatures, signature{signer, p.host + "/" + pushed, form})
		}
	}
	p.packsTOML(keys, packs)
	p.ends(4, unsigned)
	p.lacks("packs.lock")
	for _, s := range signatures {
		var args []string
		if s.form != "" {
			args = append(args, cosign.Old)
		}
		if err := c.Sign(t.Context(), s.signer, s.reference, args...); err != nil {
			t.Fatal(err)
		}
	}
	// The keys are in one another's place.
	p.packsTOML(keys, swapped)
	refused := []string{"sigstore-bundle in sha256:", "cosign-simplesigning in sha256:", ": no allowed key signed it\n"}
	p.ends(4, refused)
	p.lacks("packs.lock")
	p.lacks("packs")

	p.packsTOML(keys, packs)
	p.ends(0, []string{"packvendor: 6 packs added"})
	lock := p.read("packs.lock")
	for _, signer := range cosign.Signers {
		if got := strings.Count(lock, fmt.Sprintf("signer = %q\n", identityOf(t, p.read(keys[signer])))); got != 2 {
			t.Errorf("%s signed %d packs of\n%s", signer, got, lock)
		}
		for form, format := range map[string]string{"": "sigstore-bundle", "-old": "cosign-simplesigning"} {
			if file := p.read("packs/" + signer + form + ".evidence"); !strings.HasPrefix(file, `{"version":1,"format":"`+format+`","key":"`) {
				t.Errorf("the evidence is %.60s", file)
			}
		}
	}
	p.ends(0, nil, "verify")
	p.packsTOML(keys, swapped)
	p.ends(4, []string{"signed by " + cosign.ECDSA + " (key:sha256:"}, "verify")
}

// What greentic-distributor-client signed is pushed by oras, as publishers do it, and accepted
// under a rule with the publisher's key. Under one with another key it is not.
func TestGreenticSigned(t *testing.T) {
	t.Parallel()
	shared := filepath.Join("..", "..", "..", "shared", "signed")
	envelope, err := os.ReadFile(filepath.Join(shared, "envelope.json"))
	if err != nil {
		t.Skip("no signed pack beside the project")
	}
	p := newSignedProject(t, plainDistribution(t))
	// The manifest names the file as it is on the command line.
	file, err := filepath.Abs(filepath.Join(shared, "state-memory.gtpack"))
	if err != nil {
		t.Fatal(err)
	}
	digest := p.push("greenticai/state-memory", file, "--annotation", signing.DSSEAnnotation+"="+base64.StdEncoding.EncodeToString(envelope))
	for name, key := range map[string]string{"greentic": "public.pem", "other": "other-public.pem"} {
		public, err := os.ReadFile(filepath.Join(shared, key))
		if err != nil {
			t.Fatal(err)
		}
		p.write("keys/"+name+".pub", string(public))
	}
	keys := map[string]string{"greentic": "keys/greentic.pub", "other": "keys/other.pub"}
	pack := "greenticai/state-memory@" + digest
	p.packsTOML(keys, map[string]string{pack: "other"})
	p.ends(4, []string{
		"packs.state-memory: none of the candidates is a signature by other\n",
		"greentic-dsse in the manifest's annotation dev.greentic.dsse: no allowed key signed it: it names key 34750f98bd59fcfc946da45aaabe933b\n",
	})
	p.lacks("packs.lock")

	p.packsTOML(keys, map[string]string{pack: "greentic"})
	p.ends(0, []string{"packvendor: state-memory: pack ", " is signed by greentic (" + identityOf(t, p.read("keys/greentic.pub")) + ")\n"})
	want := "layer_digest = \"sha256:a7b3152658ade4777b7da4755171868df217a6891e32eda9ce15399718d56d12\"\n"
	if lock := p.read("packs.lock"); !strings.Contains(lock, want) {
		t.Errorf("no %s in\n%s", want, lock)
	}
	p.ends(0, nil, "verify")
}
