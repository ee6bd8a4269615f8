package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/greenticai/packvendor/internal/packtest"
	"github.com/greenticai/packvendor/packsfile"
)

// README says how oras fares with a pack as its publishers push it: its layer's title is
// an absolute path.
func TestComparisonOras(t *testing.T) {
	t.Parallel()
	oras := packtest.NeedProgram(t, "oras")
	reg := packtest.StartRegistry(t, packtest.Options{Plain: true})
	build, out := t.TempDir(), t.TempDir()
	title := filepath.Join(build, "slack.gtpack")
	data := packtest.Zip("slack", "1.0.0", 1000)
	pushed := packtest.MustPush(t, reg, "greentic/slack", "1.0.0", packtest.Pack(data, title))
	ref := reg.Host() + "/greentic/slack"

	said, err := exec.Command(oras, "pull", "--plain-http", "--no-tty", "-o", out, ref+":1.0.0").CombinedOutput()
	if err == nil || !strings.Contains(string(said), "path traversal disallowed") {
		t.Errorf("oras pull: error %v\n%s", err, said)
	}
	wantFiles(t, out)
	said, err = exec.Command(oras, "pull", "--plain-http", "--no-tty", "--allow-path-traversal", "-o", out, ref+":1.0.0").CombinedOutput()
	if err != nil {
		t.Errorf("oras pull --allow-path-traversal: error %v\n%s", err, said)
	}
	wantFiles(t, out)
	wantFiles(t, build, "slack.gtpack")

	file := filepath.Join(out, "slack.gtpack")
	said, err = exec.Command(oras, "blob", "fetch", "--plain-http", "--no-tty", "-o", file, ref+"@"+string(pushed.Layers[0])).CombinedOutput()
	if got, _ := os.ReadFile(file); err != nil || string(got) != string(data) {
		t.Errorf("oras blob fetch: %d bytes, error %v\n%s", len(got), err, said)
	}

	file = filepath.Join(out, "fetched.gtpack")
	code, _, stderr := runWith(t, nil, "fetch", "-q", "--allow-tags", "--cache-dir", t.TempDir(), "--insecure-registry", reg.Host(), ref+":1.0.0", "-o", file)
	if got, _ := os.ReadFile(file); code != 0 || string(got) != string(data) {
		t.Errorf("packvendor fetch: %d bytes, exit code %d\n%s", len(got), code, stderr)
	}
}

// wantFiles wants exactly these files in a directory.
func wantFiles(t *testing.T, dir string, want ...string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, entry := range entries {
		got = append(got, entry.Name())
	}
	if strings.Join(got, " ") != strings.Join(want, " ") {
		t.Errorf("%s has the files %q, want %q", dir, got, want)
	}
}

// README says that a clone without the objects of Git LFS builds, and embeds the
// pointers.
func TestComparisonPointer(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	const pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\nsize 12345\n"
	write(t, filepath.Join(dir, "go.mod"), "module example.com/app\n\ngo 1.25.0\n")
	write(t, filepath.Join(dir, "slack.gtpack"), pointer)
	write(t, filepath.Join(dir, "main.go"), "package main\n\nimport _ \"embed\"\n\n//go:embed slack.gtpack\nvar pack string\n\nfunc main() { print(pack) }\n")
	cmd := exec.Command("go", "run", "-buildvcs=false", ".")
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "GOWORK=off", "GOFLAGS=")
	if said, err := cmd.CombinedOutput(); err != nil || string(said) != pointer {
		t.Errorf("error %v\n%s", err, said)
	}
}

// The packs.toml that README begins with is valid.
func TestReadmePacksTOML(t *testing.T) {
	readme, err := os.ReadFile(filepath.Join("..", "..", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?s)```toml\n(.*?)```\n").FindAllStringSubmatch(string(readme), -1)
	if len(blocks) == 0 {
		t.Error("README has no packs.toml")
	}
	for _, block := range blocks {
		if file, err := packsfile.Parse("packs.toml", []byte(block[1])); err != nil || len(file.Packs) != 2 {
			t.Errorf("error %v in\n%s", err, block[1])
		}
	}
}
