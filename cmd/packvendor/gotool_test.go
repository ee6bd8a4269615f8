package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/mod/modfile"

	"github.com/greenticai/packvendor/internal/packtest"
)

const packvendorPackage = "github.com/greenticai/packvendor/cmd/packvendor"

// TestGoTool uses packvendor like applications do, under go generate: as a tool of
// their go.mod, or of another module file beside it, or by go run.
func TestGoTool(t *testing.T) {
	t.Parallel()
	checkout, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name, modFile, tool, command string
		code                         int    // the command's, if packvendor's own is 2
		said                         string // by the go command, after packvendor
	}{
		{"go.mod", "go.mod", packvendorPackage, "tool packvendor", 2, ""},
		{"modfile", "packvendor.mod", packvendorPackage, "tool -modfile=../packvendor.mod packvendor", 2, ""},
		{"go run", "go.mod", "", "run " + packvendorPackage, 1, "exit status 2\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			reg := packtest.StartRegistry(t, packtest.Options{Plain: true})
			pushed := packtest.MustPush(t, reg, "greentic/slack", "stable", packtest.Pack(packtest.Zip("slack", "1.0.0", 0), "slack.gtpack"))
			dir := toolModule(t, checkout, test.modFile, test.tool)
			line := "//go:generate go " + test.command + "\n"
			generate := filepath.Join(dir, "packs", "generate.go")
			toml := filepath.Join(dir, "packs", "packs.toml")
			write(t, toml, `insecure_registries = ["`+reg.Host()+`"]`+"\n[packs]\nslack = \""+reg.Host()+"/greentic/slack:stable@"+string(pushed.ManifestDigest)+"\"\n")
			if test.tool == "" {
				write(t, generate, "package packs\n\n"+line)
			} else { // init finds its own command line, and writes it
				goIn(t, filepath.Join(dir, "packs"), 0, append(strings.Fields(test.command), "init")...)
				if source, err := os.ReadFile(generate); err != nil || !strings.HasSuffix(string(source), "\n"+line) {
					t.Errorf("init has written %q, error %v, want %q", source, err, line)
				}
			}

			goIn(t, dir, 0, "generate", "./...")
			goIn(t, dir, 0, "vet", "./...")
			buildAlone(t, dir)

			// go tool passes packvendor's own exit code on; go run only prints it.
			write(t, toml, "[packs]\nslack = \"no-host:1\"\n")
			stderr := goIn(t, filepath.Join(dir, "packs"), test.code, strings.Fields(test.command)...)
			want := `packvendor: error: packs.toml:2: packs.slack: invalid reference "no-host:1": no registry host: write host/repository, like ghcr.io/owner/name` + "\n" + test.said
			if stderr != want {
				t.Errorf("got %q, want %q", stderr, want)
			}
		})
	}
}

// maxInherited bounds the lines of other modules that a user's go.mod inherits.
const maxInherited = 20

// go get -tool makes our requirements the user's, a line each.
func TestGoToolLines(t *testing.T) {
	checkout, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	sum, err := os.ReadFile(filepath.Join(checkout, "go.sum"))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	goMod := filepath.Join(dir, "go.mod")
	own := "require github.com/greenticai/packvendor v0.0.0\n"
	write(t, goMod, "module example.com/app\n\ngo 1.25.0\n\n"+own+"replace github.com/greenticai/packvendor => "+checkout+"\n")
	write(t, filepath.Join(dir, "go.sum"), string(sum))
	get := []string{"get", "-tool", packvendorPackage}
	switch code, stderr := goOffline(t, dir, get...); {
	case strings.Contains(stderr, "GOPROXY=off"):
		packtest.Unable(t, "go get -tool reads modules for every system, and the module cache lacks some: %s", stderr)
	case code != 0:
		t.Fatalf("go %s: exit code %d\n%s", strings.Join(get, " "), code, stderr)
	}
	text, err := os.ReadFile(goMod)
	if err != nil {
		t.Fatal(err)
	}
	mod, err := modfile.Parse(goMod, text, nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(mod.Tool) != 1 || mod.Tool[0].Path != packvendorPackage {
		t.Errorf("go get -tool has not recorded the tool:\n%s", text)
	}
	if n := len(mod.Require) - 1; n < 1 || n > maxInherited {
		t.Errorf("go get -tool adds %d lines of other modules, want at most %d:\n%s", n, maxInherited, text)
	}
}

// toolModule makes a module that requires packvendor, from checkout, in modFile, with
// packvendor's own versions. The tool, if any, is one of modFile's.
func toolModule(t *testing.T, checkout, modFile, tool string) string {
	t.Helper()
	dir := t.TempDir()
	if err := writeToolModule(dir, checkout, modFile, tool); err != nil {
		t.Fatal(err)
	}
	return dir
}

func writeToolModule(dir, checkout, modFile, tool string) error {
	ours, err := os.ReadFile(filepath.Join(checkout, "go.mod"))
	if err != nil {
		return err
	}
	sum, err := os.ReadFile(filepath.Join(checkout, "go.sum"))
	if err != nil {
		return err
	}
	_, requires, _ := strings.Cut(string(ours), "require")
	if tool != "" {
		tool = "tool " + tool + "\n\n"
	}
	const head = "module example.com/app\n\ngo 1.25.0\n"
	for _, file := range []struct{ name, text string }{
		{"go.mod", head},
		{modFile, head + "\n" + tool + "require github.com/greenticai/packvendor v0.0.0\n\n" +
			"replace github.com/greenticai/packvendor => " + checkout + "\n\nrequire" + requires},
		{strings.TrimSuffix(modFile, ".mod") + ".sum", string(sum)},
	} {
		if err := os.WriteFile(filepath.Join(dir, file.name), []byte(file.text), 0o666); err != nil {
			return err
		}
	}
	return nil
}

// goIn runs the go command, which must end with that exit code, and returns its
// standard error.
func goIn(t *testing.T, dir string, want int, args ...string) string {
	t.Helper()
	code, stderr := goOffline(t, dir, args...)
	if code != want {
		t.Fatalf("go %s: exit code %d, want %d\n%s", strings.Join(args, " "), code, want, stderr)
	}
	return stderr
}

// goOffline runs the go command without a proxy, in a world without caches of ours.
func goOffline(t *testing.T, dir string, args ...string) (code int, stderr string) {
	t.Helper()
	var said strings.Builder
	cmd := exec.Command("go", args...)
	cmd.Dir, cmd.Stderr = dir, &said
	cmd.Env = append(os.Environ(), "GOPROXY=off", "GOFLAGS=-mod=mod", "GOWORK=off", "CI=", "PACKVENDOR_FLAGS=",
		"GREENTIC_PACK_CACHE_DIR="+filepath.Join(dir, ".cache"))
	err := cmd.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return exit.ExitCode(), said.String()
	}
	if err != nil {
		t.Fatal(err)
	}
	return 0, said.String()
}

// buildAlone builds the packs' package on a machine without modules and without a
// proxy: unlike go generate, go build does not need packvendor.
func buildAlone(t *testing.T, dir string) {
	t.Helper()
	cmd := exec.Command("go", "build", "./packs")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOMODCACHE="+t.TempDir(), "GOPROXY=off", "GOFLAGS=-mod=readonly", "GOWORK=off")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("go build with an empty module cache: %v\n%s", err, out)
	}
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
}
