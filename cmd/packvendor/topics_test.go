package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/greenticai/packvendor/cmd/packvendor/internal/problem"
	"github.com/greenticai/packvendor/cmd/packvendor/internal/topic"
)

// The topic of exit codes lists the codes of all kinds of problems, and no others.
func TestTopicExitCodes(t *testing.T) {
	want := map[string]bool{}
	for kind := problem.None; kind <= problem.Interrupted; kind++ {
		want[strconv.Itoa(kind.ExitCode())] = true
	}
	if got := topicTerms(t, "exit-codes"); !maps.Equal(got, want) {
		t.Errorf("the topic has the codes %v, the program %v", slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(want)))
	}
}

// topicTerms returns the terms that a topic defines.
func topicTerms(t *testing.T, name string) map[string]bool {
	t.Helper()
	found, ok := topic.Find(name)
	if !ok {
		t.Fatalf("there is no topic %s", name)
	}
	terms := map[string]bool{}
	for _, part := range topicText(found) {
		for term := range strings.SplitSeq(part.terms, ", ") {
			terms[term] = part.kind == entry
		}
	}
	delete(terms, "")
	return terms
}

// The topic of the environment lists the variables that the program looks up, and those
// that packages of others look up for it.
func TestTopicEnvironment(t *testing.T) {
	want := lookedUp(t)
	for _, name := range []string{
		"HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY", // net/http
		"SSL_CERT_FILE", "SSL_CERT_DIR", // crypto/x509, and we look at them
		"TMPDIR",                    // os.TempDir
		"GIT_DIR", "GIT_COMMON_DIR", // found by their name in os.Environ
	} {
		want[name] = true
	}
	got := topicTerms(t, "environment")
	for name := range want {
		if !got[name] {
			t.Errorf("the program looks at %s, which the topic does not list", name)
		}
	}
	for name := range got {
		if !want[name] {
			t.Errorf("the program does not look at %s, which the topic lists", name)
		}
	}
}

// lookedUp returns the variables that the source of the command and of its packages
// looks up: the constant arguments of functions named Getenv, getenv, LookupEnv or lookupEnv.
func lookedUp(t *testing.T) map[string]bool {
	t.Helper()
	out, err := exec.Command("go", "list", "-deps", "-f", "{{if .Module}}{{if .Module.Main}}{{.Dir}}{{end}}{{end}}", ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for dir := range strings.FieldsSeq(string(out)) {
		for name := range lookedUpIn(t, dir) {
			names[name] = true
		}
	}
	return names
}

// passOn are functions that look up the variable that their caller names.
var passOn = []string{"Options.getenv", "helper.environment"}

func lookedUpIn(t *testing.T, dir string) map[string]bool {
	t.Helper()
	files := token.NewFileSet()
	var declarations []ast.Decl
	for _, name := range glob(t, filepath.Join(dir, "*.go")) {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(files, name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		declarations = append(declarations, file.Decls...)
	}
	constants, names := stringConstants(declarations), map[string]bool{}
	for _, declaration := range declarations {
		ast.Inspect(declaration, func(node ast.Node) bool {
			argument := lookup(node)
			if argument == nil {
				return true
			}
			if name := constant(argument, constants); name != "" {
				names[name] = true
			} else if f, ok := declaration.(*ast.FuncDecl); !ok || !slices.Contains(passOn, functionName(f)) {
				t.Errorf("%s: the name of this variable is not constant", files.Position(argument.Pos()))
			}
			return true
		})
	}
	return names
}

// lookup returns the argument of a call that looks a variable up, nil of anything else.
func lookup(node ast.Node) ast.Expr {
	call, ok := node.(*ast.CallExpr)
	if !ok || len(call.Args) != 1 {
		return nil
	}
	name := ""
	switch f := call.Fun.(type) {
	case *ast.Ident:
		name = f.Name
	case *ast.SelectorExpr:
		name = f.Sel.Name
	}
	if !slices.Contains([]string{"Getenv", "getenv", "LookupEnv", "lookupEnv"}, name) {
		return nil
	}
	return call.Args[0]
}

// constant returns the value of a string that is written out or named, else "".
func constant(e ast.Expr, constants map[string]string) string {
	switch e := e.(type) {
	case *ast.BasicLit:
		value, _ := strconv.Unquote(e.Value)
		return value
	case *ast.Ident:
		return constants[e.Name]
	}
	return ""
}

// stringConstants returns the constants of a package that are strings.
func stringConstants(declarations []ast.Decl) map[string]string {
	constants := map[string]string{}
	for _, declaration := range declarations {
		ast.Inspect(declaration, func(node ast.Node) bool {
			if spec, ok := node.(*ast.ValueSpec); ok && len(spec.Values) == len(spec.Names) {
				for i, name := range spec.Names {
					constants[name.Name] = constant(spec.Values[i], nil)
				}
			}
			return true
		})
	}
	return constants
}

// functionName returns TYPE.METHOD, or the name of a function.
func functionName(f *ast.FuncDecl) string {
	if f.Recv == nil {
		return f.Name.Name
	}
	receiver := f.Recv.List[0].Type
	if star, ok := receiver.(*ast.StarExpr); ok {
		receiver = star.X
	}
	return receiver.(*ast.Ident).Name + "." + f.Name.Name
}

// The names of variables are found as literals and as constants.
func TestLookedUpIn(t *testing.T) {
	dir := t.TempDir()
	source := "package p\n\nimport \"os\"\n\nconst name = \"NAMED\"\n\nfunc f() { os.Getenv(name); os.LookupEnv(\"LITERAL\") }\n"
	if err := os.WriteFile(filepath.Join(dir, "p.go"), []byte(source), 0o666); err != nil {
		t.Fatal(err)
	}
	if got := slices.Sorted(maps.Keys(lookedUpIn(t, dir))); !slices.Equal(got, []string{"LITERAL", "NAMED"}) {
		t.Errorf("looked up: %v", got)
	}
}

// The commands that take any reference are those with --insecure-registry, and help names
// them: for all others packs.toml has insecure_registries.
func TestInsecureFlag(t *testing.T) {
	_, help, _ := runWith(t, nil, "help", "references")
	text := strings.Join(strings.Fields(help), " ")
	var have []string
	for command := range everyCommand(newCLI(process{stdout: io.Discard, stderr: io.Discard, getenv: func(string) string { return "" }}).root) {
		has, path := flagOf(command, "insecure-registry") != nil, command.CommandPath()
		if has {
			have = append(have, path)
		}
		_, after, _ := strings.Cut(text, "have --insecure-registry: ")
		named, _, _ := strings.Cut(after, ". ")
		if has != strings.Contains(named, strconv.Quote(path)) {
			t.Errorf("%s: has the flag is %t; help says %q", path, has, named)
		}
	}
	if len(have) != 5 {
		t.Errorf("%q have the flag", have)
	}
}
