package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/greenticai/packvendor/internal/packtest"
)

// TestPreCommit has pre-commit build our hook from this source and run it in a repository
// with one module: it passes for the locked packs, and fails for others.
func TestPreCommit(t *testing.T) {
	if testing.Short() {
		t.Skip("pre-commit builds packvendor twice")
	}
	t.Parallel()
	preCommit := packtest.NeedProgram(t, "pre-commit")
	env := preCommitEnvironment(t)
	hooks, user := copyOfSource(t, env), t.TempDir()
	pack := vendoredPack(t, filepath.Join(user, "app"))
	commitAll(t, env, user)

	tryRepo := func() (string, error) {
		cmd := exec.Command(preCommit, "try-repo", hooks, "packvendor-verify", "--all-files", "--verbose", "--color=never")
		cmd.Dir, cmd.Env = user, env
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	out, err := tryRepo()
	if err != nil || !strings.Contains(out, ".Passed\n") || !strings.Contains(out, "app/packs.toml: 1 of 1 pack verified\n") {
		t.Fatalf("of the locked pack: %v\n%s", err, out)
	}
	write(t, pack, "another pack")
	out, err = tryRepo()
	if err == nil || !strings.Contains(out, ".Failed\n") || !strings.Contains(out, "\n- exit code: 4\n") {
		t.Errorf("of another pack: %v\n%s", err, out)
	}
}

// preCommitEnvironment keeps pre-commit's environments in a folder of their own. Go takes
// modules from its cache and, without the paths of folders, packages from the last build.
func preCommitEnvironment(t *testing.T) []string {
	t.Helper()
	env := append(os.Environ(), goEnvironment(t)...)
	for name, value := range gitEnvironment {
		env = append(env, name+"="+value)
	}
	return append(env, "PRE_COMMIT_HOME="+t.TempDir(), "GOFLAGS=-buildvcs=false -trimpath", "PACKVENDOR_FLAGS=", "GITHUB_ACTIONS=")
}

// copyOfSource returns a repository whose one commit has the files of this source: with a
// repository that has changes, pre-commit leaves out those that are new.
func copyOfSource(t *testing.T, env []string) string {
	t.Helper()
	dir := t.TempDir()
	for name := range strings.SplitSeq(sourceFiles(t), "\x00") {
		data, err := os.ReadFile(filepath.Join("..", "..", name))
		if err != nil {
			continue // "", or a file that is deleted and not committed yet
		}
		write(t, filepath.Join(dir, name), string(data))
	}
	commitAll(t, env, dir)
	return dir
}

// sourceFiles lists the files of this source, each with a zero byte after it.
func sourceFiles(t *testing.T) string {
	t.Helper()
	cmd := exec.Command(packtest.NeedProgram(t, "git"), "ls-files", "--cached", "--others", "--exclude-standard", "-z")
	cmd.Dir = filepath.Join("..", "..")
	out, err := cmd.Output()
	if err != nil {
		t.Skipf("this source is in no git repository: %v", err)
	}
	return string(out)
}

// vendoredPack makes a module with one pack, and returns the path of the pack.
func vendoredPack(t *testing.T, dir string) string {
	t.Helper()
	reg := packtest.StartRegistry(t, packtest.Options{Plain: true})
	pushed := packtest.MustPush(t, reg, "greentic/slack", "1.0.0", packtest.Pack(packtest.Zip("slack", "1.0.0", 0), "slack.gtpack"))
	write(t, filepath.Join(dir, "go.mod"), goMod)
	write(t, filepath.Join(dir, "app.go"), "package app\n")
	toml := filepath.Join(dir, "packs.toml")
	write(t, toml, `insecure_registries = ["`+reg.Host()+`"]`+"\n[packs]\nslack = \""+reg.Host()+"/greentic/slack:1.0.0@"+string(pushed.ManifestDigest)+"\"\n")
	if code, _, stderr := runWith(t, map[string]string{"GREENTIC_PACK_CACHE_DIR": t.TempDir()}, "-f", toml); code != 0 {
		t.Fatalf("exit code %d\n%s", code, stderr)
	}
	return filepath.Join(dir, "packs", "slack.gtpack")
}

// commitAll makes a folder a repository with one commit.
func commitAll(t *testing.T, env []string, dir string) {
	t.Helper()
	for _, line := range []string{"init -q", "add -A", "commit -q -m files"} {
		cmd := exec.Command(packtest.NeedProgram(t, "git"), strings.Fields(line)...)
		cmd.Dir, cmd.Env = dir, env
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("git %s: %v\n%s", line, err, out)
		}
	}
}
