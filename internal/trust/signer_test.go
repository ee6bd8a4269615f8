package trust

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/greenticai/packvendor/internal/packtest/signing"
)

// workflow returns a right one, changed.
func workflow(change func(*Workflow)) Signer {
	w := &Workflow{
		Repository: "github.com/greenticai/packs", RepositoryID: 123456, File: ".github/workflows/publish.yml",
		Refs: []string{"refs/tags/**", "refs/heads/main"},
	}
	if change != nil {
		change(w)
	}
	return Signer{Name: "ci", Workflow: w}
}

func account(issuer, identity string) Signer {
	return Signer{Name: "ci", Account: &Account{Issuer: issuer, Identity: identity}}
}

func TestSigners(t *testing.T) {
	one := key(t, 1)
	for name, test := range map[string]struct {
		signer Signer
		id     string
		want   string // the error after the signer's path
	}{
		"a key":    {signer: Signer{Name: "ci", Key: one}, id: signing.Ed25519(1).Identity()},
		"workflow": {signer: workflow(nil), id: "github.com/greenticai/packs/.github/workflows/publish.yml#123456"},
		"account":  {signer: account("https://login.example.com", "release@example.com"), id: "https://login.example.com#release@example.com"},

		"nothing":      {signer: Signer{Name: "ci"}, want: ": no key, repository or issuer"},
		"two":          {signer: Signer{Name: "ci", Key: one, Account: &Account{}}, want: ": a signer has one of key, repository and issuer"},
		"another host": {signer: workflow(func(w *Workflow) { w.Repository = "gitlab.com/a/b" }), want: ".repository: the host gitlab.com is not supported yet: only github.com"},
		"a URL": {signer: workflow(func(w *Workflow) { w.Repository = "https://github.com/a/b" }),
			want: `.repository: "https://github.com/a/b" is not github.com/OWNER/NAME`},
		"an owner": {signer: workflow(func(w *Workflow) { w.Repository = "github.com/a" }), want: `.repository: "github.com/a" is not github.com/OWNER/NAME`},
		"too long": {signer: workflow(func(w *Workflow) { w.Repository = "github.com/a/b/c" }), want: `.repository: "github.com/a/b/c" is not github.com/OWNER/NAME`},
		"no id": {signer: workflow(func(w *Workflow) { w.RepositoryID = 0 }),
			want: ".repository_id: missing: GitHub's number of the repository, which a later owner of its name does not have"},
		"no file":      {signer: workflow(func(w *Workflow) { w.File = "" }), want: `.workflow: "" is not .github/workflows/NAME.yml`},
		"another file": {signer: workflow(func(w *Workflow) { w.File = ".github/workflows/../x.yml" }), want: `.workflow: ".github/workflows/../x.yml" is not .github/workflows/NAME.yml`},
		"a pinned file": {signer: workflow(func(w *Workflow) { w.File += "@refs/heads/main" }),
			want: `.workflow: ".github/workflows/publish.yml@refs/heads/main" is not .github/workflows/NAME.yml`},
		"no refs":       {signer: workflow(func(w *Workflow) { w.Refs = nil }), want: `.refs: missing: name the branches and tags that sign, like "refs/tags/**"`},
		"pull requests": {signer: workflow(func(w *Workflow) { w.Refs = []string{"refs/pull/**"} }), want: `.refs: "refs/pull/**": signatures of pull requests never count`},
		"all refs":      {signer: workflow(func(w *Workflow) { w.Refs = []string{"refs/**"} }), want: `.refs: "refs/**" does not begin with refs/heads/ or refs/tags/`},
		"a branch":      {signer: workflow(func(w *Workflow) { w.Refs = []string{"main"} }), want: `.refs: "main" does not begin with refs/heads/ or refs/tags/`},
		"a star inside": {signer: workflow(func(w *Workflow) { w.Refs = []string{"refs/tags/v*"} }), want: `.refs: "refs/tags/v*": a * stands only in /** at the end`},
		"dots":          {signer: workflow(func(w *Workflow) { w.Refs = []string{"refs/heads/../pull/1"} }), want: `.refs: "refs/heads/../pull/1" is not the name of a branch or tag`},
		"an empty ref":  {signer: workflow(func(w *Workflow) { w.Refs = []string{"refs/heads/"} }), want: `.refs: "refs/heads/" is not the name of a branch or tag`},

		"GitHub's issuer": {signer: account("https://token.actions.githubusercontent.com", "x"),
			want: ".issuer: GitHub's: name the workflow with repository, repository_id, workflow and refs instead"},
		"GitHub's, spelt otherwise": {signer: account("https://TOKEN.actions.githubusercontent.com:443/", "x"),
			want: ".issuer: GitHub's: name the workflow with repository, repository_id, workflow and refs instead"},
		"no issuer":      {signer: account("", "x"), want: `.issuer: "" is not a URL with https`},
		"plain HTTP":     {signer: account("http://login.example.com", "x"), want: `.issuer: "http://login.example.com" is not a URL with https`},
		"a fragment":     {signer: account("https://login.example.com#x", "x"), want: `.issuer: "https://login.example.com#x" has a user, a query or a fragment`},
		"an empty one":   {signer: account("https://login.example.com#", "x"), want: `.issuer: "https://login.example.com#" has a user, a query or a fragment`},
		"a query":        {signer: account("https://login.example.com?x", "x"), want: `.issuer: "https://login.example.com?x" has a user, a query or a fragment`},
		"a user":         {signer: account("https://a@login.example.com", "x"), want: `.issuer: "https://a@login.example.com" has a user, a query or a fragment`},
		"a line break":   {signer: account("https://login.example.com\n", "x"), want: `.issuer: "https://login.example.com\n" is not a URL with https`},
		"no identity":    {signer: account("https://login.example.com", ""), want: ".identity: missing"},
		"a pattern":      {signer: account("https://login.example.com", "*@example.com"), want: `.identity: "*@example.com": it is compared exactly, so it has no *`},
		"not ASCII":      {signer: account("https://login.example.com", "é"), want: `.identity: "\u00e9" is not printable ASCII`},
		"retired":        {signer: Signer{Name: "ci", Key: one, Only: []string{digestA.String()}}, id: one.Identity()},
		"good for none":  {signer: Signer{Name: "ci", Key: one, Only: []string{}}, want: ".only: empty: delete the signer, or the list"},
		"a bad digest":   {signer: Signer{Name: "ci", Key: one, Only: []string{"x"}}, want: `.only: digest "x" does not start with "sha256:"`},
		"a layer twice":  {signer: Signer{Name: "ci", Key: one, Only: []string{digestA.String(), digestA.String()}}, want: ".only: " + digestA.String() + " is there twice"},
		"names a tag":    {signer: Signer{Name: "ci", Key: one, Names: []string{"reg.example/a:1"}}, want: `.names: "reg.example/a:1": a rule is for a repository or a digest, not for the tag "1"`},
		"names all":      {signer: Signer{Name: "ci", Key: one, Names: []string{"**"}}, want: `.names: "**" is not HOST/REPOSITORY or PREFIX/**`},
		"names a digest": {signer: Signer{Name: "ci", Key: one, Names: []string{"reg.example/a@" + digestA.String()}}, want: `.names: "reg.example/a@` + digestA.String() + `" is not HOST/REPOSITORY or PREFIX/**`},
		"names twice":    {signer: Signer{Name: "ci", Key: one, Names: []string{"reg.example/a", "REG.example/a"}}, want: `.names: "REG.example/a" is there twice`},
	} {
		p, err := New(Config{Root: "root.jsonl", Signers: []Signer{test.signer}})
		want := "<nil>"
		if test.want != "" {
			want = "trust.signers.ci" + test.want
		}
		if got := fmt.Sprint(err); got != want {
			t.Errorf("%s:\n got: %s\nwant: %s", name, got, want)
		}
		var all Errors
		if errors.As(err, &all) && all[0].Unsupported != (name == "another host") {
			t.Errorf("%s: %+v", name, all[0])
		}
		if err == nil && p.Signers()[0].ID() != test.id {
			t.Errorf("%s: %s, want %s", name, p.Signers()[0].ID(), test.id)
		}
	}
}

func TestSignersTogether(t *testing.T) {
	one := key(t, 1)
	for _, test := range []struct {
		config Config
		want   string
	}{
		{Config{Signers: []Signer{{Name: "a", Key: one}, {Name: "b", Key: key(t, 1)}}}, "trust.signers.b: the same signer as a"},
		{Config{Signers: []Signer{{Name: "a", Key: one}, {Name: "a", Key: key(t, 2)}}}, "trust.signers.a: the name is there twice"},
		{Config{Root: "r", Signers: []Signer{workflow(nil), workflow(nil)}}, "trust.signers.ci: the name is there twice\ntrust.signers.ci: the same signer as ci"},
		{Config{Signers: []Signer{workflow(nil)}}, "trust.signers.ci: signs without a key, and trust.root is missing"},
		{Config{Signers: []Signer{{Name: "Old Key", Key: one}}}, `trust.signers."Old Key": the name must start with a-z and hold only a-z, 0-9, '_' and '-', 64 characters at most`},
		{Config{Signers: []Signer{{Name: "con", Key: one}}}, "trust.signers.con: the name is reserved on Windows"},
		{Config{Signers: []Signer{{Name: "a", Key: one}, {Name: "b", Key: key(t, 2)}}}, "<nil>"},
	} {
		if _, err := New(test.config); fmt.Sprint(err) != test.want {
			t.Errorf("got:\n%v\nwant:\n%s", err, test.want)
		}
	}
}

func TestMayName(t *testing.T) {
	p, err := New(Config{Signers: []Signer{{Name: "a", Key: key(t, 1), Names: []string{"ghcr.io/greenticai/staging/**", "docker.io/acme/a"}}}})
	if err != nil {
		t.Fatal(err)
	}
	s, ours := p.Signers()[0], reference(t, "ghcr.io/greenticai/packs/slack:1.0")
	for named, want := range map[string]bool{
		"ghcr.io/greenticai/packs/slack":                       true,
		"GHCR.io:443/greenticai/packs/slack:0.9":               true,
		"ghcr.io/greenticai/packs/slack@" + digestA.String():   true,
		"ghcr.io/greenticai/staging/slack":                     true,
		"index.docker.io/acme/a":                               true,
		"ghcr.io/greenticai/staging":                           false,
		"ghcr.io/greenticai/stagings/slack":                    false,
		"ghcr.io/greenticai/packs/teams":                       false,
		"docker.io/acme/b":                                     false,
		"localhost:5000/greenticai/packs/slack":                false,
		"ghcr.io/greenticai/packs/slack/x@" + digestA.String(): false,
		"ghcr.io.example/greenticai/packs/slack":               false,
	} {
		if got := s.MayName(ours, reference(t, named)); got != want {
			t.Errorf("%s: %t", named, got)
		}
	}
}

// CheckID takes what ID returns, and nothing else.
func TestCheckID(t *testing.T) {
	ci := workflow(nil)
	for _, s := range []Signer{
		{Key: key(t, 1)}, ci, account("https://login.example.com", "release@example.com"), account("https://login.example.com:8443/a", "a #b"),
	} {
		id := (&s).ID()
		if err := CheckID(id); err != nil {
			t.Errorf("%s %v", id, err)
		}
	}
	const want = "is none of key:sha256:HEX, github.com/OWNER/NAME/.github/workflows/FILE#ID and ISSUER#IDENTITY"
	for _, id := range []string{
		"", "#", "ci", digestA.String(), "key:" + digestA.String() + "0", "key:" + digestA.String() + "#x", ci.ID() + "0000000000000000000",
		ci.ID() + " ", "https://login.example.com", "https://login.example.com#", GitHubIssuer + "#x",
	} {
		if err := CheckID(id); fmt.Sprint(err) != want {
			t.Errorf("%q: %v", id, err)
		}
	}
}

// Check judges all but the keys that nobody has read; New takes no such signer.
func TestCheck(t *testing.T) {
	config := Config{
		Signers: []Signer{{Name: "a", Unread: true}, {Name: "b", Unread: true}, {Name: "c", Key: key(t, 1)}},
		Rules:   []Rule{{Key: "**", Signers: []string{"a", "b", "c"}}},
	}
	if err := Check(config); err != nil {
		t.Error(err)
	}
	if _, err := New(config); fmt.Sprint(err) != "trust.signers.a: no key, repository or issuer\ntrust.signers.b: no key, repository or issuer" {
		t.Error(err)
	}
	config.Signers = []Signer{
		{Name: "a", Unread: true, Account: &Account{}}, {Name: "c", Key: key(t, 1)}, {Name: "d", Key: key(t, 1)}, {Name: "e", Unread: true, Only: []string{}},
	}
	want := `trust.signers.a: a signer has one of key, repository and issuer
trust.signers.d: the same signer as c
trust.signers.e.only: empty: delete the signer, or the list
trust.rules.**: no signer is named "b"`
	if err := Check(config); fmt.Sprint(err) != strings.Replace(want, ".**", `."**"`, 1) {
		t.Errorf("got\n%v\nwant\n%s", err, want)
	}
}
