package trust

import (
	"errors"
	"testing"

	"github.com/greenticai/packvendor/internal/packtest/signing"
	"github.com/greenticai/packvendor/internal/publickey"
)

// published is the identity of the workflow below.
func published(change func(*Identity)) Identity {
	id := Identity{
		Issuer: GitHubIssuer, Subject: "https://github.com/acme/packs/.github/workflows/publish.yml@refs/tags/v1.0.0",
		Repository: "https://github.com/acme/packs", RepositoryID: "123456", OwnerID: "654",
		Ref: "refs/tags/v1.0.0", Trigger: "push", Runner: "github-hosted",
	}
	if change != nil {
		change(&id)
	}
	return id
}

func publisher(change func(*Workflow)) *Signer {
	w := &Workflow{
		Repository: "github.com/acme/packs", RepositoryID: 123456, File: ".github/workflows/publish.yml",
		Refs: []string{"refs/tags/**", "refs/heads/main"},
	}
	if change != nil {
		change(w)
	}
	return &Signer{Name: "ci", Workflow: w}
}

func TestAcceptsWorkflow(t *testing.T) {
	const file = "https://github.com/acme/packs/.github/workflows/publish.yml"
	at := func(ref string) func(*Identity) {
		return func(id *Identity) { id.Subject, id.Ref = file+"@"+ref, ref }
	}
	self := func(w *Workflow) { w.SelfHosted = true }
	for name, test := range map[string]struct {
		change func(*Identity)
		signer func(*Workflow)
		want   string // "" accepts
	}{
		"itself":              {nil, nil, ""},
		"a branch":            {at("refs/heads/main"), nil, ""},
		"a tag with a slash":  {at("refs/tags/slack/v1"), nil, ""},
		"started by hand":     {func(id *Identity) { id.Trigger = "workflow_dispatch" }, nil, ""},
		"another owner's id":  {func(id *Identity) { id.OwnerID = "1" }, nil, ""},
		"self-hosted allowed": {func(id *Identity) { id.Runner = "self-hosted" }, self, ""},
		"hosted all the same": {nil, self, ""},
		"the file of a tag, the source of a branch": {func(id *Identity) { id.Ref = "refs/heads/main" }, nil, ""},

		"another issuer": {func(id *Identity) { id.Issuer = "https://login.example.com" }, nil,
			"the issuer of the signer's identity is https://login.example.com, not https://token.actions.githubusercontent.com"},
		"an issuer with a slash": {func(id *Identity) { id.Issuer += "/" }, nil,
			"the issuer of the signer's identity is https://token.actions.githubusercontent.com/, not https://token.actions.githubusercontent.com"},
		"another workflow": {func(id *Identity) {
			id.Subject = "https://github.com/acme/packs/.github/workflows/test.yml@refs/tags/v1.0.0"
		}, nil, "signed by https://github.com/acme/packs/.github/workflows/test.yml@refs/tags/v1.0.0, not by " + file},
		"a longer name": {func(id *Identity) { id.Subject = file + "x@refs/tags/v1.0.0" }, nil,
			"signed by " + file + "x@refs/tags/v1.0.0, not by " + file},
		"another workflow of another repository": {func(id *Identity) {
			id.Subject = "https://github.com/other/packs/.github/workflows/publish.yml@refs/tags/v1.0.0"
		}, nil, "signed by https://github.com/other/packs/.github/workflows/publish.yml@refs/tags/v1.0.0, not by " + file},
		"a branch with the name of a tag": {at("refs/heads/x@refs/tags/v1"), nil,
			"signed by the workflow of refs/heads/x@refs/tags/v1, which is not among the signer's refs"},
		"a file with the name of ours": {func(id *Identity) { id.Subject = file + "@x.yml@refs/tags/v1.0.0" }, nil,
			"signed by the workflow of x.yml@refs/tags/v1.0.0, which is not among the signer's refs"},
		"our workflow called by another repository": {func(id *Identity) { id.Repository = "https://github.com/other/packs" }, nil,
			"signed for the repository https://github.com/other/packs, not for https://github.com/acme/packs"},
		"a case": {func(id *Identity) { id.Repository = "https://github.com/Acme/packs" }, nil,
			"signed for the repository https://github.com/Acme/packs, not for https://github.com/acme/packs"},
		"no repository": {func(id *Identity) { id.Repository = "" }, nil,
			`signed for the repository "", not for https://github.com/acme/packs`},
		"a later owner of the name": {func(id *Identity) { id.RepositoryID = "123457" }, nil,
			"the repository https://github.com/acme/packs has the number 123457, not 123456"},
		"a number with a zero": {func(id *Identity) { id.RepositoryID = "0123456" }, nil,
			"the repository https://github.com/acme/packs has the number 0123456, not 123456"},
		"no number": {func(id *Identity) { id.RepositoryID = "" }, nil,
			`the repository https://github.com/acme/packs has the number "", not 123456`},
		"another branch": {at("refs/heads/main2"), nil,
			"signed by the workflow of refs/heads/main2, which is not among the signer's refs"},
		"below a branch": {at("refs/heads/main/x"), nil,
			"signed by the workflow of refs/heads/main/x, which is not among the signer's refs"},
		"no tag": {at("refs/tags/"), nil,
			"signed by the workflow of refs/tags/, which is not among the signer's refs"},
		"no reference": {func(id *Identity) { id.Subject = file }, nil,
			`signed by the workflow of "", which is not among the signer's refs`},
		"a pull request": {at("refs/pull/1/merge"), nil,
			"signed by the workflow of refs/pull/1/merge, which is not among the signer's refs"},
		"a pull request, whatever the refs": {at("refs/pull/1/merge"), func(w *Workflow) { w.Refs = []string{"refs/pull/**", "refs/**"} },
			"signed by the workflow of refs/pull/1/merge, which is not among the signer's refs"},
		"the file of a tag, the source of another branch": {func(id *Identity) { id.Ref = "refs/heads/evil" }, nil,
			"signed for refs/heads/evil, which is not among the signer's refs"},
		"the file of a branch, the source of a tag": {func(id *Identity) { id.Subject = file + "@refs/heads/evil" }, nil,
			"signed by the workflow of refs/heads/evil, which is not among the signer's refs"},
		"for a pull request": {func(id *Identity) { id.Trigger = "pull_request" }, nil,
			"started by pull_request: signatures of pull requests never count"},
		"for a target": {func(id *Identity) { id.Trigger = "pull_request_target" }, nil,
			"started by pull_request_target: signatures of pull requests never count"},
		"for a review": {func(id *Identity) { id.Trigger = "pull_request_review" }, nil,
			"started by pull_request_review: signatures of pull requests never count"},
		"no trigger": {func(id *Identity) { id.Trigger = "" }, nil,
			"the certificate does not say what started the workflow"},
		"self-hosted": {func(id *Identity) { id.Runner = "self-hosted" }, nil,
			"signed on a self-hosted runner, and the signer has no self_hosted = true"},
		"no runner": {func(id *Identity) { id.Runner = "" }, self,
			`signed on "", which is no runner that packvendor knows`},
		"a runner with an escape": {func(id *Identity) { id.Runner = "\x1b[1m" }, self,
			`signed on "\x1b[1m", which is no runner that packvendor knows`},
	} {
		t.Run(name, func(t *testing.T) {
			checkAccepts(t, publisher(test.signer), published(test.change), test.want)
		})
	}
}

func checkAccepts(t *testing.T, s *Signer, id Identity, want string) {
	t.Helper()
	err := s.Accepts(id)
	var refusal *IdentityError
	switch {
	case want == "" && err != nil:
		t.Error(err)
	case want != "" && (!errors.As(err, &refusal) || err.Error() != want):
		t.Errorf("%v, not %s", err, want)
	}
}

func TestAcceptsAccount(t *testing.T) {
	s := &Signer{Name: "other", Account: &Account{Issuer: "https://login.example.com", Identity: "release@example.com"}}
	for name, test := range map[string]struct{ issuer, subject, want string }{
		"itself":           {"https://login.example.com", "release@example.com", ""},
		"another issuer":   {"https://login.example.org", "release@example.com", "the issuer of the signer's identity is https://login.example.org, not https://login.example.com"},
		"another identity": {"https://login.example.com", "Release@example.com", "signed by Release@example.com, not by release@example.com"},
		"a longer one":     {"https://login.example.com", "release@example.com.evil", "signed by release@example.com.evil, not by release@example.com"},
		"none":             {"https://login.example.com", "", `signed by "", not by release@example.com`},
	} {
		t.Run(name, func(t *testing.T) {
			checkAccepts(t, s, Identity{Issuer: test.issuer, Subject: test.subject}, test.want)
		})
	}
	checkAccepts(t, &Signer{Account: &Account{}}, Identity{}, `signed by "", not by ""`)
}

// A key is no identity, and who is nobody accepts nobody.
func TestAcceptsKey(t *testing.T) {
	key, err := publickey.ParseSPKI(signing.Ed25519(1).SPKI())
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []*Signer{{Key: key}, {}} {
		checkAccepts(t, s, published(nil), "signed with a certificate, which satisfies no key")
	}
}
