package main

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/greenticai/packvendor/internal/packtest/bomschema"
)

// patience bounds a script's wait for an event, and a quick command under load.
const patience = 20 * time.Second

// inputCommands are the commands for bad input and for races.
func inputCommands() map[string]func(*testscript.TestScript, []string) {
	return map[string]func(*testscript.TestScript, []string){
		"write":    cmdWrite,
		"repeat":   cmdRepeat,
		"cases":    cmdCases,
		"quick":    cmdQuick,
		"declares": cmdDeclares,
		"ascii":    cmdASCII,
		"sbom":     cmdSBOM,
		"headers":  cmdHeaders,
		"gate":     cmdGate,
		"await":    cmdAwait,
		"escape":   cmdEscape,
		"prints":   cmdPrints,
	}
}

// prints VAR COMMAND... sets $VAR to the line that a program prints.
func cmdPrints(ts *testscript.TestScript, args []string) {
	ts.Check(ts.Exec(args[1], args[2:]...))
	ts.Setenv(args[0], strings.TrimSpace(ts.ReadFile("stdout")))
}

// unquoted expands Go's escapes in a word, such as \x00 and \u202e.
func unquoted(ts *testscript.TestScript, word string) string {
	text, err := strconv.Unquote(`"` + strings.ReplaceAll(word, `"`, `\"`) + `"`)
	if err != nil {
		ts.Fatalf("%q: %v", word, err)
	}
	return text
}

// write FILE TEXT... writes text, with Go's escapes.
func cmdWrite(ts *testscript.TestScript, args []string) {
	text := unquoted(ts, strings.Join(args[1:], " "))
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(text), 0o666))
}

// repeat FILE N TEXT adds N times text, with Go's escapes, to a file.
func cmdRepeat(ts *testscript.TestScript, args []string) {
	n, err := strconv.Atoi(args[1])
	ts.Check(err)
	file, err := os.OpenFile(ts.MkAbs(args[0]), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o666)
	ts.Check(err)
	_, err = file.WriteString(strings.Repeat(unquoted(ts, args[2]), n))
	ts.Check(errors.Join(err, file.Close()))
}

// cases FILE TEMPLATE CASES CODE COMMAND... runs a command once for each line
// "INPUT => STDERR" of CASES, FILE being TEMPLATE with INPUT for $CASE. Both
// sides may hold Go's escapes and, the right one, the script's variables. It
// must end with that exit code and print exactly that.
func cmdCases(ts *testscript.TestScript, args []string) {
	target, template, code := ts.MkAbs(args[0]), ts.ReadFile(args[1]), args[3]
	failed := false
	for line := range strings.Lines(ts.ReadFile(args[2])) {
		input, want, ok := strings.Cut(strings.TrimSuffix(line, "\n"), " => ")
		if !ok {
			ts.Fatalf("%q is no case", line)
		}
		text := strings.ReplaceAll(template, "$CASE", unquoted(ts, input))
		ts.Check(os.WriteFile(target, []byte(os.Expand(text, ts.Getenv)), 0o666))
		got := exitCodeOf(ts, args[4:])
		want = os.Expand(strings.ReplaceAll(want, `\n`, "\n"), ts.Getenv) + "\n"
		if stderr := ts.ReadFile("stderr"); got != code || stderr != want {
			ts.Logf("case %s: exit code %s, want %s\n%swant:\n%s", input, got, code, stderr, want)
			failed = true
		}
	}
	if failed {
		ts.Fatalf("cases of %s failed", args[2])
	}
}

func exitCodeOf(ts *testscript.TestScript, command []string) string {
	err := ts.Exec(command[0], command[1:]...)
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return strconv.Itoa(exit.ExitCode())
	}
	ts.Check(err)
	return "0"
}

// quick CODE COMMAND... is exits for a command that takes no time to speak of.
func cmdQuick(ts *testscript.TestScript, args []string) {
	start := time.Now()
	cmdExits(ts, args)
	if took := time.Since(start); took > patience {
		ts.Fatalf("it took %s", took)
	}
}

// declares FILE NAME... fails unless the Go file parses and declares exactly
// those names, where "import PATH" is that of a package, "Type.Method" that of a
// method and "//go:embed PATTERN" that of a directive. In a comment that looks
// like an older directive, or ends elsewhere than its line, it is never right.
func cmdDeclares(ts *testscript.TestScript, args []string) {
	file, err := parser.ParseFile(token.NewFileSet(), ts.MkAbs(args[0]), nil, parser.ParseComments)
	ts.Check(err)
	var got []string
	for _, decl := range file.Decls {
		got = append(got, declared(decl)...)
	}
	for _, group := range file.Comments {
		for _, comment := range group.List {
			if isDirective(comment.Text) {
				got = append(got, comment.Text)
			}
		}
	}
	slices.Sort(got)
	if want := slices.Sorted(slices.Values(args[1:])); !slices.Equal(got, want) {
		ts.Fatalf("declared: %q\nwant: %q", got, want)
	}
}

func declared(decl ast.Decl) []string {
	var names []string
	switch decl := decl.(type) {
	case *ast.FuncDecl:
		name := decl.Name.Name
		if decl.Recv != nil {
			name = types.ExprString(decl.Recv.List[0].Type) + "." + name
		}
		names = append(names, name)
	case *ast.GenDecl:
		for _, spec := range decl.Specs {
			switch spec := spec.(type) {
			case *ast.ImportSpec:
				names = append(names, "import "+strings.Trim(spec.Path.Value, `"`))
			case *ast.TypeSpec:
				names = append(names, spec.Name.Name)
			case *ast.ValueSpec:
				for _, name := range spec.Names {
					names = append(names, name.Name)
				}
			}
		}
	}
	return names
}

// isDirective tells whether the go command or the compiler may act upon a comment, or
// whether it does not end with its line.
func isDirective(comment string) bool {
	for _, start := range []string{"//go:", "//line ", "//export ", "//extern ", "// +build", "/*"} {
		if strings.HasPrefix(comment, start) {
			return true
		}
	}
	return false
}

// ascii FILE... fails if a file holds anything but printable ASCII, tabs and
// line ends.
func cmdASCII(ts *testscript.TestScript, args []string) {
	for _, name := range args {
		text := ts.ReadFile(name)
		for n, c := range []byte(text) {
			if c != '\n' && c != '\t' && (c < ' ' || c > '~') {
				ts.Fatalf("%s: byte %#x at %d", name, c, n)
			}
		}
	}
}

// sbom FILE... fails unless each file is valid by the official schema of the CycloneDX
// version that it names.
func cmdSBOM(ts *testscript.TestScript, args []string) {
	for _, name := range args {
		if err := bomschema.Validate([]byte(ts.ReadFile(name))); err != nil {
			ts.Fatalf("%s: %v", name, err)
		}
	}
}

// headers NAME VALUE fails unless every request since requests was last called,
// and there was one, had that header; where VALUE is empty, unless none had it.
func cmdHeaders(ts *testscript.TestScript, args []string) {
	requests := registryOf(ts).Requests()
	if len(requests) == 0 {
		ts.Fatalf("no request to look at")
	}
	for _, r := range requests {
		if got := strings.Join(r.Header.Values(args[0]), ", "); got != args[1] {
			ts.Fatalf("%s: %s is %q, want %q", r, args[0], got, args[1])
		}
	}
}

// gate ARRIVED OPEN has the registry answer no request for a manifest or for tags
// before there is a file OPEN. The last that came is in the file ARRIVED.
func cmdGate(ts *testscript.TestScript, args []string) {
	arrived, open := ts.MkAbs(args[0]), ts.MkAbs(args[1])
	registryOf(ts).Intercept(func(_ http.ResponseWriter, r *http.Request) bool {
		if strings.Contains(r.URL.Path, "/manifests/") || strings.Contains(r.URL.Path, "/tags/") {
			os.WriteFile(arrived, []byte(fmt.Sprintln(r.Method, r.URL.Path)), 0o666)
			waitFor(func() bool { return r.Context().Err() != nil || isFile(open) })
		}
		return false
	})
}

// await FILE TEXT waits until a file, which another process writes, holds text.
func cmdAwait(ts *testscript.TestScript, args []string) {
	name := ts.MkAbs(args[0])
	found := waitFor(func() bool {
		data, _ := os.ReadFile(name)
		return strings.Contains(string(data), args[1])
	})
	if !found {
		data, _ := os.ReadFile(name)
		ts.Fatalf("%s never came to hold %q:\n%s", args[0], args[1], data)
	}
}

// escape VAR TEXT sets $VAR to text as it stands in a URL's query.
func cmdEscape(ts *testscript.TestScript, args []string) {
	ts.Setenv(args[0], url.QueryEscape(args[1]))
}

func isFile(name string) bool {
	_, err := os.Stat(name)
	return err == nil
}

// waitFor returns true once done does, or false after patience.
func waitFor(done func() bool) bool {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(patience)
	for {
		if done() {
			return true
		}
		select {
		case <-tick.C:
		case <-deadline:
			return false
		}
	}
}
