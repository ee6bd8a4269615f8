package lockfile

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// docs/format.md has all fields of an entry, in their order.
func TestReference(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "docs", "format.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(page), "\n### Fields\n")
	section, _, _ = strings.Cut(section, "\n### ")
	var documented, want []string
	for _, found := range regexp.MustCompile("(?m)^\\| `([a-z_]+)` \\| ([a-z, ]+) \\|").FindAllStringSubmatch(section, -1) {
		documented = append(documented, found[1]+": "+found[2])
	}
	for _, f := range fields {
		row := f.key + ": string"
		if f.number {
			row = f.key + ": number"
		}
		if f.optional {
			row += ", optional"
		}
		want = append(want, row)
	}
	if !slices.Equal(documented, want) {
		t.Errorf("docs/format.md has the fields\n%s\nwant\n%s", strings.Join(documented, "\n"), strings.Join(want, "\n"))
	}
	if !strings.Contains(section, "`version = 1`") || Version != 1 {
		t.Errorf("docs/format.md does not have version = %d", Version)
	}
}
