package vendorer_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/greenticai/packvendor/vendorer"
)

// Only the nearest go.mod tells whether packvendor is a tool.
func TestHasTool(t *testing.T) {
	const (
		plain = "module example.com/app\n\ngo 1.25\n"
		tool  = plain + "\ntool " + vendorer.ToolPath + "\n"
	)
	for name, test := range map[string]struct {
		near, above string // go.mod files; "" for none
		want        bool
	}{
		"a tool":              {tool, "", true},
		"no tool":             {plain, "", false},
		"another tool":        {plain + "\ntool example.com/x\n", "", false},
		"a tool above":        {"", tool, true},
		"only in one above":   {plain, tool, false},
		"no go.mod":           {"", "", false},
		"a broken go.mod":     {tool + "\n)(\n", "", false},
		"a broken, one above": {")(", tool, false},
	} {
		t.Run(name, func(t *testing.T) {
			above := t.TempDir()
			near := filepath.Join(above, "near")
			if err := os.Mkdir(near, 0o777); err != nil {
				t.Fatal(err)
			}
			for dir, text := range map[string]string{near: test.near, above: test.above} {
				if text == "" {
					continue
				}
				if err := os.WriteFile(filepath.Join(dir, "go.mod"), []byte(text), 0o666); err != nil {
					t.Fatal(err)
				}
			}
			if got := vendorer.HasTool(near); got != test.want {
				t.Errorf("%v, want %v", got, test.want)
			}
		})
	}
}
