package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/greenticai/packvendor/internal/packtest"
)

// README shows real output: every command of its console blocks runs in a new module,
// with packvendor as a tool of its go.mod, and must print the shown text, except
// digests and times. -update writes the real output.
func TestReadme(t *testing.T) {
	if testing.Short() {
		t.Skip("it builds packvendor, for 20 s where nothing is built yet")
	}
	t.Parallel()
	name := filepath.Join("..", "..", "README.md")
	readme, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	w := newWalk(t, string(readme))
	said := consoleBlock.ReplaceAllStringFunc(string(readme), w.through)
	if w.commands < 8 {
		t.Errorf("README has %d commands in console blocks", w.commands)
	}
	if *update {
		if err := os.WriteFile(name, []byte(said), 0o666); err != nil {
			t.Fatal(err)
		}
		return
	}
	if got, want := timeless(said), timeless(string(readme)); got != want {
		t.Errorf("the commands of README print\n%s\nREADME has\n%s", consoles(got), consoles(want))
	}
}

var (
	consoleBlock = regexp.MustCompile("(?s)```console\n.*?```\n")
	mainBlock    = regexp.MustCompile("(?s)```go\n(package main\n.*?)```\n")
	anyDigest    = regexp.MustCompile("sha256:[0-9a-f]{64}")
	anyTime      = regexp.MustCompile(`(?m); \d+\.\ds$`)
)

func timeless(text string) string { return anyTime.ReplaceAllString(text, "; TIME") }

func consoles(text string) string { return strings.Join(consoleBlock.FindAllString(text, -1), "") }

// A walk runs README's commands in one module.
type walk struct {
	*testing.T
	dir, host string
	commands  int
	env       []string
}

func newWalk(t *testing.T, readme string) *walk {
	checkout, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	reg := packtest.StartRegistry(t, packtest.Options{})
	for _, p := range []struct {
		name, tag string
		size      int
	}{{"messaging-slack", "0.4.37", 1_278_000}, {"messaging-slack", "0.4.38", 1_284_000}, {"state-redis", "1.2.0", 512_000}, {"state-redis", "stable", 512_000}} {
		packtest.MustPush(t, reg, "greenticai/greentic-packs/"+p.name, p.tag, packtest.Pack(packtest.Zip(p.name, p.tag, p.size), p.name+".gtpack"))
	}
	w := &walk{T: t, dir: toolModule(t, checkout, "go.mod", packvendorPackage), host: reg.Host()}
	own := t.TempDir()
	ca, err := reg.CAFile(own)
	if err != nil {
		t.Fatal(err)
	}
	// The go command's own cache would be in XDG_CACHE_HOME, and empty.
	build, err := exec.Command("go", "env", "GOCACHE").Output()
	if err != nil {
		t.Fatal(err)
	}
	w.env = append(os.Environ(), "SSL_CERT_FILE="+ca, "SSL_CERT_DIR="+own, "XDG_CACHE_HOME="+filepath.Join(own, "cache"), "GOCACHE="+strings.TrimSpace(string(build)), "GOFLAGS=-mod=mod -buildvcs=false", "GOPROXY=off", "GOWORK=off",
		"CI=", "PACKVENDOR_FLAGS=", "PACKVENDOR_AUTH=anonymous", "GITHUB_ACTIONS=", "GREENTIC_PACK_CACHE_DIR=")
	main := mainBlock.FindStringSubmatch(readme)
	if main == nil {
		t.Fatal("README has no main.go")
	}
	write(t, filepath.Join(w.dir, "main.go"), main[1])
	return w
}

// through runs the commands of a block, and returns the right block.
func (w *walk) through(block string) string {
	w.Helper()
	var b strings.Builder
	b.WriteString("```console\n")
	for line := range strings.Lines(block) {
		command, ok := strings.CutPrefix(line, "$ ")
		if !ok {
			continue
		}
		w.commands++
		b.WriteString(line)
		if strings.HasPrefix(command, "go get -tool ") {
			continue // toolModule has done it, with this checkout
		}
		b.WriteString(w.run(strings.TrimSpace(command)))
	}
	b.WriteString("```\n")
	return b.String()
}

// run runs a command line and returns its output, with README's names.
func (w *walk) run(line string) string {
	w.Helper()
	sh := exec.Command("sh", "-c", strings.ReplaceAll(line, "ghcr.io", w.host))
	sh.Dir, sh.Env = w.dir, w.env
	out, err := sh.CombinedOutput()
	if err != nil {
		w.Errorf("%s: %v\n%s", line, err, out)
	}
	return anyDigest.ReplaceAllString(strings.ReplaceAll(string(out), w.host, "ghcr.io"), "sha256:…")
}
