package docs_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestVersions holds what pages say of releases to CHANGELOG.md: commands name its newest
// version, and no page waits for a first release that is there.
func TestVersions(t *testing.T) {
	pages := map[string]string{}
	for _, name := range append(sorted(readPages(t)), "action.yml", ".pre-commit-hooks.yaml") {
		data, err := os.ReadFile(filepath.Join("..", filepath.FromSlash(name)))
		if err != nil {
			t.Fatal(err)
		}
		pages[name] = string(data)
	}
	newest := newestRelease(pages["CHANGELOG.md"])
	delete(pages, "CHANGELOG.md")    // has all versions
	delete(pages, "CONTRIBUTING.md") // says how to make any
	for _, fault := range staleVersions(pages, newest) {
		t.Error(fault)
	}
	if stale := staleVersions(pages, "987.6.5"); len(stale) < 12 {
		t.Errorf("with the release 987.6.5 only this would be stale:\n%s", strings.Join(stale, "\n"))
	}
}

// newestRelease returns the newest version of a changelog, without pre-releases; "" if there
// is none.
func newestRelease(changelog string) string {
	for line := range strings.Lines(changelog) {
		if found := release.FindStringSubmatch(strings.TrimRight(line, "\r\n")); found != nil && !strings.Contains(found[1], "-") {
			return found[1]
		}
	}
	return ""
}

// firstRelease is what pages name as long as there is no release.
const firstRelease = "0.1.0"

var (
	// ownVersion finds our version in a command, a reference or the name of an archive.
	ownVersion = regexp.MustCompile(`(?:packvendor(?:/cmd/packvendor)?[@#]v|refs/tags/v|--branch v|rev: v|packvendor_)(\d+\.\d+\.\d+[\w.-]*?)(?:_|\b)`)
	// unreleased finds what is true only before the first release.
	unreleased = regexp.MustCompile(`(?i)\bno\s+\[?release\]?(?:\([^)]*\))?\s+(?:exists\s+)?yet|\bfirst\s+one\s+will\s+be\b|` +
		`\bfrom\s+(?:the\s+first\s+release|v\d+\.\d+\.\d+)\s+on\b|\b(?:when|once)\s+packvendor\s+has\s+releases\b|rev: COMMIT\b|greenticai/packvendor@main\b`)
)

// staleVersions returns what pages say that is not true with this newest release.
func staleVersions(pages map[string]string, newest string) (faults []string) {
	for _, name := range sorted(pages) {
		text := pages[name]
		place := func(at int) string { return fmt.Sprintf("%s:%d", name, strings.Count(text[:at], "\n")+1) }
		for _, at := range ownVersion.FindAllStringSubmatchIndex(text, -1) {
			if got := text[at[2]:at[3]]; newest != "" && got != newest || newest == "" && got != firstRelease {
				faults = append(faults, fmt.Sprintf("%s names v%s; the newest release is v%s", place(at[0]), got, newest))
			}
		}
		for _, at := range unreleased.FindAllStringIndex(text, -1) {
			if newest != "" {
				words := strings.Join(strings.Fields(text[at[0]:at[1]]), " ")
				faults = append(faults, fmt.Sprintf("%s says %q; there is the release v%s", place(at[0]), words, newest))
			}
		}
	}
	return faults
}

func TestStaleVersions(t *testing.T) {
	for _, test := range []struct{ text, newest, want string }{
		{"go get -tool github.com/greenticai/packvendor/cmd/packvendor@v0.1.0", "", ""},
		{"go get -tool github.com/greenticai/packvendor/cmd/packvendor@v0.1.0", "0.1.0", ""},
		{"go get -tool github.com/greenticai/packvendor/cmd/packvendor@latest", "0.1.0", ""},
		{"a\ngo get -tool github.com/greenticai/packvendor/cmd/packvendor@v0.1.0", "0.2.0", "p.md:2 names v0.1.0; the newest release is v0.2.0"},
		{"release.yml@refs/tags/v0.1.0 --x", "0.2.0", "p.md:1 names v0.1.0; the newest release is v0.2.0"},
		{"packvendor_0.1.0_linux_amd64.tar.gz", "0.1.0", ""},
		{"packvendor_0.1.0_linux_amd64.tar.gz", "0.2.0", "p.md:1 names v0.1.0; the newest release is v0.2.0"},
		{"git clone --branch v0.1.0 x", "0.2.0", "p.md:1 names v0.1.0; the newest release is v0.2.0"},
		{"`github>greenticai/packvendor#v0.1.0` fixes", "0.2.0", "p.md:1 names v0.1.0; the newest release is v0.2.0"},
		{"    rev: v0.1.0", "0.2.0", "p.md:1 names v0.1.0; the newest release is v0.2.0"},
		{"oras v1.2.3", "0.2.0", ""},
		{"There is no\n[release](releases.md) yet: a", "", ""},
		{"There is no\n[release](releases.md) yet: a", "0.1.0", `p.md:1 says "no [release](releases.md) yet"; there is the release v0.1.0`},
		{"No release exists yet. The first one will be v0.1.0.", "0.1.0", `p.md:1 says "No release exists yet"; there is the release v0.1.0, p.md:1 says "first one will be"; there is the release v0.1.0`},
		{"\nFrom\nv0.1.0 on, a", "0.1.0", `p.md:2 says "From v0.1.0 on"; there is the release v0.1.0`},
		{"uses: greenticai/packvendor@main", "0.1.0", `p.md:1 says "greenticai/packvendor@main"; there is the release v0.1.0`},
	} {
		got := strings.Join(staleVersions(map[string]string{"p.md": test.text}, test.newest), ", ")
		if got != test.want {
			t.Errorf("%q with %q: %q, want %q", test.text, test.newest, got, test.want)
		}
	}
}

func TestNewestRelease(t *testing.T) {
	for text, want := range map[string]string{
		changelog("", ""): "",
		changelog("## [0.3.0-rc.1] - 2027-03-01\n\n- All.\n\n## [0.2.0] - 2027-02-01\n\n- It.\n", "0.3.0-rc.1 0.2.0"): "0.2.0",
	} {
		if got := newestRelease(text); got != want {
			t.Errorf("%q, want %q, of\n%s", got, want, text)
		}
	}
}
