package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/greenticai/packvendor/internal/packtest"
)

// goToolShells are shells without user settings, each with its line in the help.
var goToolShells = map[string]struct{ start, line string }{
	"bash": {"bash --noprofile --norc -i", "source <(go tool packvendor completion --go-tool bash)"},
	"zsh":  {"zsh -f -i", "source <(go tool packvendor completion --go-tool zsh)"},
	"fish": {"fish --no-config -i -C 'set -g fish_autosuggestion_enabled 0'", "go tool packvendor completion --go-tool fish | source"},
}

// The real shells, in a real terminal, complete go tool packvendor after the one line
// in the help, and still complete other arguments of go.
func TestCompletionOfGoTool(t *testing.T) {
	t.Parallel()
	checkout, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	dir := toolModule(t, checkout, "go.mod", packvendorPackage)
	toolModuleFile(t, dir, "tools.mod")
	tree{
		"packs.toml": "[packs]\nslack = \"r.io/slack:1.0.0\"\nstate-redis = \"r.io/state:1.0.0\"\n",
		"file.txt":   "",
	}.write(t, dir)
	goIn(t, dir, 0, "tool", "packvendor", "version") // built before the shells wait for it
	goIn(t, dir, 0, "tool", "-modfile=tools.mod", "packvendor", "version")
	_, help, _ := runWith(t, nil, "completion", "--help")
	for shell, with := range goToolShells {
		t.Run(shell, func(t *testing.T) {
			if !strings.Contains(help, "  "+with.line+"\n") {
				t.Errorf("the help does not have %s", with.line)
			}
			packtest.NeedProgram(t, shell)
			term := goToolShell(t, dir, shell)
			for _, test := range []struct{ typed, shown string }{
				{"go tool packvendor upd", "go tool packvendor update"},
				{"go tool packvendor update sta", "go tool packvendor update state-redis"},
				{"go tool -modfile=tools.mod packvendor update sl", "go tool -modfile=tools.mod packvendor update slack"},
				{"go tool packvendor update --lat", "go tool packvendor update --latest"},
				{"go tool packvendor inspect fil", "go tool packvendor inspect file.txt"},
				{"go build fil", "go build file.txt"},
			} {
				term.types(test.typed, test.typed)
				term.types("Tab", test.shown)
				term.press("C-u") // removes the line, when the shell reads it
			}
			term.press("exit") // so that no more output goes to removed files
			term.press("Enter")
			if !waitFor(func() bool { return strings.Contains(term.screen(), "\nexit 0\n") }) {
				t.Errorf("%s does not end:\n%s", shell, term.screen())
			}
		})
	}
}

// toolModuleFile makes another module file of a tool module.
func toolModuleFile(t *testing.T, dir, name string) {
	t.Helper()
	for _, ext := range []string{".mod", ".sum"} {
		data, err := os.ReadFile(filepath.Join(dir, "go"+ext))
		if err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(dir, strings.TrimSuffix(name, ".mod")+ext), string(data))
	}
}

// goToolShell starts a shell in dir, and types its line.
func goToolShell(t *testing.T, dir, shell string) *screen {
	t.Helper()
	b := newFixture(t, packtest.Options{})
	b.env = append(slices.Clone(os.Environ()), "GOPROXY=off", "GOFLAGS=-mod=mod", "GOWORK=off", "CI=", "PACKVENDOR_FLAGS=", "HOME="+b.TempDir())
	for _, name := range []string{"GOCACHE", "GOMODCACHE"} {
		out, err := exec.Command("go", "env", name).Output()
		b.must(err)
		b.env = append(b.env, name+"="+strings.TrimSpace(string(out)))
	}
	with := goToolShells[shell]
	term := b.newTerminal(100, dir, "PATH='"+os.Getenv("PATH")+"'; export PATH; "+with.start)
	term.press(with.line + "; echo read''y")
	term.press("Enter")
	if !waitFor(func() bool { return strings.Contains(term.screen(), "\nready\n") }) {
		t.Fatalf("%s has not read its script:\n%s", shell, term.screen())
	}
	return term
}

// types presses keys, and waits until the terminal's text ends in want.
func (term *screen) types(keys, want string) {
	term.Helper()
	term.press(keys)
	if !waitFor(func() bool { return strings.HasSuffix(strings.TrimSpace(term.screen()), want) }) {
		term.Errorf("%q does not lead to %q:\n%s", keys, want, term.screen())
	}
}
