package main

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/greenticai/packvendor/internal/packtest"
	"github.com/greenticai/packvendor/internal/packtest/bomschema"
)

// sbom adds packs to what cyclonedx-gomod writes about a program, in each version that it
// writes: with all that it can find out, too. Installing it takes a while, so that only .ci/deep
// asks for this test.
func TestSBOMGomod(t *testing.T) {
	if os.Getenv("PACKVENDOR_GOMOD") == "" {
		t.Skip("PACKVENDOR_GOMOD is not set")
	}
	gomod := packtest.NeedProgram(t, "cyclonedx-gomod")
	b := newFixture(t, packtest.Options{})
	dir, cache := b.TempDir(), b.TempDir()
	files := b.project("slack = \"" + b.push("slack", "1.0.0", 600) + "\"")
	files["packs.toml"] = strings.Replace(files["packs.toml"], `package = "app"`, `package = "main"`, 1)
	files["main.go"] = "package main\n\nfunc main() { print(Slack().Ref()) }\n"
	files.write(b, dir)
	b.mustRun(b.command(dir, cache, "-q"))
	for _, words := range []string{"init -q", "add .", "commit -q -m packs"} {
		b.mustRun(b.git(dir, strings.Fields(words)...))
	}
	for _, flags := range []string{"-output-version 1.4", "-output-version 1.5", "-output-version 1.6", "-packages -files -std -licenses"} {
		file := filepath.Join(b.TempDir(), "bom.json")
		cmd := exec.Command(gomod, slices.Concat([]string{"app", "-json", "-output", file}, strings.Fields(flags), []string{dir})...)
		cmd.Stdout, cmd.Stderr = new(bytes.Buffer), new(bytes.Buffer)
		b.mustRun(cmd)
		before, err := os.ReadFile(file)
		b.must(err)
		b.mustRun(b.command(dir, cache, "sbom", "--merge", file, "-o", file))
		after, err := os.ReadFile(file)
		b.must(err)
		if err := bomschema.Validate(before); err != nil {
			t.Errorf("%s: cyclonedx-gomod wrote an SBOM that is not valid: %v", flags, err)
		}
		if err := bomschema.Validate(after); err != nil {
			t.Errorf("%s: %v", flags, err)
		}
		checkMerged(t, before, after)
	}
}

// checkMerged sees that an SBOM of cyclonedx-gomod has one pack, on which its main component
// depends, and is otherwise as it was.
func checkMerged(t *testing.T, before, after []byte) {
	t.Helper()
	type sbom struct {
		Metadata struct {
			Component struct {
				Ref string `json:"bom-ref"`
			}
		}
		Components []struct {
			Ref string `json:"bom-ref"`
		}
		Dependencies []struct {
			Ref       string
			DependsOn []string
		}
	}
	var was, is sbom
	for data, to := range map[*[]byte]*sbom{&before: &was, &after: &is} {
		if err := json.Unmarshal(*data, to); err != nil {
			t.Fatal(err)
		}
	}
	if len(is.Components) != len(was.Components)+1 {
		t.Errorf("%d components, want one more than %d", len(is.Components), len(was.Components))
	}
	pack := is.Components[len(is.Components)-1].Ref
	found := false
	for _, d := range is.Dependencies {
		found = found || d.Ref == was.Metadata.Component.Ref && slices.Contains(d.DependsOn, pack)
	}
	if !strings.HasPrefix(pack, "packvendor:slack@") || !found {
		t.Errorf("the main component %s does not depend on %s", was.Metadata.Component.Ref, pack)
	}
	rest := after
	for line := range bytes.Lines(before) {
		line = bytes.TrimRight(line, ",\n")
		i := bytes.Index(rest, line)
		if i < 0 {
			t.Fatalf("%s is lost", line)
		}
		rest = rest[i+len(line):]
	}
}
