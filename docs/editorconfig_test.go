package docs_test

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/greenticai/packvendor/internal/packtest"
)

// TestEditorConfig holds the files of the repository to .editorconfig. gofmt and "go mod
// tidy" see to the indentation of those that are indented with tabs.
func TestEditorConfig(t *testing.T) {
	rules := editorRules(t)
	git := packtest.NeedProgram(t, "git")
	cmd := exec.Command(git, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	cmd.Dir = ".."
	out, err := cmd.Output()
	if err != nil {
		packtest.Unable(t, "this is no git repository: %v", err)
	}
	for name := range strings.SplitSeq(strings.TrimSuffix(string(out), "\x00"), "\x00") {
		data, err := os.ReadFile(filepath.Join("..", filepath.FromSlash(name)))
		if err != nil || bytes.IndexByte(data, 0) >= 0 { // deleted, or binary
			continue
		}
		for _, fault := range editorFaults(settingsOf(rules, name), string(data)) {
			t.Errorf("%s: %s", name, fault)
		}
	}
}

func TestEditorFaults(t *testing.T) {
	rules := []editorRule{
		{regexp.MustCompile(editorGlob("*")), map[string]string{"charset": "utf-8", "end_of_line": "lf", "insert_final_newline": "true", "trim_trailing_whitespace": "true", "indent_style": "space"}},
		{regexp.MustCompile(editorGlob("*.{go,mod}")), map[string]string{"indent_style": "tab"}},
		{regexp.MustCompile(editorGlob("{testdata/**,**/testdata/**}")), map[string]string{"insert_final_newline": "unset"}},
	}
	for _, test := range []struct{ name, text, want string }{
		{"a.yml", "a:\n  b: 1\n", ""},
		{"a.yml", "", ""},
		{"a.yml", "a", "no line end at the end"},
		{"a.yml", "a \nb\t\n", "line 1 ends with a space, line 2 ends with a space"},
		{"a.yml", "a\r\n", "line 1 ends with CR"},
		{"a.yml", "\ta\n", "line 1 is indented with a tab"},
		{"a.yml", "\xff\n", "not UTF-8"},
		{"sub/a.go", "\ta\n", ""},
		{"sub/go.mod", "\ta\n", ""},
		{"sub/a.gone", "\ta\n", "line 1 is indented with a tab"},
		{"testdata/a", "a", ""},
		{"x/testdata/y/a", "a", ""},
		{"x/mytestdata", "a", "no line end at the end"},
	} {
		if got := strings.Join(editorFaults(settingsOf(rules, test.name), test.text), ", "); got != test.want {
			t.Errorf("%s with %q: %q, want %q", test.name, test.text, got, test.want)
		}
	}
}

// An editorRule is a section of .editorconfig.
type editorRule struct {
	files    *regexp.Regexp
	settings map[string]string
}

func editorRules(t *testing.T) (rules []editorRule) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", ".editorconfig"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		key, value, isSetting := strings.Cut(line, "=")
		switch {
		case line == "" || strings.HasPrefix(line, "#"):
		case strings.HasPrefix(line, "["):
			glob := strings.TrimSuffix(strings.TrimPrefix(line, "["), "]")
			rules = append(rules, editorRule{regexp.MustCompile(editorGlob(glob)), map[string]string{}})
		case isSetting && len(rules) > 0:
			rules[len(rules)-1].settings[strings.TrimSpace(key)] = strings.TrimSpace(value)
		case line != "root = true":
			t.Fatalf(".editorconfig has the line %q", line)
		}
	}
	return rules
}

// editorGlob returns the regular expression of a section's name. Without a slash it is
// about names in all folders.
func editorGlob(glob string) string {
	const anyPath, anyName = `.*`, `[^/]*`
	text := regexp.QuoteMeta(glob)
	text = strings.NewReplacer(`\*\*`, anyPath, `\*`, anyName, `\{`, "(", `\}`, ")", ",", "|").Replace(text)
	if !strings.Contains(glob, "/") {
		text = "(.*/)?(" + text + ")"
	}
	return "^(" + text + ")$"
}

// settingsOf returns the settings for a file: later sections win.
func settingsOf(rules []editorRule, name string) map[string]string {
	settings := map[string]string{}
	for _, rule := range rules {
		if rule.files.MatchString(name) {
			maps.Copy(settings, rule.settings)
		}
	}
	return settings
}

// editorFaults returns what a text has against its settings.
func editorFaults(settings map[string]string, text string) (faults []string) {
	if settings["charset"] == "utf-8" && !utf8.ValidString(text) {
		faults = append(faults, "not UTF-8")
	}
	if settings["insert_final_newline"] == "true" && text != "" && !strings.HasSuffix(text, "\n") {
		faults = append(faults, "no line end at the end")
	}
	n := 0
	for line := range strings.Lines(text) {
		n++
		line = strings.TrimSuffix(line, "\n")
		if settings["end_of_line"] == "lf" && strings.HasSuffix(line, "\r") {
			faults = append(faults, fmt.Sprintf("line %d ends with CR", n))
		}
		line = strings.TrimSuffix(line, "\r")
		if settings["trim_trailing_whitespace"] == "true" && strings.TrimRight(line, " \t") != line {
			faults = append(faults, fmt.Sprintf("line %d ends with a space", n))
		}
		if settings["indent_style"] == "space" && strings.HasPrefix(line, "\t") {
			faults = append(faults, fmt.Sprintf("line %d is indented with a tab", n))
		}
	}
	return faults
}
