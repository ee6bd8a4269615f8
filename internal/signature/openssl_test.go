package signature

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/greenticai/packvendor/internal/packtest"
	"github.com/greenticai/packvendor/internal/packtest/signing"
	"github.com/greenticai/packvendor/internal/publickey"
)

// OpenSSL makes keys of each kind, and signs with them what a publisher's script would.
func TestOpenSSL(t *testing.T) {
	program := packtest.NeedProgram(t, "openssl")
	version, err := exec.Command(program, "version").Output()
	if err != nil || !bytes.HasPrefix(version, []byte("OpenSSL 3.")) { // LibreSSL has no -rawin
		packtest.Unable(t, "openssl is %q, not OpenSSL 3: %v", version, err)
	}
	for name, test := range map[string]struct{ make, sign []string }{
		"Ed25519": {
			[]string{"genpkey", "-algorithm", "ed25519", "-out", "key"},
			[]string{"pkeyutl", "-sign", "-rawin", "-inkey", "key", "-in", "signed", "-out", "sig"},
		},
		"ECDSA P-256": {
			[]string{"genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", "key"},
			[]string{"dgst", "-sha256", "-sign", "key", "-out", "sig", "signed"},
		},
		"RSA 3072": {
			[]string{"genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:3072", "-out", "key"},
			[]string{"dgst", "-sha256", "-sign", "key", "-out", "sig", "signed"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			openssl := func(args ...string) {
				t.Helper()
				cmd := exec.Command(program, args...)
				cmd.Dir = dir
				if out, err := cmd.CombinedOutput(); err != nil {
					t.Fatalf("openssl %q: %v\n%s", args, err, out)
				}
			}
			sign := func(message []byte) []byte {
				t.Helper()
				if err := os.WriteFile(filepath.Join(dir, "signed"), message, 0o666); err != nil {
					t.Fatal(err)
				}
				openssl(test.sign...)
				return read(t, filepath.Join(dir, "sig"))
			}
			openssl(test.make...)
			openssl("pkey", "-in", "key", "-pubout", "-out", "key.pub")
			openssl("pkey", "-in", "key", "-pubout", "-outform", "DER", "-out", "key.der")
			key, err := publickey.ParsePEM(read(t, filepath.Join(dir, "key.pub")))
			if err != nil {
				t.Fatal(err)
			}
			if key.Algorithm() != name || !bytes.Equal(key.SPKI(), read(t, filepath.Join(dir, "key.der"))) {
				t.Errorf("the key is %s", key.Algorithm())
			}
			allowed := append(public(t, signer), key)

			payload := signing.NewSimple("", manifest).JSON()
			if v, err := VerifySimple(payload, sign(payload), allowed); err != nil || v.Key != key {
				t.Errorf("%+v, %v", v, err)
			}
			bundle := signing.SignBundle(signing.CosignStatement(manifest).JSON(), foreign)
			bundle.Envelope.Signatures[0].Sig = signing.Base64(sign(signing.PAE(signing.PayloadType, signing.CosignStatement(manifest).JSON())))
			if v, err := VerifyBundle(bundle.JSON(), allowed); err != nil || v.Key != key {
				t.Errorf("%+v, %v", v, err)
			}
			if key.GreenticID() == "" {
				return
			}
			payload = signing.GreenticStatement("a.gtpack", layer).JSON()
			envelope := signing.Sign(payload, foreign)
			envelope.Signatures[0] = signatureBy(key.GreenticID(), signing.Base64(sign(signing.PAE(signing.PayloadType, payload))))
			if v, err := VerifyGreentic(envelope.Annotation(), allowed); err != nil || v.Key != key {
				t.Errorf("%+v, %v", v, err)
			}
		})
	}
}
