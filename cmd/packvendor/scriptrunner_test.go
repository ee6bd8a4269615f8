package main

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
)

// A runner stands in for the runners of GitHub and GitLab, which no test can have: it
// runs the commands of a job under the real bash, in the environment that they give it.
// It runs no action that a job uses, and records it.
type runner struct {
	env     map[string]string // beside the process's own
	inputs  map[string]string
	outputs map[string]map[string]string // by the step's id
	temp    string
}

// A ciStep is a step of a GitHub job or of a composite action.
type ciStep struct {
	ID, Name, If, Uses, Run, Shell string
	Dir                            string            `yaml:"working-directory"`
	Env                            map[string]string `yaml:"env"`
	With                           map[string]any
}

// A ciFile is what this runner knows of a workflow, an action or a .gitlab-ci.yml.
type ciFile struct {
	Env      map[string]string
	Defaults struct{ Run ciStep }
	Jobs     map[string]ciJob
	Inputs   map[string]struct{ Default string }
	Runs     struct{ Steps []ciStep }
}

// A ciJob is a job of a workflow.
type ciJob struct {
	If    string
	Steps []ciStep
}

// A gitlabJob is a job in a .gitlab-ci.yml.
type gitlabJob struct {
	Variables map[string]string
	Script    []string
}

// pullRequestFrom names the variable with the repository of a pull request.
const pullRequestFrom = "PULL_REQUEST_FROM"

// runner FILE [JOB] [INPUT=VALUE...] runs the commands of a job in a workflow or of a job
// for GitLab, or those of a composite action with these inputs, as the runner of the CI
// system does in the top of a repository, on $GITHUB_REF_NAME or else main. It ends with
// the exit code of the step that failed. It runs no action that a job uses: a line of
// $WORK/runner/uses is the name of each with its inputs, and $OUTPUT_ID_NAME is the output
// NAME of the one with that id, or of the needed job with that name. $SECRET_NAME is the
// secret NAME; $PULL_REQUEST_FROM is the repository of a pull request, if the event is one;
// $WORK/runner holds the temporary files, summary.md and the last step's output.
func mainRunner() {
	code, err := runJob(os.Args[1], os.Args[2:])
	if err != nil {
		fmt.Fprintln(os.Stderr, "runner:", err)
		code = 99
	}
	os.Exit(code)
}

func runJob(file string, args []string) (code int, err error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return 0, err
	}
	job, words := "", args
	if len(args) > 0 && !strings.Contains(args[0], "=") {
		job, words = args[0], args[1:]
	}
	r, err := newRunner()
	if err != nil {
		return 0, err
	}
	if strings.Contains(filepath.ToSlash(file), ".gitlab") {
		return r.runGitLab(data, job)
	}
	return r.runGitHub(file, data, job, words)
}

func newRunner() (*runner, error) {
	temp := filepath.Join(os.Getenv(scriptWork), "runner")
	return &runner{temp: temp, env: map[string]string{"CI": "true"}, outputs: map[string]map[string]string{}}, os.MkdirAll(temp, 0o777)
}

// runGitLab runs a job's script in one shell, as GitLab does.
func (r *runner) runGitLab(data []byte, name string) (int, error) {
	jobs := map[string]gitlabJob{}
	if err := yaml.Unmarshal(data, &jobs); err != nil {
		return 0, err
	}
	job, ok := jobs[name]
	if !ok {
		return 0, fmt.Errorf("there is no job %s", name)
	}
	maps.Copy(r.env, map[string]string{
		"GITLAB_CI": "true", "CI_SERVER_HOST": "gitlab.example.com", "CI_SERVER_FQDN": "gitlab.example.com",
		"CI_SERVER_PROTOCOL": "https", "CI_PROJECT_PATH": "group/app", "CI_PROJECT_ID": "7",
		"CI_API_V4_URL": "https://gitlab.example.com/api/v4", "CI_COMMIT_BRANCH": "main", "CI_DEFAULT_BRANCH": "main",
	})
	maps.Copy(r.env, job.Variables)
	return r.bash("set -eo pipefail\n"+strings.Join(job.Script, "\n"), ".", nil)
}

func (r *runner) runGitHub(file string, data []byte, job string, words []string) (int, error) {
	var f ciFile
	if err := yaml.Unmarshal(data, &f); err != nil {
		return 0, err
	}
	here, err := os.Getwd()
	if err != nil {
		return 0, err
	}
	maps.Copy(r.env, map[string]string{
		"GITHUB_ACTIONS": "true", "GITHUB_WORKSPACE": here, "GITHUB_REF_NAME": cmp.Or(os.Getenv("GITHUB_REF_NAME"), "main"), "GITHUB_HEAD_REF": cmp.Or(os.Getenv("GITHUB_HEAD_REF"), "renovate/packs"), "GITHUB_ACTOR": "somebody",
		"GITHUB_REPOSITORY": "example/app", "GITHUB_EVENT_NAME": "push", "RUNNER_OS": "Linux", "RUNNER_TEMP": r.temp,
		"GITHUB_STEP_SUMMARY": filepath.Join(r.temp, "summary.md"), "GITHUB_OUTPUT": filepath.Join(r.temp, "output"),
	})
	maps.Copy(r.env, f.Env)
	if os.Getenv(pullRequestFrom) != "" {
		r.env["GITHUB_EVENT_NAME"] = "pull_request"
	}
	steps := f.Runs.Steps
	if job != "" {
		steps = f.Jobs[job].Steps
		if wanted, err := r.isWanted(f.Jobs[job].If, false); err != nil || !wanted {
			fmt.Printf("runner: the job %s is skipped\n", job)
			return 0, err
		}
	} else {
		r.env["GITHUB_ACTION_PATH"], err = filepath.Abs(filepath.Dir(file))
	}
	if err != nil || len(steps) == 0 {
		return 0, errors.Join(err, fmt.Errorf("%s has no steps for %q", file, job))
	}
	r.inputs = map[string]string{}
	for name, input := range f.Inputs {
		r.inputs[name] = input.Default
	}
	for _, word := range words {
		name, value, _ := strings.Cut(word, "=")
		if _, ok := r.inputs[name]; !ok {
			return 0, fmt.Errorf("there is no input %s", name)
		}
		r.inputs[name] = value
	}
	return r.runSteps(steps, f.Defaults.Run.Dir)
}

// runSteps runs the steps up to the first that fails, and then those that want to run
// all the same. It returns the exit code of the first that failed.
func (r *runner) runSteps(steps []ciStep, dir string) (failed int, err error) {
	for _, step := range steps {
		wanted, err := r.isWanted(step.If, failed != 0)
		if err != nil {
			return 0, err
		}
		if !wanted {
			r.outputs[step.ID] = map[string]string{}
			continue
		}
		if step.Uses != "" {
			if err := r.use(step); err != nil {
				return 0, err
			}
			continue
		}
		code, err := r.runStep(step, dir)
		if err != nil {
			return 0, err
		}
		if failed == 0 {
			failed = code
		}
	}
	return failed, nil
}

// use records an action. Its outputs are variables of the script.
func (r *runner) use(step ciStep) error {
	name, _, _ := strings.Cut(step.Uses, "@")
	for _, input := range slices.Sorted(maps.Keys(step.With)) {
		value, err := r.expand(fmt.Sprint(step.With[input]))
		if err != nil {
			return err
		}
		name += " " + input + "=" + value
	}
	r.outputs[step.ID] = map[string]string{}
	for _, variable := range os.Environ() {
		if output, ok := strings.CutPrefix(variable, "OUTPUT_"+step.ID+"_"); ok && step.ID != "" {
			output, value, _ := strings.Cut(output, "=")
			r.outputs[step.ID][output] = value
		}
	}
	file, err := os.OpenFile(filepath.Join(r.temp, "uses"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o666)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(file, name)
	return errors.Join(err, file.Close())
}

func (r *runner) runStep(step ciStep, dir string) (int, error) {
	if strings.Contains(step.Run, "${{") {
		return 0, fmt.Errorf("the commands of %q hold an expression: its value could be commands", step.Name)
	}
	env := map[string]string{}
	for name, text := range step.Env {
		value, err := r.expand(text)
		if err != nil {
			return 0, err
		}
		env[name] = value
	}
	if step.Dir != "" {
		dir = step.Dir
	}
	dir, err := r.expand(dir)
	if err != nil {
		return 0, err
	}
	if err := os.WriteFile(r.env["GITHUB_OUTPUT"], nil, 0o666); err != nil {
		return 0, err
	}
	code, err := r.bash(step.Run, dir, env)
	if err != nil {
		return 0, err
	}
	return code, r.readOutputs(step.ID)
}

func (r *runner) readOutputs(id string) error {
	data, err := os.ReadFile(r.env["GITHUB_OUTPUT"])
	if err != nil {
		return err
	}
	r.outputs[id] = map[string]string{}
	for line := range strings.Lines(string(data)) {
		name, value, ok := strings.Cut(strings.TrimSpace(line), "=")
		if !ok {
			return fmt.Errorf("output %q of step %s", line, id)
		}
		r.outputs[id][name] = value
	}
	return nil
}

// bash runs commands with the options that both systems give it.
func (r *runner) bash(commands, dir string, env map[string]string) (int, error) {
	cmd := exec.Command("bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", commands)
	cmd.Dir, cmd.Env = filepath.FromSlash(dir), os.Environ()
	for _, values := range []map[string]string{r.env, env} {
		for name, value := range values {
			cmd.Env = append(cmd.Env, name+"="+value)
		}
	}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(nil), os.Stdout, os.Stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return exit.ExitCode(), nil
	}
	return 0, err
}
