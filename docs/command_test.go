package docs_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const asInstalled = "Where this page shows `packvendor`, type it as you installed it: in most projects\n" +
	"`go tool packvendor`. [Start](start.md#install-packvendor) has the other ways.\n"

// TestCommandName wants every page whose commands begin with packvendor to say, before the
// first of them, that most projects type go tool packvendor. Other pages do not say so.
func TestCommandName(t *testing.T) {
	names, err := filepath.Glob("*.md")
	if err != nil || len(names) == 0 {
		t.Fatalf("pages %q, error %v", names, err)
	}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		said, first := strings.Index(string(text), asInstalled), bareCommand(string(text))
		switch {
		case first < 0 && said >= 0:
			t.Errorf("%s has no command that begins with packvendor, and says how to type it", name)
		case first >= 0 && (said < 0 || said > first):
			t.Errorf("%s has a command that begins with packvendor, and lacks before it:\n%s", name, asInstalled)
		}
	}
}

func TestBareCommand(t *testing.T) {
	for _, test := range []struct {
		text string
		want int
	}{
		{"```console\n$ packvendor list\n```\n", 11},
		{"```console\n$ packvendor\npackvendor: 1 pack added\n```\n", 11},
		{"```console\n$ CI=true packvendor\n```\n", 11},
		{"```console\n$ ls\n$ x=$(packvendor cache dir)\n```\n", 16},
		{"```console\n$ go tool packvendor list\n$ go tool -modfile=packvendor.mod packvendor list\n```\n", -1},
		{"```console\n$ cd packvendor\n$ cat .gitlab/packvendor.yml\npackvendor: hint: packvendor list\n```\n", -1},
		{"    $ packvendor list\n\n`packvendor`\n", -1},
	} {
		if got := bareCommand(test.text); got != test.want {
			t.Errorf("%d, want %d in\n%s", got, test.want, test.text)
		}
	}
}

var (
	console = regexp.MustCompile("(?ms)^ *```console\n.*?^ *```$")
	typed   = regexp.MustCompile(`(?m)^\$ (.*)$`)
	bare    = regexp.MustCompile(`(?:^|[|;&(] *|\b[A-Z_]+=\S* )packvendor(?: |\)|$)`)
)

// bareCommand returns where the first command line that runs packvendor by this name
// begins in a page, or -1.
func bareCommand(text string) int {
	for _, block := range console.FindAllStringIndex(text, -1) {
		for _, line := range typed.FindAllStringSubmatchIndex(text[block[0]:block[1]], -1) {
			if bare.MatchString(text[block[0]+line[2] : block[0]+line[3]]) {
				return block[0] + line[0]
			}
		}
	}
	return -1
}
