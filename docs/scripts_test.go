package docs_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/greenticai/packvendor/internal/packtest"
)

// shellcheck finds no fault with the scripts of .ci.
func TestShellcheck(t *testing.T) {
	shellcheck := packtest.NeedProgram(t, "shellcheck")
	for _, name := range glob(t, "../.ci/*") {
		if filepath.Base(name) == "tools" {
			continue // a list
		}
		cmd := exec.Command(shellcheck, "--shell=bash", "--external-sources", "--source-path=SCRIPTDIR", name)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
	}
}

// Called with arguments that they do not know, scripts of .ci change nothing, print how to
// call them, and end with 2.
func TestScriptUsage(t *testing.T) {
	needBash(t)
	const install, extras, notes = "usage: .ci/install [--deep] FOLDER [REGEXP]\n", "usage: .ci/extras FOLDER VERSION SECONDS\n", "usage: .ci/notes VERSION\n"
	folder := filepath.Join(t.TempDir(), "folder")
	for _, test := range []struct{ line, want string }{
		{"install", install},
		{"install --deep", install},
		{"install --depp " + folder, install},
		{"install " + folder + " x y", install},
		{"install --deep " + folder + " no-such-tool", "no tool of .ci/tools matches no-such-tool\n"},
		{"install " + folder + " goreleaser", "no tool of .ci/tools matches goreleaser\ntools that are marked \"deep\" need --deep\n"},
		{"extras", extras},
		{"extras " + folder + " 0.1.0", extras},
		{"extras " + folder + " 0.1.0 yesterday", extras},
		{"extras --help 0.1.0 1", extras},
		{"extras " + folder + " 0.1.0 1 2", extras},
		{"notes", notes},
		{"notes --help", notes},
		{"notes Unreleased", notes},
		{"notes v0.1.0 v0.2.0", notes},
	} {
		out, code := runScript(t, "..", test.line)
		if out != test.want || code != 2 {
			t.Errorf(".ci/%s: exit code %d, %q, want 2, %q", test.line, code, out, test.want)
		}
	}
	if _, err := os.Stat(folder); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("there is a folder: %v", err)
	}
}

// .ci/extras empties no folder that it did not make.
func TestExtrasFolder(t *testing.T) {
	needBash(t)
	folder := t.TempDir()
	name := filepath.Join(folder, "mine")
	if err := os.WriteFile(name, []byte("mine"), 0o666); err != nil {
		t.Fatal(err)
	}
	for _, target := range []string{folder, name} {
		out, code := runScript(t, "..", "extras "+target+" 0.1.0 1")
		if want := target + " is there, and .ci/extras did not make it\n"; out != want || code != 2 {
			t.Errorf("exit code %d, %q, want 2, %q", code, out, want)
		}
	}
	if data, err := os.ReadFile(name); err != nil || string(data) != "mine" {
		t.Errorf("%q, %v", data, err)
	}
}

func needBash(t *testing.T) {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("it is a script for bash")
	}
}

// runScript runs a script of .ci in a checkout, and returns what it prints.
func runScript(t *testing.T, checkout, line string) (out string, code int) {
	t.Helper()
	words := strings.Fields(line)
	cmd := exec.Command(filepath.Join(".ci", words[0]), words[1:]...)
	cmd.Dir = checkout
	data, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return string(data), cmd.ProcessState.ExitCode()
}
