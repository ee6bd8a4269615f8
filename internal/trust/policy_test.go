package trust

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/packtest/signing"
	"github.com/greenticai/packvendor/internal/publickey"
)

var (
	digestA = ociref.DigestOf([]byte("a"))
	digestB = ociref.DigestOf([]byte("b"))
)

func key(t testing.TB, seed byte) *publickey.Key {
	t.Helper()
	k, err := publickey.ParseSPKI(signing.Ed25519(seed).SPKI())
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func reference(t testing.TB, s string) ociref.Reference {
	t.Helper()
	ref, err := ociref.Parse(s)
	if err != nil {
		t.Fatal(err)
	}
	return ref
}

// policy returns a policy with these rules: each for the signer "one", or an exception.
func policy(t testing.TB, keys ...string) *Policy {
	t.Helper()
	config := Config{Signers: []Signer{{Name: "one", Key: key(t, 1)}}}
	for _, k := range keys {
		config.Rules = append(config.Rules, Rule{Key: k, Signers: []string{"one"}})
	}
	p, err := New(config)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// All these are one repository.
func TestSpellings(t *testing.T) {
	for _, spellings := range [][]string{
		{
			"docker.io/acme/packs", "oci://docker.io/acme/packs", "Docker.IO/acme/packs", "docker.io:443/acme/packs", "docker.io:00443/acme/packs",
			"index.docker.io/acme/packs", "oci://INDEX.docker.io:443/acme/packs", "index.docker.io:0443/acme/packs",
			"registry-1.docker.io/acme/packs", "oci://registry-1.docker.io/acme/packs", "Registry-1.Docker.Io/acme/packs", "registry-1.docker.io:443/acme/packs",
			"oci://DOCKER.IO:443/acme/packs", "oci://INDEX.DOCKER.IO/acme/packs",
		},
		{"[2001:db8::1]/a", "[2001:DB8::1]/a", "[2001:db8:0:0:0:0:0:1]/a", "oci://[2001:0db8::0001]:443/a", "[2001:db8::0.0.0.1]:0443/a"},
		{"[::1]:5000/a", "[0:0:0:0:0:0:0:1]:05000/a"},
		{"reg.example:5000/a", "REG.example:05000/a", "oci://Reg.Example:5000/a"},
	} {
		for _, a := range spellings {
			p := policy(t, a)
			for _, b := range spellings {
				if m, err := p.Match(reference(t, b)); err != nil || m.Rule != a {
					t.Errorf("%s does not match the rule %s: %v", b, a, err)
				}
				if a == b {
					continue
				}
				_, err := New(Config{Rules: []Rule{{Key: a}, {Key: b}}})
				if got, want := fmt.Sprint(err), fmt.Sprintf("trust.rules.%q: names the same as %q", b, a); got != want {
					t.Errorf("got  %s\nwant %s", got, want)
				}
			}
		}
	}
	p := policy(t, "docker.io/acme/packs")
	for _, other := range []string{
		"docker.io:5000/acme/packs", "index.docker.io:5000/acme/packs", "docker.io.example/acme/packs", "hub.docker.io/acme/packs",
		"docker.io:80/acme/packs", "docker.io/acme/pack", "docker.io/acme/packs/x", "docker.io/packs",
	} {
		if m, err := p.Match(reference(t, other)); err == nil {
			t.Errorf("%s matches %s", other, m.Rule)
		}
	}
}

func TestMatch(t *testing.T) {
	rules := []string{"**", "reg.example/**", "reg.example/a/**", "reg.example/a/b/**", "reg.example/a/b", "reg.example/a/b@" + digestA.String()}
	for _, test := range []struct {
		rules   []string
		ref     string
		digests []ociref.Digest
		want    string // the rule; "" if none matches
	}{
		// Whole parts of the path.
		{[]string{"reg.example/a/b/**"}, "reg.example/a/b/c", nil, "reg.example/a/b/**"},
		{[]string{"reg.example/a/b/**"}, "reg.example/a/b/c/d:1.0", nil, "reg.example/a/b/**"},
		{[]string{"reg.example/a/b/**"}, "reg.example/a/b", nil, ""},
		{[]string{"reg.example/a/b/**"}, "reg.example/a/bc", nil, ""},
		{[]string{"reg.example/a/b/**"}, "reg.example/a/bc/d", nil, ""},
		{[]string{"reg.example/**"}, "reg.example/a", nil, "reg.example/**"},
		{[]string{"reg.example/**"}, "reg.example:5000/a", nil, ""},
		{[]string{"reg.example/**"}, "sub.reg.example/a", nil, ""},
		{[]string{"oci://REG.example:443/**"}, "reg.example/a", nil, "oci://REG.example:443/**"},
		{[]string{"reg.example/a"}, "reg.example/a", nil, "reg.example/a"},
		{[]string{"reg.example/a"}, "reg.example/a/b", nil, ""},
		{[]string{"**"}, "reg.example/a", nil, "**"},
		{nil, "reg.example/a", nil, ""},
		// The digest before the repository, before the longest prefix, before all.
		{rules, "reg.example/a/b", []ociref.Digest{digestA}, rules[5]},
		{rules, "reg.example/a/b", []ociref.Digest{digestB, digestA}, rules[5]},
		{rules, "reg.example/a/b:1@" + digestA.String(), []ociref.Digest{digestB}, rules[4]},
		{rules, "reg.example/a/b", nil, rules[4]},
		{rules, "reg.example/a/b/c", []ociref.Digest{digestA}, rules[3]},
		{rules, "reg.example/a/bc", nil, rules[2]},
		{rules, "reg.example/b", nil, rules[1]},
		{rules, "other.example/a/b", []ociref.Digest{digestA}, rules[0]},
		{rules[5:], "reg.example/a/b", []ociref.Digest{digestB}, ""},
	} {
		for _, reversed := range []bool{false, true} { // the order in the table does not count
			var list []string
			for _, r := range test.rules {
				if reversed {
					list = append([]string{r}, list...)
				} else {
					list = append(list, r)
				}
			}
			m, err := policy(t, list...).Match(reference(t, test.ref), test.digests...)
			var none *NoRuleError
			if m.Rule != test.want || errors.As(err, &none) != (test.want == "") {
				t.Errorf("%s %v: %q, %v, want %q", test.ref, test.digests, m.Rule, err, test.want)
			}
		}
	}
}

// A pack that is a file is matched by its name, and beside a reference by that as well: the
// rule that asks for a signature counts.
func TestMatchFile(t *testing.T) {
	signed := func(keys ...string) (rules []Rule) {
		for _, key := range keys {
			rules = append(rules, Rule{Key: key, Signers: []string{"s"}})
		}
		return rules
	}
	free := func(keys ...string) (rules []Rule) {
		for _, key := range keys {
			rules = append(rules, Rule{Key: key})
		}
		return rules
	}
	pinned := "reg.example/a@" + digestA.String()
	for _, test := range []struct {
		rules []Rule
		name  string
		ref   string // "" for none
		want  string // the rule; "" if none matches
		none  string // what it does not match
	}{
		{free("path:a"), "a", "", "path:a", ""},
		{free("path:a"), "b", "", "", "path:b"},
		{free("path:a", "path:**"), "b", "", "path:**", ""},
		{append(free("path:a"), signed("path:**", "**")...), "a", "", "path:a", ""},
		{append(free("path:**"), signed("path:a")...), "a", "", "path:a", ""},
		{append(free("path:**"), signed("**")...), "a", "", "path:**", ""},
		{signed("**"), "a", "", "**", ""},
		{free("reg.example/**", "path:5000/a", "path:5000/**"), "a", "", "", "path:a"},
		{free("path:a", "reg.example/**"), "a", "reg.example/a", "path:a", ""},
		{append(free("path:a"), signed("reg.example/**")...), "a", "reg.example/a:1.0", "reg.example/**", ""},
		{append(signed("path:a"), free("reg.example/**")...), "a", "reg.example/a", "path:a", ""},
		{free("path:a"), "a", "reg.example/a", "", "reg.example/a"},
		{free("reg.example/a"), "a", "reg.example/a", "", "path:a"},
		{append(free("path:a", pinned), signed("reg.example/**")...), "a", pinned, "reg.example/**", ""},
		{nil, "a", "", "", "path:a"},
	} {
		p, err := New(Config{Signers: []Signer{{Name: "s", Key: key(t, 1)}}, Rules: test.rules})
		if err != nil {
			t.Fatal(err)
		}
		var ref ociref.Reference
		if test.ref != "" {
			ref = reference(t, test.ref)
		}
		m, err := p.MatchFile(test.name, ref)
		var none *NoRuleError
		if errors.As(err, &none) != (test.want == "") || m.Rule != test.want || none != nil && none.Repository != test.none {
			t.Errorf("%s %s with %v: %q, %v, want %q", test.name, test.ref, test.rules, m.Rule, err, test.want)
		}
		if none != nil && test.none == "path:"+test.name && none.Line != `"path:`+test.name+`" = []` {
			t.Errorf("the line is %s", none.Line)
		}
	}
	for _, ref := range []string{"path:5000/a", "reg.example/a"} {
		if m, err := policy(t, "path:**", "path:a").Match(reference(t, ref)); err == nil {
			t.Errorf("%s matches %s", ref, m.Rule)
		}
	}
}

// A pack that no rule matches is an error with a line that would match it.
func TestNoRule(t *testing.T) {
	for want, signers := range map[string][]Signer{
		`"docker.io/acme/a" = []`:             nil,
		`"docker.io/acme/a" = ["one"]`:        {{Name: "one", Key: key(t, 1)}},
		`"docker.io/acme/a" = ["one", "two"]`: {{Name: "one", Key: key(t, 1)}, {Name: "two", Key: key(t, 2)}},
	} {
		p, err := New(Config{Signers: signers, Rules: []Rule{{Key: "reg.example/**"}}})
		if err != nil {
			t.Fatal(err)
		}
		_, err = p.Match(reference(t, "index.docker.io/acme/a:1.0"))
		var none *NoRuleError
		if !errors.As(err, &none) || none.Line != want || err.Error() != "no rule of [trust.rules] matches docker.io/acme/a" {
			t.Errorf("%v, %+v, want %s", err, none, want)
		}
	}
	if (&Policy{}).HasRules() || !policy(t, "**").HasRules() {
		t.Error("HasRules")
	}
}

// An empty list is an exception; a retired signer is good for its layers alone.
func TestAllowed(t *testing.T) {
	p, err := New(Config{
		Signers: []Signer{
			{Name: "new", Key: key(t, 1)},
			{Name: "old", Key: key(t, 2), Only: []string{digestA.String()}},
			{Name: "unused", Key: key(t, 3)},
		},
		Rules: []Rule{{Key: "reg.example/**", Signers: []string{"old", "new"}}, {Key: "reg.example/free/**", Signers: []string{}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	names := func(signers []*Signer) string {
		var names []string
		for _, s := range signers {
			names = append(names, s.Name)
		}
		return strings.Join(names, " ")
	}
	m, err := p.Match(reference(t, "reg.example/a"))
	if err != nil || m.IsException() || names(m.Signers) != "old new" || names(m.Allowed(digestA)) != "old new" || names(m.Allowed(digestB)) != "new" {
		t.Errorf("%+v, %v", m, err)
	}
	if m, err := p.Match(reference(t, "reg.example/free/a")); err != nil || !m.IsException() || len(m.Allowed(digestA)) != 0 {
		t.Errorf("%+v, %v", m, err)
	}
	if got := names(p.Signers()); got != "new old unused" {
		t.Errorf("signers %s", got)
	}
	if s := p.Signers(); s[0].IsRetired() || !s[1].IsRetired() || s[1].ID() != signing.Ed25519(2).Identity() {
		t.Errorf("%+v", s)
	}
}

func TestRuleErrors(t *testing.T) {
	const stars = "a * stands only in ** and in /** at the end"
	for ruleKey, want := range map[string]string{
		"reg.example/a:1.0":                     `a rule is for a repository or a digest, not for the tag "1.0"`,
		"reg.example/a:1.0@" + digestA.String(): `a rule is for a repository or a digest, not for the tag "1.0"`,
		"reg.example/a@sha256:1":                `digest "sha256:1" has 1 characters after "sha256:", not 64`,
		"reg.example/a@sha512:1":                `digest algorithm "sha512" is not supported: only sha256`,
		"":                                      "no registry host: write host/repository, like ghcr.io/owner/name",
		"acme/a":                                "no registry host: write host/repository, like ghcr.io/owner/name",
		"path:Slack":                            `behind path: stands ** or the name of a pack, and "Slack" must start with a-z and hold only a-z, 0-9, '_' and '-', 64 characters at most`,
		"path:con":                              `behind path: stands ** or the name of a pack, and "con" is reserved on Windows`,
		"path:*":                                `behind path: stands ** or the name of a pack, and "*" must start with a-z and hold only a-z, 0-9, '_' and '-', 64 characters at most`,
		"path:":                                 `behind path: stands ** or the name of a pack, and "" must start with a-z and hold only a-z, 0-9, '_' and '-', 64 characters at most`,
		"acme/**":                               "no registry host: write host/repository, like ghcr.io/owner/name",
		"reg.example":                           "no registry host: write host/repository, like ghcr.io/owner/name",
		"reg.example/":                          "no repository after the registry host",
		"reg.example/A":                         `repository "A": path part "A" is not lower-case letters and digits joined by '.', '_', '__' or '-'`,
		"reg.example//a/**":                     `repository "/a/x" has an empty path part`,
		"https://reg.example/a":                 `scheme "https" is not accepted: write host/repository, or oci://host/repository`,
		"user:secret@reg.example/a":             "a reference holds no user and password",
		"*":                                     stars,
		"***":                                   stars,
		"*/**":                                  stars,
		"*.example/a":                           stars,
		"reg.example/*":                         stars,
		"reg.example/a*":                        stars,
		"reg.example/**/a":                      stars,
		"reg.example/*/b/**":                    stars,
		"reg.example/a/**@" + digestA.String():  stars,
		"reg.example/a:1/**":                    `tag "1/x" is not letters, digits, '_', '.' and '-'`,
		"/**":                                   "no registry host: write host/repository, like ghcr.io/owner/name",
		"reg.example/a@" + digestA.String() + "/**": "a reference holds no user and password",
	} {
		_, err := New(Config{Rules: []Rule{{Key: ruleKey}}})
		want = (&Error{Path: []string{"rules", ruleKey}, Msg: want}).Error()
		if got := fmt.Sprint(err); got != want {
			t.Errorf("%q:\n got: %s\nwant: %s", ruleKey, got, want)
		}
	}
	// All problems at once.
	_, err := New(Config{
		Signers: []Signer{{Name: "greentic", Key: key(t, 1)}},
		Rules:   []Rule{{Key: "reg.example/a", Signers: []string{"gretnic", "greentic", "greentic"}}, {Key: "REG.example/a", Signers: []string{"someone\n"}}},
	})
	want := `trust.rules."reg.example/a": no signer is named "gretnic": did you mean "greentic"?
trust.rules."reg.example/a": "greentic" is there twice
trust.rules."REG.example/a": names the same as "reg.example/a"
trust.rules."REG.example/a": no signer is named "someone\n"`
	var all Errors
	if got := fmt.Sprint(err); got != want || !errors.As(err, &all) || len(all) != 4 {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}

// FuzzScope: no key makes it panic. A key that is accepted without a digest covers its own
// repository, however it is spelt, or what is below it.
func FuzzScope(f *testing.F) {
	for _, seed := range []string{"**", "docker.io/a/**", "[::1]:443/a", "reg.example/a@" + digestA.String(), "oci://REG.example:0443/a", "oci://pRe:0443/a"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, err := parseScope(text)
		if err != nil {
			return
		}
		name := strings.TrimSuffix(text, "**")
		if s.kind == all || s.kind == prefix {
			name += "x"
		}
		if s.kind == all {
			return
		}
		ref, err := ociref.Parse(name)
		if err != nil {
			if s.kind == prefix {
				return // longer than a name may be
			}
			t.Fatalf("%q: %v", text, err)
		}
		if !s.covers(ref.CanonicalName(), []ociref.Digest{ref.Digest}) {
			t.Fatalf("%q does not cover %s", text, ref.CanonicalName())
		}
		again, err := ociref.Parse(ref.CanonicalName())
		if err != nil || again.CanonicalName() != ref.CanonicalName() {
			t.Fatalf("%q: %s, then %s, %v", text, ref.CanonicalName(), again.CanonicalName(), err)
		}
	})
}
