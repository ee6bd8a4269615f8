package main

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
)

// isWanted evaluates the condition of a step. A step without a status function wants all
// steps before it to have succeeded.
func (r *runner) isWanted(condition string, failed bool) (bool, error) {
	condition = strings.TrimSuffix(strings.TrimPrefix(strings.TrimSpace(condition), "${{"), "}}")
	rest, always := strings.CutPrefix(strings.TrimSpace(condition), "always()")
	rest = strings.TrimPrefix(strings.TrimSpace(rest), "&&")
	if failed && !always {
		return false, nil
	}
	if strings.TrimSpace(rest) == "" {
		return true, nil
	}
	value, err := r.evaluate(rest)
	return value != "" && value != "false", err
}

// expand replaces each ${{ EXPRESSION }} in text by its value.
func (r *runner) expand(text string) (string, error) {
	before, rest, ok := strings.Cut(text, "${{")
	if !ok {
		return text, nil
	}
	expression, after, ok := strings.Cut(rest, "}}")
	if !ok {
		return "", fmt.Errorf("%q has no end", text)
	}
	value, err := r.evaluate(expression)
	if err != nil {
		return "", err
	}
	after, err = r.expand(after)
	return before + value + after, err
}

// evaluate knows the part of GitHub's expressions that our files use: names, texts, and
// the operators ||, &&, == and !=, from loose to tight.
func (r *runner) evaluate(expression string) (string, error) {
	for _, operator := range []string{"||", "&&", "==", "!="} {
		left, right, ok := strings.Cut(expression, operator)
		if !ok {
			continue
		}
		a, errA := r.evaluate(left)
		b, errB := r.evaluate(right)
		return operate(operator, a, b), errors.Join(errA, errB)
	}
	expression = strings.TrimSpace(expression)
	if text, ok := strings.CutPrefix(expression, "'"); ok {
		return strings.TrimSuffix(text, "'"), nil
	}
	return r.lookUp(expression)
}

func operate(operator, a, b string) string {
	isTrue := func(value string) bool { return value != "" && value != "false" }
	switch {
	case operator == "||" && isTrue(a), operator == "&&" && !isTrue(a):
		return a
	case operator == "||", operator == "&&":
		return b
	}
	return fmt.Sprint((a == b) == (operator == "=="))
}

// lookUp returns the value of a name. A script sets secrets.NAME with the variable
// SECRET_NAME.
func (r *runner) lookUp(name string) (string, error) {
	context, rest, _ := strings.Cut(name, ".")
	switch context {
	case "inputs":
		if value, ok := r.inputs[rest]; ok {
			return value, nil
		}
	case "steps":
		id, output, _ := strings.Cut(rest, ".outputs.")
		if outputs, ok := r.outputs[id]; ok {
			return outputs[output], nil
		}
	case "secrets":
		return os.Getenv("SECRET_" + rest), nil
	case "github":
		switch rest {
		case "token":
			return "the-job's-own-token", nil
		case "event.pull_request.head.repo.full_name":
			return os.Getenv(pullRequestFrom), nil
		}
		return r.env["GITHUB_"+strings.ToUpper(rest)], nil
	}
	return "", fmt.Errorf("the runner does not know %q", name)
}

func TestRunnerExpressions(t *testing.T) {
	t.Setenv("SECRET_SET", "secret")
	r := &runner{
		env:     map[string]string{"GITHUB_REF_NAME": "main"},
		inputs:  map[string]string{"mode": "update", "file": ""},
		outputs: map[string]map[string]string{"diff": {"changed": "true"}},
	}
	for text, want := range map[string]string{
		"plain": "plain",
		"${{ inputs.mode }}-${{ github.ref_name }}":       "update-main",
		"${{ secrets.SET || github.token }}":              "secret",
		"${{ secrets.NONE || github.token }}":             "the-job's-own-token",
		"${{ inputs.mode == 'update' }}":                  "true",
		"${{ inputs.mode != 'update' || inputs.file }}":   "",
		"${{ steps.diff.outputs.changed == 'true' && 1}}": "",
	} {
		got, err := r.expand(text)
		if strings.HasSuffix(text, "1}}") {
			if err == nil {
				t.Errorf("%s: %q, want an error", text, got)
			}
			continue
		}
		if got != want || err != nil {
			t.Errorf("%s: %q, %v, want %q", text, got, err, want)
		}
	}
	for _, test := range []struct {
		condition string
		failed    bool
		want      bool
	}{
		{"", false, true},
		{"", true, false},
		{"always()", true, true},
		{"always() && inputs.mode == 'verify'", true, false},
		{"steps.diff.outputs.changed == 'true'", false, true},
		{"steps.diff.outputs.changed == 'true'", true, false},
		{"${{ steps.diff.outputs.changed == 'false' }}", false, false},
	} {
		if got, err := r.isWanted(test.condition, test.failed); got != test.want || err != nil {
			t.Errorf("if: %s after failure %v: %v, %v, want %v", test.condition, test.failed, got, err, test.want)
		}
	}
}
