package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"github.com/greenticai/packvendor/internal/packtest"
)

// actionlint finds no fault with the workflows that init writes, with this repository's
// own, and with the steps of its action; shellcheck finds none with their commands.
func TestActionlint(t *testing.T) {
	t.Parallel()
	packtest.NeedProgram(t, "shellcheck") // actionlint runs it
	actionlint := packtest.NeedProgram(t, "actionlint")
	for name, files := range map[string][]string{
		"init":              initialWorkflows(t, t.TempDir()),
		"init, switched on": switchedOn(t, initialWorkflows(t, t.TempDir())),
		"init, odd names":   initialWorkflows(t, filepath.Join(t.TempDir(), "it's: {an} @app@", "$(x)")),
		"own":               glob(t, filepath.Join("..", "..", ".github", "workflows", "*.yml")),
		"action":            {actionAsWorkflow(t)},
	} {
		cmd := exec.Command(actionlint, append([]string{"-no-color"}, files...)...)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
	}
}

// initialWorkflows returns the workflows that init writes for packs.toml in a folder
// below the module's root.
func initialWorkflows(t *testing.T, dir string) []string {
	t.Helper()
	write(t, filepath.Join(dir, "go.mod"), goMod)
	write(t, filepath.Join(dir, "my packs", "doc.go"), "package packs\n")
	for _, system := range []string{"github", "renovate"} {
		code, _, stderr := runWith(t, nil, "init", "-q", "--ci", system, "-f", filepath.Join(dir, "my packs", "packs.toml"))
		if code != 0 {
			t.Fatalf("init --ci %s: exit code %d\n%s", system, code, stderr)
		}
	}
	return glob(t, filepath.Join(dir, ".github", "workflows", "*.yml"))
}

// switchable finds the "#" of a line that is switched off.
var switchable = regexp.MustCompile(`(?m)^( *)#(\S|  )`)

func switchedOn(t *testing.T, files []string) []string {
	t.Helper()
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		on := switchable.ReplaceAllString(string(data), "$1$2")
		if on == string(data) {
			t.Errorf("%s has nothing to switch on", name)
		}
		write(t, name, on)
	}
	return files
}

func glob(t *testing.T, pattern string) []string {
	t.Helper()
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) == 0 {
		t.Fatalf("no files %s, %v", pattern, err)
	}
	return files
}

// actionAsWorkflow writes the steps of action.yml as a job: actionlint checks no
// commands of actions.
func actionAsWorkflow(t *testing.T) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "..", "action.yml"))
	if err != nil {
		t.Fatal(err)
	}
	var action struct {
		Inputs yaml.MapSlice
		Runs   struct{ Steps []yaml.MapSlice }
	}
	if err := yaml.Unmarshal(data, &action); err != nil {
		t.Fatal(err)
	}
	workflow, err := yaml.Marshal(map[string]any{
		"on":   map[string]any{"workflow_dispatch": map[string]any{"inputs": &action.Inputs}},
		"jobs": map[string]any{"action": map[string]any{"runs-on": "ubuntu-latest", "steps": &action.Runs.Steps}},
	})
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "action.yml")
	write(t, name, string(workflow))
	return name
}

// shellcheck finds no fault with the jobs for GitLab.
func TestGitLabJobs(t *testing.T) {
	t.Parallel()
	shellcheck := packtest.NeedProgram(t, "shellcheck")
	dir := t.TempDir()
	write(t, filepath.Join(dir, "go.mod"), goMod)
	if code, _, stderr := runWith(t, nil, "init", "-q", "--ci", "gitlab", "-f", filepath.Join(dir, "packs.toml")); code != 0 {
		t.Fatalf("init: exit code %d\n%s", code, stderr)
	}
	data, err := os.ReadFile(filepath.Join(dir, ".gitlab", "packvendor.yml"))
	jobs := map[string]gitlabJob{}
	if err == nil {
		err = yaml.Unmarshal(data, &jobs)
	}
	if err != nil || len(jobs) != 2 {
		t.Fatalf("%d jobs, %v", len(jobs), err)
	}
	for name, job := range jobs {
		cmd := exec.Command(shellcheck, "--shell=bash", "-")
		cmd.Stdin = strings.NewReader("set -eo pipefail\n" + strings.Join(job.Script, "\n"))
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
	}
}
