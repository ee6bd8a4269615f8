package packsfile

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"

	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/packtest/signing"
)

// inlineKey returns a key as packs.toml has it.
func inlineKey(seed byte) string { return signing.Base64(signing.Ed25519(seed).SPKI()) }

// keys returns a reader of key files.
func keys(files map[string][]byte) func(string) ([]byte, error) {
	return func(name string) ([]byte, error) {
		if data, ok := files[name]; ok {
			return data, nil
		}
		return nil, &fs.PathError{Op: "open", Path: "/somewhere/" + name, Err: fs.ErrNotExist}
	}
}

func TestTrustPolicy(t *testing.T) {
	text := `
[trust]
root = "keys/root.jsonl"
[trust.signers]
greentic = { key = "./keys/one.pub" }
two = { key = "` + inlineKey(2) + `", only = ["` + digest + `"], names = ["ghcr.io/o/staging/**"] }
ci = { repository = "github.com/greenticai/packs", repository_id = 123456, workflow = ".github/workflows/publish.yml", refs = ["refs/tags/**"], self_hosted = true }
other = { issuer = "https://login.example.com", identity = "release@example.com" }
[trust.rules]
"ghcr.io/o/**" = ["greentic", "two", "ci", "other"]
"**" = []
`
	f, err := Parse("packs.toml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	if f.Trust.Line != 2 || f.Trust.Root != "keys/root.jsonl" || f.Trust.Signers[0].KeyFile != "keys/one.pub" || f.Trust.Signers[1].KeyFile != "" ||
		f.Trust.Signers[3].Line != 8 || f.Trust.Rules[1].Line != 11 {
		t.Errorf("%+v", f.Trust)
	}
	p, err := f.Trust.Policy(keys(map[string][]byte{"keys/one.pub": signing.Ed25519(1).PEM()}))
	if err != nil {
		t.Fatal(err)
	}
	ref, _ := ociref.Parse("ghcr.io/o/x:1")
	m, err := p.Match(ref)
	var got []string
	for _, s := range m.Signers {
		got = append(got, fmt.Sprintf("%s %s %v", s.Name, s.ID(), s.Only))
	}
	want := []string{
		"greentic " + signing.Ed25519(1).Identity() + " []",
		"two " + signing.Ed25519(2).Identity() + " [" + digest + "]",
		"ci github.com/greenticai/packs/.github/workflows/publish.yml#123456 []",
		"other https://login.example.com#release@example.com []",
	}
	if err != nil || strings.Join(got, "\n") != strings.Join(want, "\n") || !m.Signers[2].Workflow.SelfHosted {
		t.Errorf("%v, got\n%s\nwant\n%s", err, strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	var none *Trust
	if p, err := none.Policy(nil); err != nil || p.HasRules() {
		t.Errorf("no table: %v, %v", p, err)
	}
}

// Policy reports every key at once, at its line.
func TestTrustPolicyErrors(t *testing.T) {
	text := `
trust.signers.a.key = "a.pub"
trust.signers.b.key = "b.pub"
trust.signers.c = { only = ["` + digest + `"], key = "c.pub" }
trust.signers.d.key = "d.pub"
trust.signers.e.key = "` + inlineKey(1) + `"
trust.signers.f.key = "` + inlineKey(2) + `"
trust.signers.g.key = "g.pub"
`
	f, err := Parse("packs.toml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{
		"a.pub": signing.Ed25519(1).PEM(),
		"b.pub": []byte("no key"),
		"c.pub": []byte("-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VuAyEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n-----END PUBLIC KEY-----\n"),
		"g.pub": signing.Ed25519(2).PEM(),
	}
	_, err = f.Trust.Policy(func(name string) ([]byte, error) {
		if name == "b.pub" {
			return nil, errors.New("b.pub is a link\nto something")
		}
		return keys(files)(name)
	})
	want := `packs.toml:3: trust.signers.b.key: the file "b.pub" cannot be read: b.pub is a link\nto something
packs.toml:4: trust.signers.c.key: the file "c.pub" has no key that can be used: a key of algorithm 1.3.101.110 is not supported yet: use Ed25519, ECDSA P-256, or RSA of 2048 to 4096 bits with the exponent 65537
packs.toml:5: trust.signers.d.key: the file "d.pub" does not exist
packs.toml:6: trust.signers.e: the same signer as a
packs.toml:8: trust.signers.g: the same signer as f`
	var errs Errors
	if !errors.As(err, &errs) || err.Error() != want || errs[0].Newer || !errs[1].Newer {
		t.Errorf("got\n%v\nwant\n%s", err, want)
	}
}

func TestParseTrust(t *testing.T) {
	good := "[trust.rules]\n'**' = []\n"
	for text, want := range map[string]string{
		good:                            "<nil>",
		"":                              "org.toml:1: trust: has no rules: without [trust.rules] the file asks for nothing",
		"trust.signers.a.key = 'a.pub'": "org.toml:1: trust: has no rules: without [trust.rules] the file asks for nothing",
		"embed.dir = 'x'\n" + good:      `org.toml:1: unknown key "embed": this file holds the table [trust] alone`,
		"[trast]":                       "org.toml:1: trust: has no rules: without [trust.rules] the file asks for nothing\n" + `org.toml:1: unknown key "trast": did you mean "trust"?: this file holds the table [trust] alone`,
		"[trust":                        `org.toml:1: expected "]" after the table's name, not the end of the file`,
		"[trust.rules]\na = ['b']":      "org.toml:2: trust.rules.a: no registry host: write host/repository, like ghcr.io/owner/name\norg.toml:2: trust.rules.a: no signer is named \"b\"",
	} {
		trust, err := ParseTrust("org.toml", []byte(text))
		if fmt.Sprint(err) != want || (err == nil) != (trust != nil) {
			t.Errorf("%q:\n got: %v\nwant: %s", text, err, want)
		}
	}
}
