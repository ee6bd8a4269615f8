package main

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// isWanted evaluates the condition of a job or a step. Where no status function is called,
// all steps before it must have succeeded.
func (r *runner) isWanted(condition string, failed bool) (bool, error) {
	condition = strings.TrimSpace(condition)
	condition = strings.TrimSuffix(strings.TrimPrefix(condition, "${{"), "}}")
	if strings.TrimSpace(condition) == "" {
		return !failed, nil
	}
	value, askedForStatus, err := r.evaluate(condition, failed)
	return isTrue(value) && (!failed || askedForStatus), err
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
	value, _, err := r.evaluate(expression, false)
	if err != nil {
		return "", err
	}
	after, err = r.expand(after)
	return before + fmt.Sprint(value) + after, err
}

// evaluate evaluates one of GitHub's expressions, as far as our files use them: names,
// texts, functions, parentheses and operators. Its value is a string or a bool.
// https://docs.github.com/actions/reference/workflows-and-actions/expressions
func (r *runner) evaluate(text string, failed bool) (value any, askedForStatus bool, err error) {
	e := &expression{runner: r, failed: failed, tokens: tokenForm.FindAllString(text, -1)}
	value = e.or()
	if len(e.tokens) > 0 {
		e.fail("%q is too much", strings.Join(e.tokens, " "))
	}
	if e.err != nil {
		e.err = fmt.Errorf("%s: %w", strings.TrimSpace(text), e.err)
	}
	return value, e.askedForStatus, e.err
}

var tokenForm = regexp.MustCompile(`'(?:[^']|'')*'|\|\||&&|==|!=|[\w-]+(?:\.[\w-]+)*|\S`)

// An expression is what is left of one to evaluate.
type expression struct {
	*runner
	failed, askedForStatus bool
	tokens                 []string
	err                    error
}

func (e *expression) fail(format string, args ...any) {
	e.err = errors.Join(e.err, fmt.Errorf(format, args...))
}

// take takes the next token if it is one of these, or any if there are none.
func (e *expression) take(tokens ...string) (token string, ok bool) {
	if len(e.tokens) == 0 {
		return "", false
	}
	token, ok = e.tokens[0], len(tokens) == 0
	for _, one := range tokens {
		ok = ok || one == token
	}
	if ok {
		e.tokens = e.tokens[1:]
	}
	return token, ok
}

func (e *expression) or() any {
	value := e.and()
	for {
		if _, ok := e.take("||"); !ok {
			return value
		}
		if right := e.and(); !isTrue(value) {
			value = right
		}
	}
}

func (e *expression) and() any {
	value := e.comparison()
	for {
		if _, ok := e.take("&&"); !ok {
			return value
		}
		if right := e.comparison(); isTrue(value) {
			value = right
		}
	}
}

func (e *expression) comparison() any {
	value := e.operand()
	for {
		operator, ok := e.take("==", "!=")
		if !ok {
			return value
		}
		value = isEqual(value, e.operand()) == (operator == "==")
	}
}

func (e *expression) operand() any {
	token, _ := e.take()
	switch {
	case token == "!":
		return !isTrue(e.operand())
	case token == "(":
		value := e.or()
		if _, ok := e.take(")"); !ok {
			e.fail("a parenthesis has no end")
		}
		return value
	case strings.HasPrefix(token, "'"):
		return strings.ReplaceAll(strings.Trim(token, "'"), "''", "'")
	case token == "true" || token == "false":
		return token == "true"
	}
	if _, ok := e.take("("); ok {
		return e.call(token)
	}
	value, err := e.lookUp(token)
	if err != nil {
		e.fail("%w", err)
	}
	return value
}

// call calls a function, whose arguments come next.
func (e *expression) call(function string) any {
	var args []any
	for {
		if _, ok := e.take(")"); ok {
			break
		}
		if len(args) > 0 {
			if _, ok := e.take(","); !ok {
				e.fail("the arguments of %s have no end", function)
				return ""
			}
		}
		args = append(args, e.or())
	}
	switch {
	case function == "always" && len(args) == 0:
		e.askedForStatus = true
		return true
	case function == "failure" && len(args) == 0:
		e.askedForStatus = true
		return e.failed
	case function == "startsWith" && len(args) == 2:
		return strings.HasPrefix(strings.ToLower(fmt.Sprint(args[0])), strings.ToLower(fmt.Sprint(args[1])))
	case function == "hashFiles" && len(args) == 1:
		hash, err := hashFiles(e.env["GITHUB_WORKSPACE"], fmt.Sprint(args[0]))
		if err != nil {
			e.fail("%w", err)
		}
		return hash
	}
	e.fail("the runner does not know %s with %d arguments", function, len(args))
	return ""
}

// hashFiles returns the hash of the hashes of all files of a name, which a pattern "**/NAME"
// has; "" if there are none.
func hashFiles(root, pattern string) (string, error) {
	name, ok := strings.CutPrefix(pattern, "**/")
	if !ok || strings.ContainsAny(name, "*?/") {
		return "", fmt.Errorf("the runner does not know the pattern %s", pattern)
	}
	all, found := sha256.New(), false
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || entry.Name() != name {
			return err
		}
		data, err := os.ReadFile(path)
		sum := sha256.Sum256(data)
		all.Write(sum[:])
		found = true
		return err
	})
	if err != nil || !found {
		return "", err
	}
	return hex.EncodeToString(all.Sum(nil)), nil
}

// isTrue: a text is true unless it is empty, and so is the text "false".
func isTrue(value any) bool { return value != false && value != "" }

// isEqual ignores case. Where the kinds differ GitHub compares numbers.
func isEqual(a, b any) bool {
	textA, okA := a.(string)
	textB, okB := b.(string)
	if okA && okB {
		return strings.EqualFold(textA, textB)
	}
	return number(a) == number(b)
}

func number(value any) float64 {
	switch value {
	case true:
		return 1
	case false, "":
		return 0
	}
	if n, err := strconv.ParseFloat(fmt.Sprint(value), 64); err == nil {
		return n
	}
	return math.NaN()
}

// lookUp returns the value of a name. A script sets secrets.NAME with the variable
// SECRET_NAME, and the repository that a pull request comes from with PULL_REQUEST_FROM.
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
	case "runner":
		if rest == "temp" {
			return r.temp, nil
		}
	case "secrets":
		return os.Getenv("SECRET_" + rest), nil
	case "needs":
		job, output, _ := strings.Cut(rest, ".outputs.")
		if value, ok := os.LookupEnv("OUTPUT_" + job + "_" + output); ok {
			return value, nil
		}
	case "github":
		switch rest {
		case "token":
			return "the-job's-own-token", nil
		case "event.pull_request.head.sha":
			return "the-branch's-last-commit", nil
		case "event.pull_request.head.repo.full_name":
			return cmp.Or(os.Getenv(pullRequestFrom), r.env["GITHUB_REPOSITORY"]), nil
		}
		if value, ok := r.env["GITHUB_"+strings.ToUpper(rest)]; ok {
			return value, nil
		}
	}
	return "", fmt.Errorf("the runner does not know %q", name)
}

func testRunner(t *testing.T) *runner {
	t.Setenv("SECRET_SET", "secret")
	dir := t.TempDir()
	write(t, filepath.Join(dir, "sub", "packs.lock"), "abc")
	return &runner{
		env:     map[string]string{"GITHUB_REF_NAME": "main", "GITHUB_HEAD_REF": "renovate/packs", "GITHUB_REPOSITORY": "example/app", "GITHUB_WORKSPACE": dir},
		inputs:  map[string]string{"mode": "update", "file": ""},
		outputs: map[string]map[string]string{"diff": {"changed": "true", "other": "false"}},
	}
}

func TestRunnerExpressions(t *testing.T) {
	r := testRunner(t)
	for _, test := range []struct{ text, want, err string }{
		{"plain", "plain", ""},
		{"${{ inputs.mode }}-${{ github.ref_name }}", "update-main", ""},
		{"${{ secrets.SET || github.token }}", "secret", ""},
		{"${{ secrets.NONE || github.token }}", "the-job's-own-token", ""},
		{"${{ inputs.mode == 'update' }}", "true", ""},
		{"${{ inputs.mode == 'UPDATE' }}", "true", ""},
		{"${{ inputs.mode != 'update' || inputs.file }}", "", ""},
		{"${{ inputs.mode == 'verify' && (inputs.file || inputs.mode) }}", "false", ""},
		{"${{ inputs.mode == 'verify' && inputs.file || inputs.mode }}", "update", ""},
		{"${{ !inputs.file }}", "true", ""},
		{"${{ steps.diff.outputs.changed == true }}", "false", ""}, // a text is not a boolean
		{"${{ inputs.file == false }}", "true", ""},
		{"${{ 'it''s' }}", "it's", ""},
		{"${{ steps.diff.outputs.none }}", "", ""},
		{"${{ startsWith(github.head_ref, 'Renovate/') }}", "true", ""},
		{"${{ startsWith(github.ref_name, 'renovate/') }}", "false", ""},
		{"${{ github.event.pull_request.head.repo.full_name }}", "example/app", ""},
		{"${{ hashFiles('**/packs.lock') }}", "4f8b42c22dd3729b519ba6f68d2da7cc5b2d606d05daed5ad5128cc03e6c6358", ""},
		{"${{ hashFiles('**/none') }}", "", ""},
		{"${{ hashFiles('*.lock') }}", "", "hashFiles('*.lock'): the runner does not know the pattern *.lock"},
		{"${{ steps.diff.outputs.changed == 'true' && 1}}", "", `steps.diff.outputs.changed == 'true' && 1: the runner does not know "1"`},
		{"${{ steps.none.outputs.changed }}", "", `steps.none.outputs.changed: the runner does not know "steps.none.outputs.changed"`},
		{"${{ github.none }}", "", `github.none: the runner does not know "github.none"`},
		{"${{ (inputs.mode }}", "", "(inputs.mode: a parenthesis has no end"},
		{"${{ inputs.mode inputs.file }}", "", `inputs.mode inputs.file: "inputs.file" is too much`},
		{"${{ fromJSON('1') }}", "", "fromJSON('1'): the runner does not know fromJSON with 1 arguments"},
		{"${{ inputs.mode", "", `"${{ inputs.mode" has no end`},
	} {
		got, err := r.expand(test.text)
		if test.err == "" && (got != test.want || err != nil) || test.err != "" && fmt.Sprint(err) != test.err {
			t.Errorf("%s: %q, %v, want %q, %s", test.text, got, err, test.want, test.err)
		}
	}
}

func TestRunnerConditions(t *testing.T) {
	r := testRunner(t)
	for _, test := range []struct {
		condition string
		failed    bool
		want      bool
	}{
		{"", false, true},
		{"", true, false},
		{"always()", true, true},
		{"always() && inputs.mode == 'verify'", true, false},
		{"failure()", true, true},
		{"failure()", false, false},
		{"steps.diff.outputs.changed == 'true'", false, true},
		{"steps.diff.outputs.changed == 'true'", true, false},
		{"steps.diff.outputs.other", false, true}, // the text "false" is true
		{"${{ steps.diff.outputs.changed == 'false' }}", false, false},
		{"inputs.mode == 'verify' && (inputs.file != 'true' || steps.diff.outputs.changed == 'true')", false, false},
		{"inputs.mode == 'update' && (inputs.file != 'true' || steps.diff.outputs.changed == 'x')", false, true},
	} {
		if got, err := r.isWanted(test.condition, test.failed); got != test.want || err != nil {
			t.Errorf("if: %s after failure %v: %v, %v, want %v", test.condition, test.failed, got, err, test.want)
		}
	}
}
