package mirrors

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestFindMisspelt(t *testing.T) {
	for name, test := range map[string]struct{ text, want string }{
		"every key": {`unqualified-search-registries = []
short-name-mode = "enforcing"
credential-helpers = []
additional-layer-store-auth-helper = ""
[[registry]]
prefix = "a.example/x"
Location = "b.example"
insecure = true
BLOCKED = true
mirror-by-digest-only = false
namespace-proxy = "p"
[[registry.mirror]]
location = "m.example"
insecure = true
pull-from-mirror = "all"
namespace-proxy = "p"
[aliases]
"locatio" = "x.example/y"
`, ""},
		"in each table": {`credential-helper = []
[[registry]]
blcked = true
location = "b.example"
  [[registry.mirror]]
  location = "m.example"
  pull-from-miror = "all"
[[registry]]
location = "c.example"
[[registry.mirrors]]
location = "m.example"
`, `1 "credential-helper" credential-helpers|3 "blcked" blocked|7 "pull-from-miror" pull-from-mirror|10 "mirrors" mirror`},
		"inline":                               {"registry = [{location = 'a.example', mirror = [{location = 'm.example', insecur = true}],\n blockd = true}]", `1 "insecur" insecure|2 "blockd" blocked`},
		"one line":                             {"registry = [{location = 'a.example', insecured = true, blocket = true}]", `1 "blocket" blocked|1 "insecured" insecure`},
		"an escape, whose line is the table's": {"[[registry]]\nlocation = \"a.example\"\n\"blocked\\u202e\" = 1\n\"bl\\u00f6cked\" = 1\n", `1 "bl\u00f6cked" blocked`},
		"keys of other tables":                 {"[[registry]]\nlocation = \"a.example\"\n[[registry.mirror]]\nlocation = \"m.example\"\nblocked = true\nprefixes = 1\n", ""},
		"resembles nothing":                    {"[future]\n[[registry]]\nlocation = \"a.example\"\nsigstore-staging = true\n", ""},
		"version 1":                            {"[registries.search]\nregistries = [\"x.example\"]\n[aliase]\n", ""},
		"no TOML":                              {"[[registry]\nlocatio = 1\n", ""},
		"no text":                              {"locatio = \"\xff\"", ""},
		"nothing":                              {"", ""},
		"no tables":                            {"registry = 5\naliase = 1\n", `2 "aliase" aliases`},
	} {
		file := filepath.Join(t.TempDir(), "f.conf")
		if err := os.WriteFile(file, []byte(test.text), 0o666); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, m := range FindMisspelt(file) {
			if m.File != file {
				t.Errorf("%s: in %s", name, m.File)
			}
			got = append(got, fmt.Sprintf("%d %+q %s", m.Line, m.Key, m.Near))
		}
		if text := strings.Join(got, "|"); text != test.want {
			t.Errorf("%s:\n got %s\nwant %s", name, text, test.want)
		}
	}
	if got := FindMisspelt(filepath.Join(t.TempDir(), "none")); got != nil {
		t.Errorf("no file: %v", got)
	}
}
