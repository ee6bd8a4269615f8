package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/greenticai/packvendor/internal/packtest"
)

// TestGoTool uses packvendor as applications do: as a tool of their go.mod, or
// of a go.mod file beside it, under go generate.
func TestGoTool(t *testing.T) {
	checkout, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ name, modFile, directive string }{
		{"go.mod", "go.mod", "//go:generate go tool packvendor"},
		{"modfile", "packvendor.mod", "//go:generate go tool -modfile=../packvendor.mod packvendor"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			reg := packtest.StartRegistry(t, packtest.Options{Plain: true})
			pushed := packtest.MustPush(t, reg, "greentic/slack", "stable", packtest.Pack(packtest.Zip("slack", "1.0.0", 0), "slack.gtpack"))
			dir := toolModule(t, checkout, test.modFile)
			write(t, filepath.Join(dir, "packs", "generate.go"), "package packs\n\n"+test.directive+"\n")
			toml := filepath.Join(dir, "packs", "packs.toml")
			write(t, toml, `insecure_registries = ["`+reg.Host()+`"]`+"\n[packs]\nslack = \""+reg.Host()+"/greentic/slack:stable@"+string(pushed.ManifestDigest)+"\"\n")

			goIn(t, dir, 0, "generate", "./...")
			goIn(t, dir, 0, "vet", "./...")

			// go tool passes packvendor's own exit code on.
			write(t, toml, "[packs]\nslack = \"no-host:1\"\n")
			tool := append([]string{"tool"}, strings.Fields(strings.TrimPrefix(test.directive, "//go:generate go tool"))...)
			stderr := goIn(t, filepath.Join(dir, "packs"), 2, tool...)
			want := `packvendor: error: packs.toml:2: packs.slack: invalid reference "no-host:1": no registry host: write host/repository, like ghcr.io/owner/name` + "\n"
			if stderr != want {
				t.Errorf("got %q, want %q", stderr, want)
			}
		})
	}
}

// toolModule makes a module that has packvendor, from checkout, as a tool in
// modFile, with the versions that packvendor itself requires.
func toolModule(t *testing.T, checkout, modFile string) string {
	t.Helper()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "go.mod"), "module example.com/app\n\ngo 1.25.0\n")
	ours, err := os.ReadFile(filepath.Join(checkout, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	_, requires, _ := strings.Cut(string(ours), "require")
	write(t, filepath.Join(dir, modFile), "module example.com/app\n\ngo 1.25.0\n\ntool github.com/greenticai/packvendor/cmd/packvendor\n\n"+
		"require github.com/greenticai/packvendor v0.0.0\n\nreplace github.com/greenticai/packvendor => "+checkout+"\n\nrequire"+requires)
	sum, err := os.ReadFile(filepath.Join(checkout, "go.sum"))
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, strings.TrimSuffix(modFile, ".mod")+".sum"), string(sum))
	return dir
}

// goIn runs the go command, which must end with that exit code, and returns
// what it said on standard error.
func goIn(t *testing.T, dir string, want int, args ...string) string {
	t.Helper()
	var stderr strings.Builder
	cmd := exec.Command("go", args...)
	cmd.Dir, cmd.Stderr = dir, &stderr
	cmd.Env = append(os.Environ(), "GOPROXY=off", "GOFLAGS=-mod=mod", "GOWORK=off", "CI=", "PACKVENDOR_FLAGS=",
		"GREENTIC_PACK_CACHE_DIR="+filepath.Join(dir, ".cache"))
	err := cmd.Run()
	code := 0
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		code = exit.ExitCode()
	} else if err != nil {
		t.Fatal(err)
	}
	if code != want {
		t.Fatalf("go %s: exit code %d, want %d\n%s", strings.Join(args, " "), code, want, stderr.String())
	}
	return stderr.String()
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
