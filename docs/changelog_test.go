package docs_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/Masterminds/semver/v3"
)

const repository = "https://github.com/greenticai/packvendor"

// CHANGELOG.md is as https://keepachangelog.com/en/1.1.0/ demands.
func TestChangelog(t *testing.T) {
	data, err := os.ReadFile(filepath.Join("..", "CHANGELOG.md"))
	if err != nil {
		t.Fatal(err)
	}
	if err := checkChangelog(string(data)); err != nil {
		t.Error(err)
	}
}

func TestCheckChangelog(t *testing.T) {
	for _, test := range []struct{ text, want string }{
		{changelog("", ""), ""},
		{changelog("## [0.2.0] - 2027-02-01\n\n### Fixed\n\n- It.\n\n## [0.1.0] - 2027-01-01\n\n### Added\n\n- All.\n", "0.2.0 0.1.0"), ""},
		{changelog("## [0.2.0] - 2027-02-01\n\n### Fixed\n\n- It.\n\n## [0.1.0] - 2027-01-01\n\n### Added\n\n- All.\n", "0.2.0"), "0.1.0 has no link to its release"},
		{changelog("## [0.1.0]\n", "0.1.0"), `heading "## [0.1.0]"`},
		{changelog("## [0.1.0] - 2027-01-01\n\n### News\n", "0.1.0"), `heading "### News"`},
		{changelog("## [0.1.0] - 2027-01-01\n\n### Fixed\n", "0.1.0"), "0.1.0 has no changes"},
		{changelog("## [0.1.0] - 2027-01-01\n\n- All.\n\n## [0.2.0] - 2027-02-01\n\n- It.\n", "0.1.0 0.2.0"), "0.2.0 stands below 0.1.0"},
		{"# Changelog\n\n## [0.1.0] - 2027-01-01\n\n- All.\n", "the first section is not [Unreleased]"},
	} {
		got := ""
		if err := checkChangelog(test.text); err != nil {
			got = err.Error()
		}
		if !strings.Contains(got, test.want) || test.want == "" && got != "" {
			t.Errorf("%q, want %q, of\n%s", got, test.want, test.text)
		}
	}
}

// changelog is a changelog with these sections, and links to these releases.
func changelog(sections, released string) string {
	text := "# Changelog\n\n## [Unreleased]\n\n" + sections + "\n"
	versions := strings.Fields(released)
	if len(versions) == 0 {
		return text + "[unreleased]: " + repository + "/commits/main\n"
	}
	text += "[unreleased]: " + repository + "/compare/v" + versions[0] + "...main\n"
	for _, version := range versions {
		text += fmt.Sprintf("[%s]: %s/releases/tag/v%s\n", version, repository, version)
	}
	return text
}

var (
	release   = regexp.MustCompile(`^## \[(\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?)\] - \d{4}-\d{2}-\d{2}$`)
	changeSet = []string{"### Added", "### Changed", "### Deprecated", "### Removed", "### Fixed", "### Security"}
)

func checkChangelog(text string) error {
	var errs []error
	var versions []string // newest first
	changes := map[string]int{}
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\r\n")
		found := release.FindStringSubmatch(line)
		switch {
		case found != nil:
			versions = append(versions, found[1])
		case strings.HasPrefix(line, "- ") && len(versions) > 0:
			changes[versions[len(versions)-1]]++
		case strings.HasPrefix(line, "##") && line != "## [Unreleased]" && !slices.Contains(changeSet, line):
			errs = append(errs, fmt.Errorf("heading %q", line))
		}
	}
	if first, _, _ := strings.Cut(text[max(0, strings.Index(text, "\n## ")):], "]"); first != "\n## [Unreleased" {
		errs = append(errs, errors.New("the first section is not [Unreleased]"))
	}
	for i, version := range versions {
		if changes[version] == 0 {
			errs = append(errs, fmt.Errorf("%s has no changes", version))
		}
		if i > 0 && !semver.MustParse(version).LessThan(semver.MustParse(versions[i-1])) {
			errs = append(errs, fmt.Errorf("%s stands below %s", version, versions[i-1]))
		}
	}
	return errors.Join(append(errs, checkLinks(text, versions))...)
}

// checkLinks checks what the headings are linked to.
func checkLinks(text string, versions []string) error {
	var errs []error
	for _, version := range versions {
		if !strings.Contains(text, fmt.Sprintf("\n[%s]: %s/releases/tag/v%s\n", version, repository, version)) {
			errs = append(errs, fmt.Errorf("%s has no link to its release", version))
		}
	}
	unreleased := repository + "/commits/main"
	if len(versions) > 0 {
		unreleased = repository + "/compare/v" + versions[0] + "...main"
	}
	if !strings.Contains(text, "\n[unreleased]: "+unreleased+"\n") {
		errs = append(errs, fmt.Errorf("[unreleased] is not linked to %s", unreleased))
	}
	return errors.Join(errs...)
}

// .ci/notes prints the section of a version, with links that hold outside of the
// repository, and fails if there is none, or if a link would lead nowhere.
func TestNotes(t *testing.T) {
	needBash(t)
	dir := t.TempDir()
	script, err := os.ReadFile(filepath.Join("..", ".ci", "notes"))
	if err == nil {
		err = errors.Join(os.Mkdir(filepath.Join(dir, ".ci"), 0o777), os.WriteFile(filepath.Join(dir, ".ci", "notes"), script, 0o777))
	}
	if err != nil {
		t.Fatal(err)
	}
	const blob = repository + "/blob/v0.2.0/"
	dead := func(link string) string {
		return "CHANGELOG.md: in release notes this link leads nowhere: " + link + "\n"
	}
	for _, test := range []struct {
		version, change, want string
		code                  int
	}{
		{"v0.2.0", "It: [page](docs/cli.md), [site](https://example.com).", "It: [page](" + blob + "docs/cli.md), [site](https://example.com).", 0},
		{"0.2.0", "[A](docs/cli.md#a) and [b](./docs).", "[A](" + blob + "docs/cli.md#a) and [b](" + blob + "docs).", 0},
		{"v0.2.0", "[A](#a) and [b](CHANGELOG.md#b).", "[A](" + blob + "CHANGELOG.md#a) and [b](" + blob + "CHANGELOG.md#b).", 0},
		{"v0.2.0", "`[a](b)`, `c[0][1]`, an [option] and `[0.1.0]`.", "`[a](b)`, `c[0][1]`, an [option] and `[0.1.0]`.", 0},
		{"v0.2.0", "[A](../a.md).", dead("../a.md"), 1},
		{"v0.2.0", "[A](/docs/a.md).", dead("/docs/a.md"), 1},
		{"v0.2.0", "[A](http://example.com).", dead("http://example.com"), 1},
		{"v0.2.0", "[A](<docs/a.md>).", dead("<docs/a.md>"), 1},
		{"v0.2.0", "[A](docs/a.md \"title\").", dead("docs/a.md \"title\""), 1},
		{"v0.2.0", "![A](docs/a.svg).", dead("![A](docs/a.svg)"), 1},
		{"v0.2.0", "[A][b].", dead("[A][b]"), 1},
		{"v0.2.0", "As in [0.1.0].", dead("[0.1.0]"), 1},
		{"v0.2", "It.", "CHANGELOG.md has no section for 0.2\n", 1},
		{"v0.3.0", "It.", "CHANGELOG.md has no section for 0.3.0\n", 1},
	} {
		text := changelog("## [0.2.0] - 2027-02-01\n\n### Fixed\n\n- "+test.change+"\n\n## [0.1.0] - 2027-01-01\n\n- All.\n", "0.2.0 0.1.0")
		if err := os.WriteFile(filepath.Join(dir, "CHANGELOG.md"), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		want := test.want
		if test.code == 0 {
			want = "### Fixed\n\n- " + want + "\n"
		}
		if out, code := runScript(t, dir, "notes "+test.version); out != want || code != test.code {
			t.Errorf("%s, %s: exit code %d, %q, want %d, %q", test.version, test.change, code, out, test.code, want)
		}
	}
	if out, code := runScript(t, dir, "notes v0.1.0"); out != "- All.\n" || code != 0 {
		t.Errorf("exit code %d, %q", code, out)
	}
}
