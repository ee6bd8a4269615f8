package docs_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"github.com/greenticai/packvendor/internal/packtest"
)

var templates = filepath.Join("..", ".github", "ISSUE_TEMPLATE")

// An issueForm is a form of GitHub's.
type issueForm struct {
	Name, Description string
	Body              []struct {
		Type, ID    string
		Attributes  struct{ Label, Description, Value string }
		Validations struct{ Required bool }
	}
}

// The forms are valid by the schemas that check-jsonschema has of them.
func TestIssueFormSchemas(t *testing.T) {
	check := packtest.NeedProgram(t, "check-jsonschema")
	for name, schema := range map[string]string{
		"bug.yml": "vendor.github-issue-forms", "feature.yml": "vendor.github-issue-forms", "config.yml": "vendor.github-issue-config",
	} {
		if out, err := exec.Command(check, "--builtin-schema", schema, filepath.Join(templates, name)).CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
	}
}

// Every question has a name of its own and a label, and a bug report asks for what doctor
// prints.
func TestIssueForms(t *testing.T) {
	for _, name := range []string{"bug.yml", "feature.yml"} {
		form := readForm(t, name)
		if form.Name == "" || form.Description == "" || len(form.Body) == 0 {
			t.Errorf("%s has no name, description or body", name)
		}
		var ids []string
		for _, question := range form.Body {
			if question.Type == "markdown" {
				continue
			}
			if question.ID == "" || question.Attributes.Label == "" || slices.Contains(ids, question.ID) {
				t.Errorf("%s: question %q, %q", name, question.ID, question.Attributes.Label)
			}
			ids = append(ids, question.ID)
		}
	}
	for _, question := range readForm(t, "bug.yml").Body {
		if strings.Contains(question.Attributes.Description, "packvendor doctor") && question.Validations.Required {
			return
		}
	}
	t.Error("bug.yml does not require what doctor prints")
}

func readForm(t *testing.T, name string) (form issueForm) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(templates, name))
	if err == nil {
		err = yaml.Unmarshal(data, &form)
	}
	if err != nil {
		t.Fatal(err)
	}
	return form
}

// The files of this repository that the forms name are there.
func TestIssueFormLinks(t *testing.T) {
	link := regexp.MustCompile(`https://github\.com/greenticai/packvendor/blob/main/([\w./-]*\w)`)
	found := 0
	for _, name := range []string{"bug.yml", "feature.yml", "config.yml"} {
		data, err := os.ReadFile(filepath.Join(templates, name))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range link.FindAllStringSubmatch(string(data), -1) {
			found++
			if _, err := os.Stat(filepath.Join("..", filepath.FromSlash(file[1]))); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	if found == 0 {
		t.Error("no form has a link")
	}
}

// A pull request has a box for each point of CONTRIBUTING's list.
func TestPullRequestTemplate(t *testing.T) {
	template, err := os.ReadFile(filepath.Join("..", ".github", "pull_request_template.md"))
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(filepath.Join("..", "CONTRIBUTING.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, list, _ := strings.Cut(string(page), "\n## A change\n")
	points := regexp.MustCompile(`(?m)^\d+\. `).FindAllString(list, -1)
	boxes := strings.Count(string(template), "\n- [ ] ")
	if boxes == 0 || boxes != len(points) {
		t.Errorf("the template has %d boxes, and CONTRIBUTING %d points", boxes, len(points))
	}
}
