package main

import (
	"encoding/json"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"github.com/greenticai/packvendor/internal/packtest"
	"github.com/greenticai/packvendor/internal/packtest/distribution"
)

// needRenovate returns the path of a program of Renovate. It takes minutes to install, so
// that only .ci/deep asks for these tests.
func needRenovate(t *testing.T, program string) string {
	t.Helper()
	if os.Getenv("PACKVENDOR_RENOVATE") == "" {
		t.Skip("PACKVENDOR_RENOVATE is not set")
	}
	return packtest.NeedProgram(t, program)
}

// TestRenovate has the real Renovate look for updates with our preset, changes packs.toml
// as Renovate does on its branch, and runs the commands of the job that repairs packs.lock.
func TestRenovate(t *testing.T) {
	renovate := needRenovate(t, "renovate")
	r := newRenovated(t)
	r.push("slack:0.4.1", "web:v1.0.0", "events:stable", "again:1.0.0", "same:2.0.0", "next:1.1.0-rc.1", "telco:0.4.0", "table:1.2.0")
	r.add("slack:0.4.1", "web:v1.0.0", "events:stable", "again:1.0.0", "same:2.0.0", "next:1.1.0-rc.1")
	r.add("telco", "--version=^0.4")
	write(t, r.toml, r.text()+"\n[packs.table]\nversion = \"~1.2\"\n# a comment\nref = \""+r.registry.Host()+"/greentic/table\"\n")
	r.run(0)
	before := r.text()

	r.push("slack:0.4.2", "slack:0.5.0", "slack:0.6.0-rc.1", "slack:latest", "web:v1.1.0", "web:v1.2.0-rc.1", "events:stable!",
		"again:1.0.0!", "same:stable", "next:1.1.0", "telco:0.4.9", "telco:0.5.2", "telco:0.6.0-rc.1", "table:1.2.1", "table:1.3.4")
	r.change(r.updates(renovate))
	want := strings.NewReplacer(
		":0.4.1@"+r.digest("slack:0.4.1"), ":0.5.0@"+r.digest("slack:0.5.0"),
		":v1.0.0@"+r.digest("web:v1.0.0"), ":v1.1.0@"+r.digest("web:v1.1.0"),
		":1.1.0-rc.1@"+r.digest("next:1.1.0-rc.1"), ":1.1.0@"+r.digest("next:1.1.0"),
		r.digest("events:stable"), r.digest("events:stable!"),
		`"^0.4"`, `"^0.5.0"`, `"~1.2"`, `"~1.3.0"`,
	).Replace(before)
	if got := r.text(); got != want {
		t.Fatalf("Renovate makes packs.toml\n%s\nwant\n%s", got, want)
	}

	r.run(1, "verify")
	r.repair()
	if said := r.run(0, "verify"); said != "8 of 8 packs verified\n" {
		t.Errorf("verify prints %q", said)
	}
	// The version tag that was pushed again kept its digest. Once the registry has that
	// back, packs.lock is what the registries say.
	r.push("again:1.0.0")
	r.run(0, "verify", "--remote")
}

// Renovate finds no fault with the preset, and none with the configurations that the page
// shows. One of those is the bot's own, of which the validator knows no single file.
func TestRenovateConfig(t *testing.T) {
	validator := needRenovate(t, "renovate-config-validator")
	args := []string{"--strict", filepath.Join("..", "..", presetFile)}
	for _, text := range renovateBlocks(t) {
		if !strings.Contains(text, "allowedCommands") {
			args = append(args, filepath.Join(t.TempDir(), "renovate.json"))
			write(t, args[len(args)-1], text)
		}
	}
	if len(args) < 5 {
		t.Errorf("the page has %d configurations", len(args)-2)
	}
	cmd := exec.Command(validator, args...)
	cmd.Env = append(os.Environ(), "RENOVATE_X_IGNORE_RE2=true")
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "Config validated successfully") {
		t.Errorf("%v\n%s", err, out)
	}
}

// A renovated is a module with packs in a real registry, whose updates Renovate proposes.
type renovated struct {
	*testing.T
	dir, toml string
	packs     string // the folder of all that is pushed: manifests hold the paths
	registry  *distribution.Server
	digests   map[string]string // of manifests, by what was pushed
}

func newRenovated(t *testing.T) *renovated {
	t.Helper()
	checkout, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	registry, err := distribution.Start(distribution.Options{Dir: t.TempDir(), Plain: true})
	if err != nil {
		packtest.Unable(t, "%v", err)
	}
	t.Cleanup(func() { registry.Stop() })
	dir := toolModule(t, checkout, "go.mod", packvendorPackage)
	r := &renovated{t, dir, filepath.Join(dir, "packs.toml"), t.TempDir(), registry, map[string]string{}}
	r.run(0, "init", "--ci", "renovate")
	write(t, r.toml, `insecure_registries = ["`+registry.Host()+`"]`+"\n\n"+r.text())
	return r
}

// push pushes packs as NAME:TAG. A "!" at the end makes another pack of the same name.
func (r *renovated) push(references ...string) {
	r.Helper()
	for _, reference := range references {
		name, tag, _ := strings.Cut(reference, ":")
		file := filepath.Join(r.packs, strings.ReplaceAll(reference, ":", "-")+".gtpack")
		write(r.T, file, string(packtest.Zip(name, tag, 0)))
		ref := r.registry.Host() + "/greentic/" + strings.TrimSuffix(reference, "!")
		const created = "org.opencontainers.image.created=2024-01-01T00:00:00Z" // else it is the present time
		if err := r.registry.OrasPush(r.Context(), "--annotation", created, ref, file+":"+packtest.PackMediaType); err != nil {
			r.Fatal(err)
		}
		r.digests[reference] = r.inspect(ref)
	}
}

// inspect returns the digest of a manifest.
func (r *renovated) inspect(ref string) string {
	r.Helper()
	var doc struct {
		Digest string `json:"manifest_digest"`
	}
	code, out, stderr := runWith(r.T, r.env(), "inspect", "--json", "--insecure-registry", r.registry.Host(), ref)
	if err := json.Unmarshal([]byte(out), &doc); err != nil || doc.Digest == "" {
		r.Fatalf("inspect %s: exit code %d, %v\n%s%s", ref, code, err, out, stderr)
	}
	return doc.Digest
}

func (r *renovated) digest(reference string) string {
	r.Helper()
	if r.digests[reference] == "" {
		r.Fatalf("%s was not pushed", reference)
	}
	return r.digests[reference]
}

// add adds packs with the flags among words.
func (r *renovated) add(words ...string) {
	r.Helper()
	isFlag := func(word string) bool { return strings.HasPrefix(word, "-") }
	flags := slices.DeleteFunc(slices.Clone(words), func(word string) bool { return !isFlag(word) })
	for _, name := range slices.DeleteFunc(words, isFlag) {
		r.run(0, append([]string{"add", r.registry.Host() + "/greentic/" + name}, flags...)...)
	}
}

// run runs packvendor, which must end with that exit code, and returns its output.
func (r *renovated) run(want int, args ...string) string {
	r.Helper()
	code, stdout, stderr := runWith(r.T, r.env(), append(args, "-f", r.toml)...)
	if code != want {
		r.Fatalf("packvendor %v: exit code %d, want %d\n%s%s", args, code, want, stdout, stderr)
	}
	return stdout
}

func (r *renovated) env() map[string]string {
	return map[string]string{"GREENTIC_PACK_CACHE_DIR": filepath.Join(r.dir, ".cache"), "CI": "", "GITHUB_ACTIONS": ""}
}

func (r *renovated) text() string {
	r.Helper()
	data, err := os.ReadFile(r.toml)
	if err != nil {
		r.Fatal(err)
	}
	return string(data)
}

// A proposal is a dependency in Renovate's report.
type proposal struct {
	Name    string `json:"depName"`
	Value   string `json:"currentValue"`
	Digest  string `json:"currentDigest"`
	Replace string `json:"replaceString"`
	Updates []struct {
		NewValue, NewDigest string
	}
}

// A report is what these tests read of the file that --report-path names.
type report struct {
	Problems     []any
	Repositories map[string]struct {
		Problems     []any
		PackageFiles map[string][]struct {
			PackageFile string
			Deps        []proposal
		}
	}
}

// wanted is the line of Renovate's log that names the dependencies with updates, less
// those that packageRules switch off. The report of a local run has no branches.
var wanted = regexp.MustCompile(`flattened updates found: (.*) \(repository=local\)`)

// updates runs Renovate over the module, and returns the dependencies that it would update.
func (r *renovated) updates(renovate string) (found []proposal) {
	r.Helper()
	own := r.TempDir()
	write(r.T, filepath.Join(own, "config.json"), r.config())
	file := filepath.Join(own, "report.json")
	cmd := exec.Command(renovate, "--platform=local", "--onboarding=false", "--require-config=optional", "--report-type=file", "--report-path="+file)
	cmd.Dir = r.dir
	cmd.Env = append(os.Environ(), "RENOVATE_CONFIG_FILE="+filepath.Join(own, "config.json"),
		"RENOVATE_BASE_DIR="+filepath.Join(own, "base"), "LOG_LEVEL=debug", "RENOVATE_X_IGNORE_RE2=true")
	out, err := cmd.CombinedOutput()
	if err != nil {
		r.Fatalf("renovate: %v\n%s", err, out)
	}
	names := wanted.FindSubmatch(out)
	data, err := os.ReadFile(file)
	var said report
	if err == nil {
		err = json.Unmarshal(data, &said)
	}
	local := said.Repositories["local"]
	if err != nil || names == nil || len(said.Problems)+len(local.Problems) > 0 {
		r.Fatalf("report of renovate: %v\n%s\n%s", err, data, out)
	}
	for _, manager := range local.PackageFiles {
		for _, packageFile := range manager {
			found = append(found, packageFile.Deps...)
		}
	}
	r.Logf("Renovate finds %d packs, and updates of %s", len(found), names[1])
	return slices.DeleteFunc(found, func(p proposal) bool {
		return !slices.Contains(strings.Split(string(names[1]), ", "), p.Name)
	})
}

// config returns what a bot of this repository has: the preset, the configuration that
// the page shows, and the registry. "local" knows no other repository, so that the preset
// is not extended, but here.
func (r *renovated) config() string {
	r.Helper()
	preset, err := os.ReadFile(filepath.Join("..", "..", presetFile))
	config, page := map[string]any{}, map[string]any{}
	if err == nil {
		err = json.Unmarshal(preset, &config)
	}
	if err == nil {
		err = json.Unmarshal([]byte(renovateJSON(r.T)), &page)
	}
	if err != nil {
		r.Fatal(err)
	}
	extends := page["extends"].([]any)
	if last := len(extends) - 1; extends[last] != "github>greenticai/packvendor" {
		r.Fatalf("the page extends %v", extends)
	} else {
		page["extends"] = extends[:last]
	}
	maps.Copy(config, page)
	maps.Copy(config, map[string]any{
		"hostRules":       []any{map[string]any{"matchHost": "https://" + r.registry.Host(), "insecureRegistry": true}},
		"enabledManagers": []string{"custom.regex"}, // the others ask other hosts
	})
	data, err := json.Marshal(config)
	if err != nil {
		r.Fatal(err)
	}
	return string(data)
}

// change replaces text in packs.toml as Renovate does: the new value and the new digest
// stand where the old ones stood in the text that was found.
func (r *renovated) change(proposals []proposal) {
	r.Helper()
	text := r.text()
	for _, p := range proposals {
		for _, update := range p.Updates {
			replacement := strings.Replace(p.Replace, p.Value, update.NewValue, 1)
			if p.Digest != "" {
				replacement = p.Name + ":" + update.NewValue + "@" + update.NewDigest // autoReplaceStringTemplate
			}
			if strings.Count(text, p.Replace) != 1 {
				r.Fatalf("%q is not once in packs.toml", p.Replace)
			}
			text = strings.Replace(text, p.Replace, replacement, 1)
		}
	}
	write(r.T, r.toml, text)
}

// repair runs the commands of the job that init has written, as GitHub does.
func (r *renovated) repair() {
	r.Helper()
	data, err := os.ReadFile(filepath.Join(r.dir, ".github", "workflows", "packvendor-lock.yml"))
	var f ciFile
	if err == nil {
		err = yaml.Unmarshal(data, &f)
	}
	if err != nil || len(f.Jobs["repair"].Steps) == 0 {
		r.Fatalf("%d jobs, %v", len(f.Jobs), err)
	}
	for _, step := range f.Jobs["repair"].Steps {
		if step.Name != "Repair" {
			continue
		}
		cmd := exec.Command("bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step.Run)
		cmd.Dir = r.dir
		cmd.Env = append(append(os.Environ(), goEnvironment(r.T)...), "CI=true", "GITHUB_ACTIONS=true", "PACKVENDOR_FLAGS=",
			"GOFLAGS=-mod=mod -buildvcs=false", "GREENTIC_PACK_CACHE_DIR="+filepath.Join(r.dir, ".cache"))
		if out, err := cmd.CombinedOutput(); err != nil {
			r.Fatalf("%s: %v\n%s", step.Run, err, out)
		}
	}
}
