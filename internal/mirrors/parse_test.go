package mirrors

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
)

// One table for each thing that a file can say, right or wrong.
func TestParse(t *testing.T) {
	at := func(line int) Position { return Position{File: "f.conf", Line: line} }
	for name, test := range map[string]struct {
		text string
		want []Rule
	}{
		"nothing":        {"", nil},
		"only a comment": {"# [[registry]]\n", nil},
		"a byte order mark": {"\ufeff[[registry]]\nlocation = \"a.example\"\n", []Rule{
			{Prefix: "a.example", Endpoint: Endpoint{Location: "a.example", Position: at(1)}},
		}},
		"the prefix is the location by default": {"[[registry]]\nlocation = \"a.example/x/\"\n", []Rule{
			{Prefix: "a.example/x", Endpoint: Endpoint{Location: "a.example/x", Position: at(1)}},
		}},
		"every key": {`
[[registry]]
prefix = "a.example/x//"
location = "b.example:5000/y"
insecure = true
blocked = true
mirror-by-digest-only = true
namespace-proxy = "p.example"

[[registry.mirror]]
location = "m.example/"
insecure = true
namespace-proxy = "q.example"
`, []Rule{{
			Prefix:       "a.example/x",
			Endpoint:     Endpoint{Location: "b.example:5000/y", Insecure: true, Namespace: "p.example", Position: at(2)},
			Blocked:      true,
			ByDigestOnly: true,
			Mirrors:      []Mirror{{Endpoint: Endpoint{Location: "m.example", Insecure: true, Namespace: "q.example", Position: at(10)}}},
		}}},
		"pull-from-mirror": {`[[registry]]
location = "a.example"
[[registry.mirror]]
location = "m1.example"
[[registry.mirror]]
location = "m2.example"
pull-from-mirror = "all"
[[registry.mirror]]
location = "m3.example"
pull-from-mirror = "digest-only"
[[registry.mirror]]
location = "m4.example"
pull-from-mirror = "tag-only"
[[registry.mirror]]
location = "m5.example"
pull-from-mirror = ""
`, []Rule{{
			Prefix: "a.example", Endpoint: Endpoint{Location: "a.example", Position: at(1)},
			Mirrors: []Mirror{
				{Endpoint: Endpoint{Location: "m1.example", Position: at(3)}},
				{Endpoint: Endpoint{Location: "m2.example", Position: at(5)}, Pull: PullAll},
				{Endpoint: Endpoint{Location: "m3.example", Position: at(8)}, Pull: PullDigestOnly},
				{Endpoint: Endpoint{Location: "m4.example", Position: at(11)}, Pull: PullTagOnly},
				{Endpoint: Endpoint{Location: "m5.example", Position: at(14)}},
			},
		}}},
		"a wildcard needs no location": {"[[registry]]\nprefix = \"*.example\"\n", []Rule{
			{Prefix: "*.example", Endpoint: Endpoint{Position: at(1)}},
		}},
		"a wildcard as location": {"[[registry]]\nlocation = \"*.example\"\n", []Rule{
			{Prefix: "*.example", Endpoint: Endpoint{Location: "*.example", Position: at(1)}},
		}},
		"inline tables": {`registry = [
  { location = "b.example", mirror = [ { location = "m.example" },
    { location = "n.example" } ] }, # one
  { location = "a.example" },
]`, []Rule{
			{Prefix: "a.example", Endpoint: Endpoint{Location: "a.example", Position: at(4)}},
			{Prefix: "b.example", Endpoint: Endpoint{Location: "b.example", Position: at(2)}, Mirrors: []Mirror{
				{Endpoint: Endpoint{Location: "m.example", Position: at(2)}},
				{Endpoint: Endpoint{Location: "n.example", Position: at(3)}},
			}},
		}},
		"keys in any case": {"[[Registry]]\nLOCATION = \"a.example\"\nBlocked = true\n[[Registry.Mirror]]\nLocation = \"m.example\"\n", []Rule{
			{Prefix: "a.example", Endpoint: Endpoint{Location: "a.example", Position: at(1)}, Blocked: true, Mirrors: []Mirror{
				{Endpoint: Endpoint{Location: "m.example", Position: at(4)}},
			}},
		}},
		"the first of one prefix counts": {"[[registry]]\nprefix = \"a.example\"\nlocation = \"b.example\"\n[[registry]]\nprefix = \"a.example/\"\nlocation = \"c.example\"\n", []Rule{
			{Prefix: "a.example", Endpoint: Endpoint{Location: "b.example", Position: at(1)}},
		}},
		"strings of all kinds, and quoted keys": {"a = \"\"\"\n[[registry]]\n\\\"\"\"\"\"\nb = '''\n#'''''\n'c#' = 'x\\' # y\n[[\"registry\"]]\n'location' = \"a.example\" # z\n", []Rule{
			{Prefix: "a.example", Endpoint: Endpoint{Location: "a.example", Position: at(7)}},
		}},
		"what other programs need is ignored": {`
unqualified-search-registries = [1, "not a host"]
credential-helpers = "x"
short-name-mode = "none"
unknown = 1979-05-27 07:32:00Z
[aliases]
"not a short name/" = 7
[[registry]]
location = "a.example"
unknown = { a = [ [1], [] ], b = inf }
`, []Rule{
			{Prefix: "a.example", Endpoint: Endpoint{Location: "a.example", Position: at(8)}},
		}},
		"empty tables of version 1": {"[registries]\n[registries.search]\n[[registry]]\nlocation = \"a.example\"\n", []Rule{
			{Prefix: "a.example", Endpoint: Endpoint{Location: "a.example", Position: at(3)}},
		}},
		"empty array": {"registry = []", nil},
	} {
		t.Run(name, func(t *testing.T) {
			for _, text := range []string{test.text, strings.ReplaceAll(test.text, "\n", "\r\n")} {
				f, err := Parse("f.conf", []byte(text))
				if err != nil {
					t.Fatal(err)
				}
				if f.Name != "f.conf" || f.Version1 || !reflect.DeepEqual(f.Rules, test.want) {
					t.Errorf("got %+v\nwant %+v", f.Rules, test.want)
				}
			}
		})
	}
}

func TestParseErrors(t *testing.T) {
	nested := func(n int) string { return "a = " + strings.Repeat("[", n) + strings.Repeat("]", n) }
	for text, want := range map[string]string{
		"[[registry]\nlocation = \"a.example\"": `f.conf:1: expected "]]" after the table's name, not ']'`,
		"\n[[registry]]\nlocation = a.example":  `f.conf:3: expected value but found "a" instead`,
		"[[registry]]\nlocation = \"a.example":  `f.conf:2: a string is not closed before the end of its line`,
		"a = '''\n\n":                           `f.conf:3: a multi-line string is not closed`,
		"[[registry]]\nlocation \"a.example\"":  `f.conf:2: expected '=' after the key, not '"'`,
		"a = [1":                                `f.conf:1: expected ',' or ']' in an array, not the end of the file`,
		"a = {b = 1\n\n":                        `f.conf:3: expected ',' or '}' in an inline table, not the end of the file`,
		"a =\n":                                 `f.conf:1: expected a value, not the end of the line`,
		"a = 1 b = 2":                           `f.conf:1: expected the end of the line, not '='`,
		"a = \"x\" b":                           `f.conf:1: expected the end of the line, not 'b'`,
		"= 1":                                   `f.conf:1: expected a key, not '='`,
		"a = 1\n\x00":                           `f.conf:2: expected a key, not '\x00'`,
		"a = \"\xff\"":                          `f.conf:1: invalid UTF-8 byte: 0xff`,
		"a = 1\na = 2":                          `f.conf:2: key 'a' has already been defined`,
		"[[registry]]\nlocation = \"a.example\"\nprefix = 1":                `f.conf:3: prefix must be a string`,
		"[[registry]]\nlocation = 1":                                        `f.conf:2: location must be a string`,
		"[[registry]]\nLocation = 1":                                        `f.conf:2: location must be a string`,
		"[[registry]]\nblocked = 1\nlocation = \"a.example\"":               `f.conf:2: blocked must be true or false`,
		"[[registry]]\ninsecure = \"true\"\nlocation = \"a.example\"":       `f.conf:2: insecure must be true or false`,
		"[[registry]]\nlocation = \"a.example\"\nmirror-by-digest-only = 0": `f.conf:3: mirror-by-digest-only must be true or false`,
		"[[registry]]\nlocation = \"a.example\"\nnamespace-proxy = 0":       `f.conf:3: namespace-proxy must be a string`,
		"[[registry]]\nlocation = \"a.example\"\npull-from-mirror = 0":      `f.conf:3: pull-from-mirror must be a string`,
		"registry = 1":                                       `f.conf:1: registry must be an array of tables: write [[registry]]`,
		"\nregistry = [1]":                                   `f.conf:2: registry must be an array of tables: write [[registry]]`,
		"\n[registry]\nlocation = \"a.example\"":             `f.conf:2: registry must be an array of tables: write [[registry]]`,
		"[[registry]]\nlocation = \"a.example\"\nmirror = 1": `f.conf:3: mirror must be an array of tables: write [[registry.mirror]]`,
		"[[registry]]\nlocation = \"a.example\"\n[registry.mirror]\nlocation = \"m.example\"": `f.conf:3: mirror must be an array of tables: write [[registry.mirror]]`,
		"[[registry]]\nLocation = \"a\"\nLOCATION = \"b\"":                                    `f.conf:3: LOCATION and Location are one key`,
		"[[registry]]\nlocation = \"a\"\nblocked = false\nBlocked = true":                     `f.conf:4: Blocked and blocked are one key`,
		"[[Registry]]\nlocation = \"a\"\n[[REGISTRY]]\nlocation = \"b\"":                      `f.conf:3: REGISTRY and Registry are one key`,
		"\n[[registry]]\n":                                                                                  `f.conf:2: [[registry]] has neither prefix nor location`,
		"[[registry]]\nlocation = \"//\"":                                                                   `f.conf:1: [[registry]] has neither prefix nor location`,
		"[[registry]]\nblocked = true\nprefix = \"a.example\"":                                              `f.conf:3: prefix "a.example" without a location: only a prefix like *.example.com can stand alone`,
		"[[registry]]\nlocation = \"https://u:p@a.example\"":                                                `f.conf:2: location "***@a.example": write it without a scheme`,
		"[[registry]]\nlocation = \"http://a.example\"":                                                     `f.conf:2: location "http://a.example": write it without a scheme`,
		"[[registry]]\nlocation = \"a\"\nprefix = \"http://a\"":                                             `f.conf:3: prefix "http://a": write it without a scheme`,
		"[[registry]]\nprefix = \"*.example/x\"":                                                            `f.conf:1: prefix "*.example/x": after *. stands a host without a port and without a path`,
		"[[registry]]\nprefix = \"*.example:5000\"":                                                         `f.conf:1: prefix "*.example:5000": after *. stands a host without a port and without a path`,
		"[[registry]]\nlocation = \"*.example@x\"":                                                          `f.conf:1: prefix "***@x": after *. stands a host without a port and without a path`,
		"[[registry]]\nlocation = \"a\"\npull-from-mirror = \"all\"":                                        `f.conf:3: pull-from-mirror belongs to [[registry.mirror]], not to [[registry]]`,
		"[[registry]]\nlocation = \"a\"\n[[registry.mirror]]\ninsecure = true":                              `f.conf:3: [[registry.mirror]] has no location`,
		"[[registry]]\nlocation = \"a\"\n[[registry.mirror]]\nlocation = \"http://m\"":                      `f.conf:4: location "http://m": write it without a scheme`,
		"[[registry]]\nlocation = \"a\"\n[[registry.mirror]]\nlocation = \"m\"\npull-from-mirror = \"All\"": `f.conf:5: pull-from-mirror = "All": want "all", "digest-only" or "tag-only"`,
		"[[registry]]\nlocation = \"a\"\nmirror-by-digest-only = true\n[[registry.mirror]]\nlocation = \"m\"\npull-from-mirror = \"all\"": `f.conf:6: pull-from-mirror contradicts mirror-by-digest-only = true of the registry`,
		"[[registry]]\nlocation = \"a\"\n[[registry]]\nprefix = \"b\"\nlocation = \"a\"\ninsecure = true":                                 `f.conf:3: "a" has another value of insecure in line 1`,
		"[[registry]]\nlocation = \"a\"\n\n[[registry]]\nprefix = \"b\"\nlocation = \"a\"\nblocked = true":                                `f.conf:4: "a" has another value of blocked in line 1`,
		"[[registry]]\nprefix = \"*.a\"\n[[registry]]\nprefix = \"*.a\"\nblocked = true":                                                  `f.conf:3: "*.a" has another value of blocked in line 1`,
		"[registries.search]\nregistries = []\n[[registry]]\nlocation = \"a\"":                                                            `f.conf:1: [registries.*] is version 1 of the format, and [[registry]] version 2: a file has one of them`,
		nested(16):                                   "f.conf:1: nested more than 16 levels deep",
		nested(100_000):                              "f.conf:1: nested more than 16 levels deep",
		"a = " + strings.Repeat("{a=", 50_000):       "f.conf:1: nested more than 16 levels deep",
		"\n" + strings.Repeat("a.", 50_000):          "f.conf:2: nested more than 16 levels deep",
		"[" + strings.Repeat("a", 1024) + "]\nb = 1": "f.conf:2: a key and the tables around it have more than 1024 bytes",
		strings.Repeat("[a]\n", 50_001):              "f.conf:50001: more than 50000 keys and arrays",
		strings.Repeat("#", 1<<20) + "\n":            "f.conf: the file is larger than 1048576 bytes",
	} {
		f, err := Parse("f.conf", []byte(text))
		if f != nil || fmt.Sprint(err) != want {
			t.Errorf("%.80q\n got: %v\nwant: %s", text, err, want)
		}
	}
}

// A file of version 1 has no rules.
func TestVersion1(t *testing.T) {
	for text, want := range map[string]bool{
		"[registries.search]\nregistries = [\"a.example\"]":    true,
		"[registries.insecure]\nregistries = []":               true,
		"[registries.block]\nregistries = [\"a.example\"]":     true,
		"[Registries.Block]\nREGISTRIES = [\"a.example\"]":     true,
		"registries = { block = { registries = [\"a\"] } }":    true,
		"[registries.block]":                                   false,
		"[registries.others]\nregistries = [\"a\"]":            false,
		"registries = [\"a\"]":                                 false,
		"[search]\nregistries = [\"a\"]":                       false,
		"unqualified-search-registries = [\"a\"]\n[aliases]\n": false,
	} {
		f, err := Parse("f.conf", []byte(text))
		if err != nil || f.Version1 != want || len(f.Rules) > 0 {
			t.Errorf("%q: %+v, %v", text, f, err)
		}
	}
}

// What is as large as the bounds allow is read.
func TestBounds(t *testing.T) {
	for name, text := range map[string]string{
		"depth": "a = " + strings.Repeat("[", 15) + strings.Repeat("]", 15),
		"path":  "[" + strings.Repeat("a", 1023) + "]\nb = 1",
		"parts": strings.Repeat("[[a]]\n", 50_000),
		"size":  strings.Repeat("#", 1<<20),
	} {
		if _, err := Parse("f.conf", []byte(text)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
