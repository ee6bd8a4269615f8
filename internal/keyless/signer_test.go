package keyless

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/greenticai/packvendor/internal/evidence"
	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/packtest"
	"github.com/greenticai/packvendor/internal/signature"
	"github.com/greenticai/packvendor/internal/trust"
)

// A Signer is what evidence asks.
var _ evidence.Keyless = (*Signer)(nil)

func publisher(change func(*trust.Workflow)) *trust.Signer {
	w := &trust.Workflow{
		Repository: "github.com/acme/packs", RepositoryID: 123456, File: ".github/workflows/publish.yml", Refs: []string{"refs/tags/**"},
	}
	if change != nil {
		change(w)
	}
	return &trust.Signer{Name: "ci", Workflow: w}
}

// asking returns a Verifier that has found its program.
func asking(h *Helper) *Verifier {
	return &Verifier{func() (*Helper, error) { return h, nil }}
}

func TestSigner(t *testing.T) {
	q, _, reply := document(t, "workflow")
	refused, _, invalid := document(t, "invalid")
	for name, test := range map[string]struct {
		reply   string
		about   ociref.Digest
		signer  *trust.Signer
		problem signature.Problem // 0 accepts
		want    string
	}{
		"its own":           {reply, q.Digest, publisher(nil), 0, ""},
		"a later owner":     {reply, q.Digest, publisher(func(w *trust.Workflow) { w.RepositoryID++ }), signature.Foreign, "the repository https://github.com/acme/packs has the number 123456, not 123457"},
		"another reference": {reply, q.Digest, publisher(func(w *trust.Workflow) { w.Refs = []string{"refs/heads/main"} }), signature.Foreign, "signed by the workflow of refs/tags/v1.0.0, which is not among the signer's refs"},
		"a person": {reply, q.Digest, &trust.Signer{Account: &trust.Account{Issuer: "https://login.example.com", Identity: workflow.Subject}}, signature.Foreign,
			"the issuer of the signer's identity is https://token.actions.githubusercontent.com, not https://login.example.com"},
		"invalid": {invalid, refused.Digest, publisher(nil), signature.Invalid,
			"not a valid signature: document 1 of the root: failed to verify signature: provided artifact digest does not match any digest in statement; document 2 of the root: failed to verify timestamps: threshold not met for verified signed timestamps: 0 < 1; error: unable to verify signed timestamps: error while verifying signature: x509: ECDSA verification failure"},
	} {
		t.Run(name, func(t *testing.T) {
			payload, err := asking(helper(t, mode{Reply: test.reply})).Signer(t.Context(), test.signer, q.Root).VerifyBundle(q.Bundle, test.about)
			if test.problem == 0 {
				want, wrong := signature.ReadCertified(q.Bundle)
				if err != nil || wrong != nil || string(payload) != string(want) {
					t.Errorf("%q, %v, %v", payload, err, wrong)
				}
				return
			}
			var got *signature.Error
			if payload != nil || !errors.As(err, &got) || got.Problem != test.problem || got.Format != signature.Bundle || err.Error() != test.want {
				t.Errorf("%q, %#v", payload, err)
			}
		})
	}
}

// A broken program is no verdict, nor is the end of the run.
func TestSignerWithoutVerdict(t *testing.T) {
	q, _, reply := document(t, "workflow")
	var verdict *signature.Error
	h := helper(t, mode{Reply: reply, Exit: 1})
	_, err := asking(h).Signer(t.Context(), publisher(nil), q.Root).VerifyBundle(q.Bundle, q.Digest)
	if errors.As(err, &verdict) || !IsUnanswered(err) {
		t.Errorf("%#v", err)
	}
	checkError(t, h, err, "exit status 1")
	ctx, cancel := context.WithCancelCause(t.Context())
	stopped := errors.New("stopped")
	cancel(stopped)
	if _, err := asking(h).Signer(ctx, publisher(nil), q.Root).VerifyBundle(q.Bundle, q.Digest); !errors.Is(err, stopped) {
		t.Errorf("%#v", err)
	}
}

// The program is looked for once, when there is a question. Without it there is no verdict.
func TestVerifierWithoutProgram(t *testing.T) {
	q, _, _ := document(t, "workflow")
	searches := 0
	v := NewVerifier(func() Search {
		searches++
		return Search{Getenv: func(string) string { return "" }}
	})
	first, second := v.Signer(t.Context(), publisher(nil), q.Root), v.Signer(t.Context(), publisher(nil), q.Root)
	if searches != 0 {
		t.Error("searched without a question")
	}
	for _, s := range []*Signer{first, second} {
		_, err := s.VerifyBundle(q.Bundle, q.Digest)
		var missing *NotFoundError
		if !errors.As(err, &missing) || !IsUnanswered(err) {
			t.Errorf("%#v", err)
		}
	}
	if searches != 1 {
		t.Errorf("%d searches", searches)
	}
}

// The whole chain: evidence with a bundle of a workflow is proved with the program's answer.
func TestEvidence(t *testing.T) {
	q, _, reply := document(t, "workflow")
	prove(t, q, helper(t, mode{Reply: reply}))
}

// The same, with the program that sigstore/ makes: .ci/run sets the variable.
func TestRealProgram(t *testing.T) {
	if os.Getenv(Variable) == "" {
		t.Skipf("set %s to the program that `go build -C sigstore ./cmd/...` makes", Variable)
	}
	h, err := Search{Getenv: os.Getenv}.Find()
	if err != nil {
		t.Fatal(err)
	}
	q, _, _ := document(t, "workflow")
	prove(t, q, h)
	q, _, reply := document(t, "invalid")
	_, err = h.Ask(t.Context(), q)
	var invalid *InvalidError
	if !errors.As(err, &invalid) || !strings.Contains(reply, invalid.Reason) {
		t.Errorf("%#v", err)
	}
}

// prove proves evidence with a question's bundle.
func prove(t *testing.T, q Question, h *Helper) {
	t.Helper()
	manifest, err := os.ReadFile(filepath.Join(documents, "manifest.json"))
	if err != nil {
		t.Fatal(err)
	}
	e := &evidence.Evidence{Format: signature.Bundle, Manifest: manifest, Bundle: q.Bundle}
	layer := []byte("the bytes of a pack")
	s := publisher(nil)
	claim := evidence.Claim{
		Signer: s.ID(), Manifest: q.Digest, Layer: ociref.DigestOf(layer), Size: int64(len(layer)), MediaType: packtest.PackMediaType,
	}
	v, err := e.Prove(claim, []evidence.Signer{{ID: s.ID(), Provenance: true, Keyless: asking(h).Signer(t.Context(), s, q.Root)}})
	if err != nil || v.Key != nil || len(v.Subjects) != 1 || v.Subjects[0].Digest != q.Digest {
		t.Errorf("%+v, %v", v, err)
	}
	other := publisher(func(w *trust.Workflow) { w.RepositoryID++ })
	claim.Signer = other.ID()
	_, err = e.Prove(claim, []evidence.Signer{{ID: other.ID(), Keyless: asking(h).Signer(t.Context(), other, q.Root)}})
	var broken *evidence.Error
	if !errors.As(err, &broken) || broken.Link != evidence.Signature ||
		err.Error() != "the repository https://github.com/acme/packs has the number 123456, not 123457" {
		t.Errorf("%v", err)
	}
}
