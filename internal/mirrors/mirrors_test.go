package mirrors

import (
	"fmt"
	"reflect"
	"testing"

	"github.com/greenticai/packvendor/internal/ociref"
)

const digest = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

func reference(t testing.TB, s string) ociref.Reference {
	t.Helper()
	ref, err := ociref.Parse(s)
	if err != nil {
		t.Fatal(err)
	}
	return ref
}

// config returns the rules of a text.
func config(t testing.TB, text string) *Config {
	t.Helper()
	f, err := Parse("f.conf", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return Merge(f)
}

// Which prefix matches which repository, and what follows it.
func TestMatch(t *testing.T) {
	const none = "none"
	for _, test := range []struct{ prefix, ref, rest string }{
		{"reg.example", "reg.example/a/b:1", "/a/b"},
		{"reg.example", "reg.example.com/a", none},
		{"reg.example", "a.reg.example/a", none},
		{"reg.example", "b.example/reg.example", none},
		{"reg.example", "reg.example:5000/a", ":5000/a"}, // as the library has it
		{"reg.example:5000", "reg.example:5000/a", "/a"},
		{"reg.example:5000", "reg.example:50001/a", none},
		{"reg.example:5000", "reg.example/a", none},
		{"reg.example:500", "reg.example:5000/a", none},
		{"reg.example/a", "reg.example/a", ""},
		{"reg.example/a", "reg.example/a:1", ""},
		{"reg.example/a", "reg.example/a@" + digest, ""},
		{"reg.example/a", "reg.example/a/b/c", "/b/c"},
		{"reg.example/a", "reg.example/ab", none},
		{"reg.example/a", "reg.example/a-b", none},
		{"reg.example/a", "reg.example/b/a", none},
		{"reg.example/a/b", "reg.example/a", none},
		{"reg.example/a:1", "reg.example/a:1", none}, // Podman and Skopeo ask about the repository
		{"reg.example/a@" + digest, "reg.example/a@" + digest, none},
		{"", "reg.example/a", none},
		{"reg", "reg.example/a", none},
		{"localhost", "localhost/a", "/a"},
		{"[::1]:5000", "[::1]:5000/a", "/a"},
		{"[2001:db8::1]", "[2001:DB8::1]:443/a", "/a"},

		{"*.example", "reg.example/a", "/a"},
		{"*.example", "a.b.example/a/b:1", "/a/b"},
		{"*.example", "a.example:5000/a", ":5000/a"},
		{"*.example.com", "example.com/a", none},
		{"*.example.com", "badexample.com/a", none},
		{"*.example.com", "a.example.company/a", none},
		{"*.example.com", "a.example.com.evil/a", none},
		{"*.example.com", "b.example/a.example.com", none},
		{"*.example.com", "a.example.com.example.com/a", "/a"},
		{"*.example.com", "A.Example.Com/a", "/a"},
		{"*.", "a.b/a", none},
		{"*", "reg.example/a", none},
		{"*example.com", "a.example.com/a", none},
		{"a.*.example", "a.b.example/a", none},

		// The same registry in another spelling.
		{"reg.example/a", "REG.example/a", ""},
		{"reg.example/a", "reg.example:443/a", ""},
		{"reg.example/a", "reg.example:0443/a", ""},
		{"reg.example:443/a", "reg.example:443/a", ""},
		{"reg.example:443/a", "reg.example/a", none},
		{"REG.example/a", "REG.example/a", ""},
		{"docker.io", "index.docker.io/a/b", "/a/b"},
		{"docker.io", "registry-1.docker.io/a/b", "/a/b"},
		{"docker.io/a", "registry-1.docker.io/a/b", "/b"},
		{"index.docker.io", "index.docker.io/a/b", "/a/b"},
		{"docker.io/library/a", "docker.io/a", none},
	} {
		c := &Config{Rules: []Rule{{Prefix: test.prefix}}}
		r, rest := c.find(reference(t, test.ref))
		if r == nil {
			rest = none
		}
		if rest != test.rest {
			t.Errorf("prefix %q, reference %s: got %q, want %q", test.prefix, test.ref, rest, test.rest)
		}
	}
}

// Of the rules that match, that with the longest prefix counts.
func TestRule(t *testing.T) {
	c := config(t, `
[[registry]]
location = "reg.example"
[[registry]]
location = "reg.example/a/b"
[[registry]]
location = "reg.example/a"
[[registry]]
location = "x.example.com"
[[registry]]
prefix = "*.example.com"
[[registry]]
prefix = "*.com"
[[registry]]
location = "abc.com"
`)
	for ref, want := range map[string]string{
		"reg.example/x":         "reg.example",
		"reg.example/a":         "reg.example/a",
		"reg.example/a/x":       "reg.example/a",
		"reg.example/a/b":       "reg.example/a/b",
		"reg.example/a/b/x":     "reg.example/a/b",
		"REG.example:443/a/b/x": "reg.example/a/b",
		"reg.example:5000/a":    "reg.example",
		"x.example.com/a":       "*.example.com", // of one length: *. wins
		"y.example.com/a":       "*.example.com",
		"y.com/a":               "*.com",
		"abc.com/a":             "abc.com",
		"other.example/a":       "",
	} {
		got := ""
		if r := c.Rule(reference(t, ref)); r != nil {
			got = r.Prefix
		}
		if got != want {
			t.Errorf("%s: got %q, want %q", ref, got, want)
		}
	}
}

// A rule of a later file replaces the rule with the same prefix, whole.
func TestMerge(t *testing.T) {
	parse := func(name, text string) *File {
		f, err := Parse(name, []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	a := parse("a", "[[registry]]\nlocation = \"a.example\"\nblocked = true\n[[registry.mirror]]\nlocation = \"m.example\"\n[[registry]]\nlocation = \"c.example\"")
	b := parse("b", "[[registry]]\nlocation = \"b.example\"\n[[registry]]\nprefix = \"a.example\"\nlocation = \"d.example\"")
	old := parse("old", "[registries.search]\nregistries = [\"a.example\"]")
	want := &Config{
		Files:    []string{"a", "old", "b"},
		Version1: []string{"old"},
		Rules: []Rule{
			{Prefix: "a.example", Endpoint: Endpoint{Location: "d.example", Position: Position{"b", 3}}},
			{Prefix: "b.example", Endpoint: Endpoint{Location: "b.example", Position: Position{"b", 1}}},
			{Prefix: "c.example", Endpoint: Endpoint{Location: "c.example", Position: Position{"a", 5 + 1}}},
		},
	}
	if got := Merge(a, old, b); !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v\nwant %+v", got, want)
	}
	if got := Merge(b, a).Rule(reference(t, "a.example/x")); got == nil || !got.Blocked || len(got.Mirrors) != 1 {
		t.Errorf("the other way round: %+v", got)
	}
	if got := Merge(); !reflect.DeepEqual(got, &Config{}) {
		t.Errorf("of no files: %+v", got)
	}
}

// A file may have thousands of rules, and a project thousands of packs: for each rule, the
// search compares alone, and allocates nothing.
func TestRuleOfMany(t *testing.T) {
	ref := reference(t, "GHCR.io/greenticai/slack:1.0.0")
	allocations := func(rules int) float64 {
		c := &Config{}
		for i := range rules {
			c.Rules = append(c.Rules, Rule{Prefix: fmt.Sprintf("registry-%d.example", i)})
		}
		return testing.AllocsPerRun(10, func() { c.Rule(ref) })
	}
	if one, many := allocations(1), allocations(1000); many > one {
		t.Errorf("%v allocations with one rule, %v with a thousand", one, many)
	}
}
