package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/greenticai/packvendor/internal/packtest"
	"github.com/greenticai/packvendor/internal/packtest/cast"
)

// castCommands are what README's picture shows. The last three show what happens to a pack
// that is not the reviewed one.
var castCommands = []string{
	"go tool packvendor init",
	"go tool packvendor add ghcr.io/greenticai/greentic-packs/messaging-slack:0.4.37",
	"go run .",
	"go tool packvendor update",
	"echo tampered >>internal/packs/packs/messaging-slack.gtpack",
	"go tool packvendor verify",
	"go tool packvendor",
	"go tool packvendor verify",
}

const castColumns = 109

// README's picture shows a real session in a terminal. It is recorded again here, and
// must be the same, except how long packvendor took. -update writes the recording
// and the pictures.
func TestCast(t *testing.T) {
	if testing.Short() {
		t.Skip("it builds packvendor, for 20 s where nothing is built yet")
	}
	t.Parallel()
	recording := record(t)
	if length, err := recording.Duration(); err != nil || length > 20*time.Second {
		t.Errorf("the session takes %v, error %v", length, err)
	}
	files := map[string]func() ([]byte, error){"walk.cast": recording.Asciicast}
	for name, theme := range cast.Themes {
		files["walk-"+name+".svg"] = func() ([]byte, error) { return recording.SVG(theme) }
	}
	for name, draw := range files {
		data, err := draw()
		if err != nil {
			t.Fatal(err)
		}
		compareCast(t, filepath.Join("..", "..", "docs", name), string(data))
	}
}

var castTime = regexp.MustCompile(`; \d+\.\ds`)

func compareCast(t *testing.T, name, got string) {
	t.Helper()
	if *update {
		write(t, name, got)
		return
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	same := func(text string) string { return castTime.ReplaceAllString(text, "; TIME") }
	if same(got) != same(string(want)) {
		t.Errorf("%s is not what the commands print now; go test ./cmd/packvendor -run TestCast -update writes it:\n%s", name, got)
	}
	if len(got) > 60_000 {
		t.Errorf("%s has %d bytes", name, len(got))
	}
}

// record runs the commands in a terminal, in a new module.
func record(t *testing.T) *cast.Recording {
	t.Helper()
	dir, host, env := castProject(t)
	recording := &cast.Recording{Title: "packvendor vendors a pack, updates it, and finds a changed one", Columns: castColumns}
	for _, command := range castCommands {
		sh := exec.Command("sh", "-c", strings.ReplaceAll(command, "ghcr.io", host))
		sh.Dir, sh.Env = dir, env
		output, err := cast.Run(sh, 200)
		if err != nil {
			t.Fatalf("%s: %v", command, err)
		}
		output = anyDigest.ReplaceAllString(strings.ReplaceAll(output, host, "ghcr.io"), "sha256:…")
		recording.Steps = append(recording.Steps, cast.Step{Command: command, Output: output})
	}
	return recording
}

// castProject makes a module with packvendor as its tool and a program that lists its
// packs, and a registry with two versions of a pack.
func castProject(t *testing.T) (dir, host string, env []string) {
	t.Helper()
	checkout, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	reg := packtest.StartRegistry(t, packtest.Options{})
	for version, size := range map[string]int{"0.4.37": 1_278_000, "0.4.38": 1_284_000} {
		packtest.MustPush(t, reg, "greenticai/greentic-packs/messaging-slack", version, packtest.Pack(packtest.Zip("messaging-slack", version, size), "messaging-slack.gtpack"))
	}
	dir = toolModule(t, checkout, "go.mod", packvendorPackage)
	readme, err := os.ReadFile(filepath.Join(checkout, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "main.go"), castMain.FindStringSubmatch(string(readme))[1])
	return dir, reg.Host(), castEnvironment(t, reg)
}

// castMain finds README's program.
var castMain = regexp.MustCompile("(?s)```go[^\n]*\n(package main\n.*?)```\n")

func castEnvironment(t *testing.T, reg *packtest.Registry) []string {
	t.Helper()
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
	return append(os.Environ(), "SSL_CERT_FILE="+ca, "SSL_CERT_DIR="+own,
		"XDG_CACHE_HOME="+filepath.Join(own, "cache"), "GOCACHE="+strings.TrimSpace(string(build)),
		"GOFLAGS=-mod=mod -buildvcs=false", "GOPROXY=off", "GOWORK=off", "TERM=xterm-256color", "NO_COLOR=",
		"CI=", "PACKVENDOR_FLAGS=", "PACKVENDOR_AUTH=anonymous", "GITHUB_ACTIONS=", "GREENTIC_PACK_CACHE_DIR=")
}
