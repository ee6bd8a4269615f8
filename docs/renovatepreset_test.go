package docs_test

import (
	"cmp"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/greenticai/packvendor/packsfile"
)

// A preset is what these tests read of default.json, the preset for Renovate.
type preset struct {
	CustomManagers []customManager
}

// A customManager finds dependencies by regular expressions of RE2, as Go's are:
// https://docs.renovatebot.com/modules/manager/regex/.
type customManager struct {
	ManagerFilePatterns       []string
	MatchStringsStrategy      string
	MatchStrings              []string
	AutoReplaceStringTemplate string
}

// A dependency is a text of packs.toml that Renovate may replace, and what it says.
type dependency struct{ text, name, value, digest string }

func (d dependency) String() string {
	return strings.TrimSuffix(d.name+" "+d.value+" "+d.digest, " ")
}

func readPreset(t *testing.T) preset {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "default.json"))
	var p preset
	if err == nil {
		err = json.Unmarshal(data, &p)
	}
	if err != nil || len(p.CustomManagers) == 0 {
		t.Fatalf("%d managers, %v", len(p.CustomManagers), err)
	}
	return p
}

// dependencies returns all that the managers find in a text, in no order.
func (p preset) dependencies(t *testing.T, text string) (found []dependency) {
	t.Helper()
	for _, m := range p.CustomManagers {
		if m.MatchStringsStrategy != "recursive" {
			t.Fatalf("the strategy %s is not known here", m.MatchStringsStrategy)
		}
		found = append(found, m.recurse(m.MatchStrings, dependency{text: text})...)
	}
	return found
}

// recurse applies each expression to the texts that the one before it found.
func (m customManager) recurse(expressions []string, in dependency) (found []dependency) {
	if len(expressions) == 0 {
		return []dependency{in}
	}
	expression := regexp.MustCompile(expressions[0])
	for _, match := range expression.FindAllStringSubmatch(in.text, -1) {
		out := in
		out.text = match[0]
		for name, field := range map[string]*string{"depName": &out.name, "currentValue": &out.value, "currentDigest": &out.digest} {
			if i := expression.SubexpIndex(name); i >= 0 {
				*field = match[i]
			}
		}
		found = append(found, m.recurse(expressions[1:], out)...)
	}
	return found
}

// The preset finds pins with a tag, and ranges, in each form that a person or "packvendor
// add" writes them in, and nothing else.
func TestPresetForms(t *testing.T) {
	const a, b = "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
	p := readPreset(t)
	for _, test := range []struct {
		name, toml string
		want       []string
	}{
		{"string", `slack = "ghcr.io/o/slack:0.4.1@` + a + `"`, []string{"ghcr.io/o/slack 0.4.1 " + a}},
		{"two lines", "slack = 'ghcr.io/o/slack:v0.4.1@" + a + "'\n\"web\"='ghcr.io/o/web:stable@" + b + "' # pinned",
			[]string{"ghcr.io/o/slack v0.4.1 " + a, "ghcr.io/o/web stable " + b}},
		{"windows", "x = 1\r\nslack = \"h.example/slack:1.0.0-rc.1@" + a + "\"\r\n", []string{"h.example/slack 1.0.0-rc.1 " + a}},
		{"port", `slack = "localhost:5000/slack:0.4.1@` + a + `"`, []string{"localhost:5000/slack 0.4.1 " + a}},
		{"scheme", `slack = "oci://ghcr.io/o/slack:0.4.1@` + a + `"`, []string{"ghcr.io/o/slack 0.4.1 " + a}},
		{"digest alone", `slack = "localhost:5000/slack@` + a + `"`, nil},
		{"tag alone", `slack = { ref = "ghcr.io/o/slack:0.4.1", allow_tags = true }`, nil},
		{"inline", `slack = { layer = "` + b + `", ref = "ghcr.io/o/slack:0.4.1@` + a + `" }`, []string{"ghcr.io/o/slack 0.4.1 " + a}},
		{"one line", `packs = { a = "h.example/a:1.0.0@` + a + `", b = "h.example/b:2.0.0@` + b + `" }`,
			[]string{"h.example/a 1.0.0 " + a, "h.example/b 2.0.0 " + b}},
		{"dotted", `packs.slack.ref = "ghcr.io/o/slack:0.4.1@` + a + `"`, []string{"ghcr.io/o/slack 0.4.1 " + a}},
		{"table", "[packs.slack]\nref = \"ghcr.io/o/slack:0.4.1@" + a + "\"\ngo_name = \"Chat\"", []string{"ghcr.io/o/slack 0.4.1 " + a}},
		{"comments", "# slack = \"ghcr.io/o/slack:0.4.1@" + a + "\"\nslack = \"ghcr.io/o/slack@" + a + "\" # was \"ghcr.io/o/slack:0.4.0@" + b + "\"\n" +
			"  # telco = { ref = \"ghcr.io/o/telco\", version = \"^0.4\" }", nil},
		{"short digest", `slack = "ghcr.io/o/slack:0.4.1@sha256:aaaa"`, nil},

		{"range", `telco = { ref = "ghcr.io/o/telco", version = "^0.4" }`, []string{"ghcr.io/o/telco ^0.4"}},
		{"range first", `telco={version=">=1.2 <2",layer="application/x",ref='ghcr.io/o/telco'}`, []string{"ghcr.io/o/telco >=1.2 <2"}},
		{"range with scheme", `telco = { ref = "oci://ghcr.io/o/telco", version = "^0.4" }`, []string{"ghcr.io/o/telco ^0.4"}},
		{"ranges", "[packs]\na = { ref = \"h.example/a\", version = \"^0.4\" }\nb = { version = \"~2.1\", ref = \"h.example/b\" }\n" +
			"c = \"h.example/c:1.0.0@" + a + "\"\n", []string{"h.example/a ^0.4", "h.example/b ~2.1", "h.example/c 1.0.0 " + a}},
		{"range over lines", "telco = {\n  ref = \"ghcr.io/o/telco\",\n  version = \"^0.4\",\n}", []string{"ghcr.io/o/telco ^0.4"}},
		{"range of a table", "[packs.telco] # x\r\nref = \"ghcr.io/o/telco\"\r\n\r\n# below 1.0\r\nversion = \"^0.4\"\r\n\r\n[packs.web]\r\nversion = \"1\"\r\nref = \"ghcr.io/o/web\"\r\n",
			[]string{"ghcr.io/o/telco ^0.4", "ghcr.io/o/web 1"}},
		{"range beside another table", "[packs.telco]\nref = \"ghcr.io/o/telco:1.0.0@" + a + "\"\n[embed]\nversion = \"^0.4\"\n", []string{"ghcr.io/o/telco 1.0.0 " + a}},
		{"range in dotted keys", "telco.ref = \"ghcr.io/o/telco\"\ntelco.version = \"^0.4\"", nil}, // documented
		{"version of something else", `telco = { ref = "ghcr.io/o/telco", xversion = "^0.4" }`, nil},
	} {
		var got []string
		for _, d := range p.dependencies(t, test.toml) {
			got = append(got, d.String())
		}
		slices.Sort(got)
		if !slices.Equal(got, test.want) {
			t.Errorf("%s: found\n%s\nwant\n%s", test.name, strings.Join(got, "\n"), strings.Join(test.want, "\n"))
		}
	}
}

// Of packs.toml.example the preset finds what packvendor reads there.
func TestPresetExample(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "packs.toml.example"))
	if err != nil {
		t.Fatal(err)
	}
	f, err := packsfile.Parse("packs.toml.example", text)
	if err != nil {
		t.Fatal(err)
	}
	var want, got []string
	for _, pack := range f.Packs {
		ref := pack.Reference
		if pack.Version != "" || ref.Tag != "" && ref.Digest != "" {
			want = append(want, dependency{name: ref.Registry + "/" + ref.Repository, value: cmp.Or(pack.Version, ref.Tag), digest: string(ref.Digest)}.String())
		}
	}
	for _, d := range readPreset(t).dependencies(t, string(text)) {
		got = append(got, d.String())
	}
	slices.Sort(want)
	slices.Sort(got)
	if len(want) < 5 || !slices.Equal(got, want) {
		t.Errorf("found\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// The preset reads packs.toml in any folder, and no other file.
func TestPresetFiles(t *testing.T) {
	for _, m := range readPreset(t).CustomManagers {
		for name, want := range map[string]bool{"packs.toml": true, "my apps/one/packs.toml": true, "packs.toml.example": false, "old-packs.toml": false, "packs_toml": false} {
			got := slices.ContainsFunc(m.ManagerFilePatterns, func(pattern string) bool {
				return regexp.MustCompile(strings.Trim(pattern, "/")).MatchString(name)
			})
			if got != want {
				t.Errorf("%v reads %s: %v", m.ManagerFilePatterns, name, got)
			}
		}
	}
}
