package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// docs/errors.md has the words of each message in the source, and what it has without a
// script is in the source.
func TestErrorsOfSource(t *testing.T) {
	groups, err := readErrorsTable()
	if err != nil {
		t.Fatal(err)
	}
	page := errorsPage(groups)
	source := sourceMessages(t)
	if len(source) < 300 {
		t.Fatalf("%d messages", len(source))
	}
	for _, text := range foreign {
		source = append(source, sourceMessage{"Go or the system", text})
	}
	var words strings.Builder
	for _, m := range source {
		for _, part := range m.constants() {
			words.WriteString(part + "\n")
			if !strings.Contains(page, part) {
				t.Errorf("%s: %s has no entry with the words %q", m.place, errorsTable, part)
			}
		}
	}
	for _, g := range groups {
		for _, e := range g.entries {
			for _, form := range e.messages {
				if form.isUntold && !isOfSource(form.text, words.String()) {
					t.Errorf("%s: the source has no message %q", errorsTable, form.text)
				}
			}
		}
	}
}

// separator stands between texts of the source.
var separator = regexp.MustCompile(`…|, but |\(`)

// isOfSource reports whether each constant part of a message is in the words of the
// source.
func isOfSource(text, words string) bool {
	for _, part := range separator.Split(text, -1) {
		if part = trimmed(part); strings.Contains(part, " ") && !strings.Contains(words, part) {
			return false
		}
	}
	return true
}

// A sourceMessage is the text of an error or a warning, or a part of it, in a Go file.
type sourceMessage struct {
	place string
	text  string // a format
}

var formatVerb = regexp.MustCompile(`%[-+*0-9.]*(?:\[\d\])?[a-zA-Z]`)

// constants are the parts of a message with several words that do not depend on values.
func (m sourceMessage) constants() []string {
	var all []string
	for line := range strings.SplitSeq(m.text, "\n") {
		for _, part := range formatVerb.Split(line, -1) {
			if part = trimmed(part); strings.Contains(part, " ") {
				all = append(all, part)
			}
		}
	}
	return all
}

func trimmed(part string) string { return strings.Trim(part, " \t:;,.\"'()") }

// notMessages are folders without messages to users of packvendor: tests, examples,
// sigstore, another program that packvendor quotes, and embedgen, whose callers check first
// what it would refuse.
// What it writes is generatedExample. Texts that are no markers are passed over.
var notMessages = []string{"internal/packtest", "internal/marker", "examples", "bench", "sigstore", "docs", "testdata", "embedgen", ".git"}

// sourceMessages returns the messages in the source.
func sourceMessages(t *testing.T) []sourceMessage {
	t.Helper()
	root := filepath.Join("..", "..")
	var all []sourceMessage
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(root, path)
		switch {
		case err != nil:
			return err
		case entry.IsDir() && slices.Contains(notMessages, filepath.ToSlash(name)):
			return filepath.SkipDir
		case !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go"):
			return nil
		}
		found, err := messagesIn(path, filepath.ToSlash(name))
		all = append(all, found...)
		if err != nil {
			return err
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, example := range []string{generatedExample, generatedStub} {
		generated, err := messagesIn(filepath.Join(root, example), example)
		if err != nil || len(generated) == 0 {
			t.Fatalf("%s has %d messages: %v", example, len(generated), err)
		}
		all = append(all, generated...)
	}
	return all
}

// These are code that packvendor generates: its messages are those of programs.
const (
	generatedExample = "embedgen/testdata/one.golden"
	generatedStub    = "embedgen/testdata/two_stub.golden"
)

// messagesIn returns the messages in a Go file, called name.
func messagesIn(path, name string) ([]sourceMessage, error) {
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, path, nil, 0)
	if err != nil {
		return nil, err
	}
	var all []sourceMessage
	ast.Inspect(file, func(n ast.Node) bool {
		for _, text := range messagesAt(n) {
			if !slices.Contains(unshown, text) {
				all = append(all, sourceMessage{name + ":" + strconv.Itoa(files.Position(n.Pos()).Line), text})
			}
		}
		return true
	})
	return all, nil
}

// unshown are texts of errors that no user meets: packvendor finds them and does, or says,
// something else.
var unshown = []string{"exit code %d", "too much", "the cache holds another layer", "its manifest is not cached: %w", "no number of days or weeks", " needs the network, which is off"}

// messageFunctions make errors and warnings of a format, one of their arguments.
var messageFunctions = []string{"Errorf", "New", "usagef", "misuse", "report", "errorf", "newerf", "Warn", "Warning", "warn", "failAt", "FailAt", "refused", "unsupported", "broken", "invalid", "err", "refusal"}

// messageFields are the fields of errors with words of their message.
var messageFields = []string{"Msg", "Reason", "By", "Unread"}

// foreign are messages of the operating system and of Go's library that users meet, with %s
// for what they name.
var foreign = []string{
	"dial tcp: lookup %s: no such host", "dial tcp %s: connect: connection refused",
	"dial tcp %s: connect: network is unreachable", "dial tcp %s: i/o timeout",
	"read tcp %s: read: connection reset by peer", "net/http: TLS handshake timeout",
	"x509: certificate signed by unknown authority", "x509: certificate has expired or is not yet valid",
	"http: server gave HTTP response to HTTPS client",
	"permission denied", "no such file or directory", "no space left on device", "read-only file system",
	"too many open files", "disk quota exceeded",
}

// messagesAt returns the texts that a node makes messages of: calls of functions, fields
// of errors, and the body of a method Error.
func messagesAt(n ast.Node) []string {
	switch n := n.(type) {
	case *ast.CallExpr:
		if slices.Contains(messageFunctions, calledName(n)) {
			return texts(n.Args...)
		}
		if slices.Contains([]string{"Unexpected", "List"}, calledName(n)) { // of internal/tomltext
			var all []string
			for _, want := range texts(n.Args...) {
				all = append(all, "expected "+want+", not %s")
			}
			return all
		}
	case *ast.KeyValueExpr:
		if key, ok := n.Key.(*ast.Ident); ok && slices.Contains(messageFields, key.Name) {
			return texts(n.Value)
		}
	case *ast.FuncDecl:
		if n.Name.Name == "Error" && n.Body != nil {
			var all []string
			ast.Inspect(n.Body, func(part ast.Node) bool {
				if expr, ok := part.(ast.Expr); ok {
					all = append(all, texts(expr)...)
				}
				return true
			})
			return all
		}
	}
	return nil
}

func calledName(call *ast.CallExpr) string {
	switch f := call.Fun.(type) {
	case *ast.Ident:
		return f.Name
	case *ast.SelectorExpr:
		return f.Sel.Name
	}
	return ""
}

// texts returns the strings among expressions, also those that a message is joined of:
// the parts of a sum, and the arguments of calls such as fmt.Sprintf.
func texts(expressions ...ast.Expr) []string {
	var all []string
	for _, expr := range expressions {
		switch expr := expr.(type) {
		case *ast.BasicLit:
			if text, err := strconv.Unquote(expr.Value); err == nil && expr.Kind == token.STRING {
				all = append(all, text)
			}
		case *ast.BinaryExpr:
			all = append(all, texts(expr.X, expr.Y)...)
		case *ast.ParenExpr:
			all = append(all, texts(expr.X)...)
		case *ast.CallExpr:
			all = append(all, texts(expr.Args...)...)
		}
	}
	return all
}
