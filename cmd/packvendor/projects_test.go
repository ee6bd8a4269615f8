package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/greenticai/packvendor/internal/printable"
)

// twoProjects makes a module with two projects the working directory.
func twoProjects(t *testing.T) {
	t.Helper()
	t.Chdir(t.TempDir())
	for name, text := range map[string]string{"go.mod": "module example.com/app\n\ngo 1.25\n", "a/packs.toml": "[packs]\n", "b/packs.toml": "[packs]\n"} {
		if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o777), os.WriteFile(name, []byte(text), 0o666)); err != nil {
			t.Fatal(err)
		}
	}
}

// An interrupt ends all work: it is reported once, and the rest is not begun.
func TestSeveralInterrupted(t *testing.T) {
	twoProjects(t)
	for _, test := range []struct {
		args           []string
		stdout, stderr string
	}{
		{[]string{"outdated", "-f", "./..."}, "", "packvendor: error: interrupted\n"},
		{[]string{"outdated", "-f", "./...", "--json"}, `{
  "projects": [
    {
      "file": "a/packs.toml",
      "code": 130,
      "error": {
        "code": 130,
        "message": "interrupted",
        "problems": [
          {
            "code": 130,
            "message": "interrupted"
          }
        ]
      }
    }
  ]
}
`, ""},
	} {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		var stdout, stderr strings.Builder
		code := run(ctx, process{args: test.args, getenv: func(string) string { return "" }, stdout: &stdout, stderr: &stderr})
		if code != exitInterrupted || strings.ReplaceAll(stdout.String(), `\\`, "/") != test.stdout || stderr.String() != test.stderr {
			t.Errorf("%q: exit code %d\n%s%s", test.args, code, stdout.String(), stderr.String())
		}
	}
}

// Each project's own document is beside the name of its file.
func TestProjectJSON(t *testing.T) {
	type document struct {
		Text string `json:"text"`
	}
	for _, test := range []struct {
		project projectJSON
		want    string
	}{
		{projectJSON{File: "a<b>&", Code: 1, document: document{"<c>"}}, `{"file":"a<b>&","code":1,"text":"<c>"}`},
		{projectJSON{File: "a"}, `{"file":"a","code":0}`},
		{projectJSON{File: "}"}, `{"file":"}","code":0}`},
	} {
		got, err := printable.MarshalJSON(&test.project, "", "")
		if err != nil || string(got) != test.want {
			t.Errorf("%s, %v, want %s", got, err, test.want)
		}
	}
}
