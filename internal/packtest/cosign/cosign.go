// Package cosign runs the real cosign, and has what it once wrote.
package cosign

import (
	"bytes"
	"context"
	"embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/greenticai/packvendor/internal/packtest"
	"github.com/greenticai/packvendor/internal/packtest/signing"
)

// Program is the name of cosign, of the version that .ci/tools has.
const Program = "cosign"

// Repository is where the recorded signatures say that the pack is, after HOST/.
const Repository = "greentic/pack"

//go:embed testdata
var recorded embed.FS

// The recorded files. TestCosign in internal/referrers records them again with -update.
const (
	Subject = "subject.json" // the manifest that is signed
	List    = "list.json"    // the index under the tag that lists the bundles

	// Simple is the manifest under the tag sha256-HEX.sig. The three keys have signed its
	// one payload, in the order of [Signers].
	Simple        = "simple.manifest.json"
	SimpleConfig  = "simple.config.json"
	SimplePayload = "simple.payload.json"
)

// Those who signed: what "cosign generate-key-pair" makes, and imported keys.
const (
	ECDSA = "ecdsa" // P-256
	// Ed25519 makes signatures of Ed25519ph (RFC 8032, section 5.1), which plain Ed25519
	// does not verify: GetDefaultLoadOptions in cosign's pkg/cosign/keys.go.
	Ed25519 = "ed25519"
	RSA     = "rsa" // of 2048 bits
)

// Signers are all of them, in the order in which they signed.
var Signers = []string{ECDSA, Ed25519, RSA}

// Key returns the recorded file with a signer's public key, in PEM.
func Key(signer string) string { return signer + ".pub" }

// Bundle returns the recorded file with a signer's bundle.
func Bundle(signer string) string { return signer + ".bundle.json" }

// Artifact returns the recorded file with the manifest of the artifact that holds a
// signer's bundle.
func Artifact(signer string) string { return signer + ".manifest.json" }

// File returns one of the recorded files.
func File(name string) []byte {
	data, err := recorded.ReadFile("testdata/" + name)
	if err != nil {
		panic("packtest: " + err.Error())
	}
	return data
}

// Record replaces one of the recorded files; dir is the folder of this package.
func Record(dir, name string, data []byte) error {
	return os.WriteFile(filepath.Join(dir, "testdata", name), data, 0o666)
}

// A Cosign runs the program with its files, and no others, in a folder.
type Cosign struct {
	Path string // of the program
	Dir  string
}

// A T is the part of *testing.T that WithKeys needs.
type T interface {
	packtest.Skipper
	Context() context.Context
	TempDir() string
}

// WithKeys returns a Cosign that has the private keys of all [Signers]. It skips the test
// unless the variable PACKVENDOR_COSIGN is set: to install cosign takes minutes, so only
// .ci/deep does that.
func WithKeys(t T) Cosign {
	t.Helper()
	if os.Getenv("PACKVENDOR_COSIGN") == "" {
		t.Skipf("PACKVENDOR_COSIGN is not set")
	}
	c := Cosign{Path: packtest.NeedProgram(t, Program), Dir: t.TempDir()}
	if err := c.GenerateKey(t.Context(), ECDSA); err != nil {
		t.Fatalf("%v", err)
	}
	for signer, key := range map[string]*signing.Key{Ed25519: signing.Ed25519(201), RSA: signing.RSA(202, 2048, 65537)} {
		if err := c.ImportKey(t.Context(), signer, key.PrivatePEM()); err != nil {
			t.Fatalf("%v", err)
		}
	}
	return c
}

// GenerateKey makes NAME.key and NAME.pub, of ECDSA with P-256.
func (c Cosign) GenerateKey(ctx context.Context, name string) error {
	return c.run(ctx, "generate-key-pair", "--output-key-prefix", name)
}

// ImportKey makes NAME.key and NAME.pub of a private key in PEM.
func (c Cosign) ImportKey(ctx context.Context, name string, pem []byte) error {
	file := filepath.Join(c.Dir, name+".pem")
	if err := os.WriteFile(file, pem, 0o600); err != nil {
		return err
	}
	return c.run(ctx, "import-key-pair", "--key", file, "--output-key-prefix", name)
}

// PublicKey returns NAME.pub.
func (c Cosign) PublicKey(name string) ([]byte, error) {
	return os.ReadFile(filepath.Join(c.Dir, Key(name)))
}

// Sign signs HOST/REPOSITORY@DIGEST on this machine with a key, without a transparency
// log, and pushes the signature.
func (c Cosign) Sign(ctx context.Context, name, reference string, args ...string) error {
	args = append([]string{"sign", "--key", name + ".key", "--yes", "--use-signing-config=false", "--tlog-upload=false"}, args...)
	return c.run(ctx, append(args, reference)...)
}

// Old makes Sign write a signature of the older form.
const Old = "--new-bundle-format=false"

func (c Cosign) run(ctx context.Context, args ...string) error {
	cmd := exec.CommandContext(ctx, c.Path, args...)
	cmd.Dir = c.Dir
	cmd.Env = append(os.Environ(), "COSIGN_PASSWORD="+packtest.Password, "HOME="+c.Dir, "DOCKER_CONFIG="+c.Dir)
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("cosign %s: %w: %s", args[0], err, bytes.TrimSpace(said.Bytes()))
	}
	return nil
}
