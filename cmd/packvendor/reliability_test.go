package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// faultRows are the rows of docs/reliability.md, in order.
const faultRows = "1 2 2b 3 4 5 6 7 8 9 10 10b 11 11b 12 12b 13 13b 14 14b 14c 14d 14e 14f 15 15b 16 17 18 19 20 20b 21 22 23 24 25 26 27 28 63 68 69 70 71 72 " +
	"30 31 32 33 34 35 36 37 38 39 40 41 42 43 44 45 45b 45c 45d 46 46b 46c 47 48 49 62 64 " +
	"50 51 52 53 53b 53c 54 55 56 57 58 59 60 61 " +
	"66 66b 66c 66d 66e 66f 66g " +
	"73 74 " +
	"67 67b 67c 67d 67e 67f 67g 67h 67i 67j 67k 67l 67m 67n"

var (
	faultRow    = regexp.MustCompile(`^\| (\d+[a-z]?) \| (.+) \| (.+) \| (.*)\|$`)
	faultScript = regexp.MustCompile(`^fault(\d\d[a-z]?)(_[a-z0-9]+)+$`)
	faultTest   = regexp.MustCompile(`\.TestFault(\d\d[a-z]?)_[A-Z][A-Za-z0-9]*$`)

	anyFaultTest = regexp.MustCompile(`^TestFault_?\d`)
)

// Every row of docs/reliability.md has tests, and names exactly the scripts and Go
// tests with its number.
func TestReliability(t *testing.T) {
	root := filepath.Join("..", "..")
	name := filepath.Join(root, "docs", "reliability.md")
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	tests := faultTests(t, root)
	var rows []string
	lines := strings.Split(string(text), "\n")
	for n, line := range lines {
		row := faultRow.FindStringSubmatch(line)
		if row == nil {
			continue
		}
		id, got, want := row[1], row[4], strings.Join(tests[row[1]], ", ")+" "
		rows = append(rows, id)
		switch {
		case len(tests[id]) == 0:
			t.Errorf("row %s has no test", id)
		case got != want && *update:
			lines[n] = strings.TrimSuffix(line, got+"|") + want + "|"
		case got != want:
			t.Errorf("row %s names the tests\n\t%s\nthere are\n\t%s\nrun this test with -update", id, got, want)
		}
		delete(tests, id)
	}
	if got := strings.Join(rows, " "); got != faultRows {
		t.Errorf("the rows are\n\t%s\nwant\n\t%s", got, faultRows)
	}
	for id, names := range tests {
		t.Errorf("there is no row %s for %s", id, strings.Join(names, ", "))
	}
	if *update {
		if err := os.WriteFile(name, []byte(strings.Join(lines, "\n")), 0o666); err != nil {
			t.Fatal(err)
		}
	}
}

// faultTests returns the tests of each row: scripts, then Go tests.
func faultTests(t *testing.T, root string) map[string][]string {
	t.Helper()
	tests := map[string][]string{}
	add := func(name string, form *regexp.Regexp, rule string) {
		match := form.FindStringSubmatch(name)
		if match == nil {
			t.Errorf("%s is not named %s", name, rule)
			return
		}
		row := strings.TrimPrefix(match[1], "0")
		tests[row] = append(tests[row], "`"+name+"`")
	}
	scripts, err := filepath.Glob(filepath.Join(root, "testdata", "scripts", "fault*.txtar"))
	if err != nil {
		t.Fatal(err)
	}
	for _, script := range scripts {
		add(strings.TrimSuffix(filepath.Base(script), ".txtar"), faultScript, "faultNN_words")
	}
	for _, name := range goFaultTests(t, root) {
		add(name, faultTest, "TestFaultNN_Words")
	}
	return tests
}

// goFaultTests returns the repository's test functions with the prefix of a row's
// tests, each after its folder's name.
func goFaultTests(t *testing.T, root string) []string {
	t.Helper()
	var names []string
	err := filepath.WalkDir(root, func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		for _, decl := range file.Decls {
			if f, ok := decl.(*ast.FuncDecl); ok && anyFaultTest.MatchString(f.Name.Name) {
				names = append(names, filepath.Base(filepath.Dir(path))+"."+f.Name.Name)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(names)
	return slices.Compact(names) // one test may have a file for each system
}
