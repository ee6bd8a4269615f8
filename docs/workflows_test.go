package docs_test

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
)

// A workflow is what these tests read of one of GitHub's.
type workflow struct {
	Permissions map[string]string
	Jobs        map[string]workflowJob
}

type workflowJob struct {
	Permissions map[string]string
	Uses        string
	Steps       []struct{ Name, Uses, Run string }
}

// commands returns the lines of the job's commands, without comments.
func (j workflowJob) commands() (lines []string) {
	for _, step := range j.Steps {
		for line := range strings.Lines(step.Run) {
			if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
				lines = append(lines, line)
			}
		}
	}
	return lines
}

// ownJobs are the jobs of this repository's workflows, and what each runs beside the
// commands of .ci/run.
var ownJobs = map[string][]string{
	"test.yml test": {
		"git config --global core.autocrlf false",
	},
	"test.yml source": {
		`.ci/install "$RUNNER_TEMP/tools" /cmd/staticcheck`,
		`echo "$RUNNER_TEMP/tools" >>"$GITHUB_PATH"`,
	},
	"release.yml notes": {
		`.ci/notes "$GITHUB_REF_NAME"`,
	},
	"release.yml test": nil,
	"release.yml build": {
		`.ci/install --deep "$RUNNER_TEMP/tools" 'goreleaser|cyclonedx-gomod'`,
		`echo "$RUNNER_TEMP/tools" >>"$GITHUB_PATH"`,
		"goreleaser release --clean", // .ci/release runs it, too
		`.ci/notes "$GITHUB_REF_NAME" >dist/notes.md`,
	},
	"release.yml publish": nil, // trusted says what it runs
}

// trusted is all that a job may use and start that has more rights than to read: nothing
// of this repository, and nothing that builds.
var trusted = struct{ actions, programs []string }{
	actions:  []string{"actions/attest", "actions/download-artifact", "sigstore/cosign-installer"},
	programs: []string{"awk", "cosign", "gh", "sha256sum"},
}

// The workflows of this repository run commands of .ci/run, what a table here lists beside
// them, and nothing else. A job with more rights than to read runs no code of ours.
func TestOwnWorkflows(t *testing.T) {
	script, err := os.ReadFile(filepath.Join("..", ".ci", "run"))
	if err != nil {
		t.Fatal(err)
	}
	allowed := checksOf(string(script))
	seen := map[string]bool{}
	for _, file := range glob(t, "../.github/workflows/*") {
		w := readWorkflow(t, file)
		if !maps.Equal(w.Permissions, map[string]string{"contents": "read"}) {
			t.Errorf("%s: jobs have the rights %v, if they do not name others", file, w.Permissions)
		}
		for name, job := range w.Jobs {
			key := filepath.Base(file) + " " + name
			more, ok := ownJobs[key]
			if !ok {
				t.Errorf("%s: the job %s is not in ownJobs", file, name)
			}
			seen[key] = true
			for _, fault := range jobFaults(job, slices.Concat(more, allowed)) {
				t.Errorf("%s: %s: %s", file, name, fault)
			}
		}
	}
	for key := range ownJobs {
		if !seen[key] {
			t.Errorf("there is no job %s", key)
		}
	}
}

// jobFaults returns what a job has or does that it must not. It may run the allowed
// commands.
func jobFaults(job workflowJob, allowed []string) (faults []string) {
	if job.Uses != "" && job.Uses != "./.github/workflows/test.yml" {
		faults = append(faults, "it is "+job.Uses)
	}
	if !mayWrite(job.Permissions) {
		for _, line := range job.commands() {
			if !slices.Contains(allowed, line) {
				faults = append(faults, fmt.Sprintf(".ci/run does not run %q", line))
			}
		}
		return faults
	}
	for _, step := range job.Steps {
		if action, _, _ := strings.Cut(step.Uses, "@"); action != "" && !slices.Contains(trusted.actions, action) {
			faults = append(faults, "it may write, and uses "+action)
		}
	}
	for _, name := range programs(strings.Join(job.commands(), "\n")) {
		if !slices.Contains(trusted.programs, name) {
			faults = append(faults, "it may write, and runs "+name)
		}
	}
	return faults
}

// mayWrite reports whether there are more rights than to read. The right id-token has no
// other value than write.
func mayWrite(permissions map[string]string) bool {
	for _, right := range permissions {
		if right != "read" && right != "none" {
			return true
		}
	}
	return false
}

func TestJobFaults(t *testing.T) {
	allowed := []string{"go vet ./..."}
	for _, test := range []struct{ job, want string }{
		{"steps: [{run: go vet ./...}]", ""},
		{"steps: [{run: \"# why\\ngo vet ./...\\n\"}]", ""},
		{"permissions: {contents: read}\nsteps: [{run: go vet ./...}]", ""},
		{"steps: [{run: go vet .}]", `.ci/run does not run "go vet ."`},
		{"steps: [{name: Install x, run: curl x}]", `.ci/run does not run "curl x"`},
		{"uses: ./.github/workflows/test.yml", ""},
		{"uses: a/b/.github/workflows/c.yml@v1", "it is a/b/.github/workflows/c.yml@v1"},
		{"permissions: {id-token: write}\nsteps: [{run: go vet ./...}]", "it may write, and runs go"},
		{"permissions: {contents: write}\nsteps: [{uses: actions/checkout@v1}]", "it may write, and uses actions/checkout"},
		{"permissions: {contents: write}\nsteps: [{uses: actions/attest@v1}, {run: cosign sign-blob x}]", ""},
	} {
		var job workflowJob
		if err := yaml.Unmarshal([]byte(test.job), &job); err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(jobFaults(job, allowed), ", "); got != test.want {
			t.Errorf("%q, want %q, of\n%s", got, test.want, test.job)
		}
	}
}

// checksOf returns the commands of .ci/run in the folder of this module: without variables
// that are set for a command, and without what makes the machine look new.
func checksOf(script string) (commands []string) {
	prefix := regexp.MustCompile(`^(?:fresh |[A-Z_]+=[^\s"']* )+`)
	inside := 0
	for line := range strings.Lines(script) {
		switch line = strings.TrimSpace(line); {
		case line == "(":
			inside++
		case line == ")":
			inside--
		case inside == 0 && line != "" && !strings.HasPrefix(line, "#"):
			commands = append(commands, prefix.ReplaceAllString(line, ""))
		}
	}
	return commands
}

func TestChecksOf(t *testing.T) {
	got := checksOf("# why\nstep x\nfresh go test ./...\n  GOOS=$os CI=true go vet ./...\n(\n  cd bench\n  go run .\n)\na=$(b c)\n")
	if want := []string{"step x", "go test ./...", "go vet ./...", "a=$(b c)"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

var (
	quoted     = regexp.MustCompile("'[^']*'|\"[^\"`(]*\"")
	list       = regexp.MustCompile(`=\([^()]*\)`)
	copied     = regexp.MustCompile(`\d*[<>]&\d+`) // 2>&1
	separators = regexp.MustCompile("[;|&()`\n]")
	notProgram = []string{"", "!", "{", "}", "[", "[[", "if", "then", "elif", "else", "fi", "while", "do", "done", "echo", "exit", "mapfile", "printf"}
)

// programs returns the names of the programs that a shell's commands start, sorted. It
// knows as much of the shell as our workflows use.
func programs(commands string) []string {
	names := map[string]bool{}
	commands = strings.ReplaceAll(commands, "\\\n", " ")
	commands = copied.ReplaceAllString(list.ReplaceAllString(quoted.ReplaceAllString(commands, "text"), "="), "")
	commands = strings.ReplaceAll(commands, `"`, "")
	for _, command := range separators.Split(commands, -1) {
		for _, word := range strings.Fields(command) {
			if strings.Contains(word, "=") && !strings.HasPrefix(word, "=") {
				continue // a variable is set
			}
			if !slices.Contains(notProgram, word) {
				names[word] = true
			}
			if !slices.Contains([]string{"!", "{", "if", "then", "elif", "else", "while", "do"}, word) {
				break
			}
		}
	}
	return slices.Sorted(maps.Keys(names))
}

func TestPrograms(t *testing.T) {
	for commands, want := range map[string]string{
		"go vet ./...":                             "go",
		"A=1 go vet ./... && B= make x":            "go make",
		"a=$(gh x \"$b\") || a=none":               "gh",
		"if [ \"$a\" = b ]; then\nc d\nelse e; fi": "c e",
		"if ! a b; then exit 1; fi":                "a",
		"mapfile -t a < <(awk '{ b; c }' d)":       "awk",
		"a 2>&1 | b":                               "a b",
		"a \\\n b":                                 "a",
		"kind=()\n[[ $a != *-* ]] || kind=(--x)\n": "",
		"echo \"$(a b)\"":                          "a",
	} {
		if got := strings.Join(programs(commands), " "); got != want {
			t.Errorf("%q, want %q, of\n%s", got, want, commands)
		}
	}
}

func readWorkflow(t *testing.T, name string) (w workflow) {
	t.Helper()
	data, err := os.ReadFile(name)
	if err == nil {
		err = yaml.Unmarshal(data, &w)
	}
	if err != nil || len(w.Jobs) == 0 {
		t.Fatalf("%s: %d jobs, %v", name, len(w.Jobs), err)
	}
	return w
}

// glob returns the files of a pattern with slashes, of which there must be some.
func glob(t *testing.T, pattern string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.FromSlash(pattern))
	if err != nil || len(files) == 0 {
		t.Fatalf("no files %s, %v", pattern, err)
	}
	return files
}
