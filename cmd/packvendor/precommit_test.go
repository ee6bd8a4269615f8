package main

import (
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/greenticai/packvendor/internal/packtest"
)

// TestPreCommit runs the hooks that docs/ci.md shows, in a repository with one module:
// each passes for the locked packs, and fails for others.
func TestPreCommit(t *testing.T) {
	if testing.Short() {
		t.Skip("pre-commit builds packvendor")
	}
	t.Parallel()
	preCommit := packtest.NeedProgram(t, "pre-commit")
	local, ours := preCommitConfigs(t)
	checkout, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name   string
		module string // its folder in the repository
		make   func(t *testing.T, env []string, dir string) (config string)
	}{
		{"local", ".", func(t *testing.T, _ []string, dir string) string {
			if err := writeToolModule(dir, checkout, "go.mod", packvendorPackage); err != nil {
				t.Fatal(err)
			}
			return local
		}},
		{"of this source", "app", func(t *testing.T, env []string, dir string) string {
			write(t, filepath.Join(dir, "app", "go.mod"), goMod)
			source := copyOfSource(t, env)
			rev := git(t, env, source, "rev-parse", "HEAD")
			return preCommitRev.ReplaceAllString(strings.Replace(ours, "https://github.com/greenticai/packvendor", source, 1), "rev: "+rev)
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			env, user := preCommitEnvironment(t), t.TempDir()
			config := test.make(t, env, user)
			pack := vendoredPack(t, filepath.Join(user, test.module, "packs"))
			write(t, filepath.Join(user, ".pre-commit-config.yaml"), config)
			commitAll(t, env, user)
			run := func() (string, error) {
				cmd := exec.Command(preCommit, "run", "--all-files", "--verbose", "--color=never")
				cmd.Dir, cmd.Env = user, env
				out, err := cmd.CombinedOutput()
				return string(out), err
			}
			toml := path.Join(test.module, "packs", "packs.toml")
			out, err := run()
			if err != nil || !strings.Contains(out, ".Passed\n") || !strings.Contains(out, toml+": 1 of 1 pack verified\n") {
				t.Fatalf("of the locked pack: %v\n%s", err, out)
			}
			if strings.Contains(out, "[WARNING]") {
				t.Errorf("pre-commit warns:\n%s", out)
			}
			write(t, pack, "another pack")
			out, err = run()
			if err == nil || !strings.Contains(out, ".Failed\n") || !strings.Contains(out, "\n- exit code: 4\n") {
				t.Errorf("of another pack: %v\n%s", err, out)
			}
		})
	}
}

var (
	preCommitConfig = regexp.MustCompile("(?s)```yaml\n(repos:\n.*?)```\n")
	preCommitRev    = regexp.MustCompile(`rev: \S+`)
)

// preCommitConfigs returns the configurations of docs/ci.md: that with a local hook, and that
// with the hook of this repository.
func preCommitConfigs(t *testing.T) (local, ours string) {
	t.Helper()
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "ci.md"))
	if err != nil {
		t.Fatal(err)
	}
	found := preCommitConfig.FindAllStringSubmatch(string(page), -1)
	if len(found) != 2 {
		t.Fatalf("docs/ci.md has %d configurations, want 2", len(found))
	}
	return found[0][1], found[1][1]
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
		packtest.Unable(t, "this source is in no git repository: %v", err)
	}
	return string(out)
}

// vendoredPack vendors a pack in a folder of a module, and returns the path of the pack.
func vendoredPack(t *testing.T, dir string) string {
	t.Helper()
	reg := packtest.StartRegistry(t, packtest.Options{Plain: true})
	pushed := packtest.MustPush(t, reg, "greentic/slack", "1.0.0", packtest.Pack(packtest.Zip("slack", "1.0.0", 0), "slack.gtpack"))
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
		git(t, env, dir, strings.Fields(line)...)
	}
}

// git runs git, and returns what it prints.
func git(t *testing.T, env []string, dir string, args ...string) string {
	t.Helper()
	cmd := exec.Command(packtest.NeedProgram(t, "git"), args...)
	cmd.Dir, cmd.Env = dir, env
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out))
}
