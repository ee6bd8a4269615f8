// Package docs_test holds the pages of this folder to what they say of the code.
package docs_test

import (
	"encoding/json"
	"errors"
	"io"
	"maps"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/greenticai/packvendor"

// TestRooms holds the imports of every package to the table of design.md: a package
// imports those of ours that its row lists, all of them and no others.
func TestRooms(t *testing.T) {
	allowed := roomTable(t)
	imports := packageImports(t)
	for _, name := range slices.Sorted(maps.Keys(imports)) {
		row, ok := allowed[name]
		if !ok {
			t.Errorf("%s has no row", name)
			continue
		}
		for _, other := range imports[name] {
			if !slices.Contains(row, other) {
				t.Errorf("%s imports %s, which its row does not list", name, other)
			}
		}
		for _, other := range row {
			if !slices.Contains(imports[name], other) {
				t.Errorf("%s does not import %s, which its row lists", name, other)
			}
		}
	}
	for name := range allowed {
		if _, ok := imports[name]; !ok {
			t.Errorf("%s has a row, but is no package", name)
		}
	}
}

var (
	roomRow = regexp.MustCompile("(?m)^\\| `([^`]+)` \\|[^|]*\\|([^|]*)\\|$")
	code    = regexp.MustCompile("`([^`]+)`")
)

// roomTable returns the packages of design.md's table, and what each may import.
func roomTable(t *testing.T) map[string][]string {
	t.Helper()
	page, err := os.ReadFile("design.md")
	if err != nil {
		t.Fatal(err)
	}
	table := map[string][]string{}
	for _, row := range roomRow.FindAllStringSubmatch(string(page), -1) {
		table[row[1]] = nil
		for _, name := range code.FindAllStringSubmatch(row[2], -1) {
			table[row[1]] = append(table[row[1]], name[1])
		}
	}
	if len(table) == 0 {
		t.Fatal("design.md has no table of packages")
	}
	return table
}

// packageImports returns the packages of this module that are no tests' own, and
// which others of them each imports, on every system that packvendor is built for.
func packageImports(t *testing.T) map[string][]string {
	t.Helper()
	imports := map[string][]string{}
	for _, system := range []string{"linux", "darwin", "windows"} {
		cmd := exec.Command("go", "list", "-json=ImportPath,Imports", "./...")
		cmd.Dir, cmd.Env = "..", append(os.Environ(), "GOOS="+system, "GOFLAGS=-mod=mod")
		out, err := cmd.Output()
		if err != nil {
			t.Fatal(err)
		}
		for decoder := json.NewDecoder(strings.NewReader(string(out))); ; {
			var p struct {
				ImportPath string
				Imports    []string
			}
			if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatal(err)
			}
			addImports(imports, p.ImportPath, p.Imports)
		}
	}
	return imports
}

func addImports(imports map[string][]string, path string, imported []string) {
	name, ours := strings.CutPrefix(path, module+"/")
	if !ours || name == "docs" {
		return
	}
	list := imports[name]
	for _, other := range imported {
		if other, ours := strings.CutPrefix(other, module+"/"); ours && !slices.Contains(list, other) {
			list = append(list, other)
		}
	}
	imports[name] = list
}
