package docs_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
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
// repository, and fails if there is none.
func TestNotes(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("it is a script for bash")
	}
	dir := t.TempDir()
	script, err := os.ReadFile(filepath.Join("..", ".ci", "notes"))
	if err == nil {
		err = errors.Join(os.Mkdir(filepath.Join(dir, ".ci"), 0o777), os.WriteFile(filepath.Join(dir, ".ci", "notes"), script, 0o777))
	}
	text := changelog("## [0.2.0] - 2027-02-01\n\n### Fixed\n\n- It: [page](docs/cli.md), [site](https://example.com).\n\n## [0.1.0] - 2027-01-01\n\n- All.\n", "0.2.0 0.1.0")
	if err = errors.Join(err, os.WriteFile(filepath.Join(dir, "CHANGELOG.md"), []byte(text), 0o666)); err != nil {
		t.Fatal(err)
	}
	for version, want := range map[string]string{
		"v0.2.0":     "### Fixed\n\n- It: [page](" + repository + "/blob/v0.2.0/docs/cli.md), [site](https://example.com).\n",
		"v0.1.0":     "- All.\n",
		"v0.1":       "CHANGELOG.md has no section for 0.1\n",
		"Unreleased": "CHANGELOG.md has no section for Unreleased\n",
	} {
		out, err := exec.Command(filepath.Join(dir, ".ci", "notes"), version).CombinedOutput()
		if string(out) != want || (err != nil) != strings.HasPrefix(want, "CHANGELOG.md has no") {
			t.Errorf("%s: %v, %q, want %q", version, err, out, want)
		}
	}
}
