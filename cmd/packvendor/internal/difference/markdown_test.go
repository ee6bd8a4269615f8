package difference

import (
	"fmt"
	"strings"
	"testing"

	"github.com/greenticai/packvendor/internal/gtpack"
	"github.com/greenticai/packvendor/vendorer"
)

// Bodies of pull requests have an end, and so have the lists of files in them.
func TestMarkdownFiles(t *testing.T) {
	change := func(files int) vendorer.PackChange {
		c := changed(lockedAs("r.io/a:1@"+string(digestOf("1")), "1", "2"), lockedAs("r.io/a:2@"+string(digestOf("3")), "3", "4"))
		c.Files = []gtpack.FileChange{}
		for n := range files {
			c.Files = append(c.Files, gtpack.FileChange{Name: fmt.Sprint(n), Kind: gtpack.Added})
		}
		return c
	}
	row := "| pack | change | manifest | layer | size |\n|---|---|---|---|---|\n" +
		"| `a` | `1 → 2` | `sha256:111111111111` → `sha256:333333333333` | `sha256:222222222222` → `sha256:444444444444` | 1.0 kB |\n"
	lines := func(n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, "- `+ %d, 0 B`\n", i)
		}
		return b.String()
	}
	for _, test := range []struct {
		files int
		want  string
	}{
		{0, "\nNo file in `a` changed; they are packed differently.\n"},
		{1, "\n<details><summary>a: 1 file changed</summary>\n\n" + lines(1) + "\n</details>\n"},
		{50, "\n<details><summary>a: 50 files changed</summary>\n\n" + lines(50) + "\n</details>\n"},
		{51, "\n<details><summary>a: 51 files changed</summary>\n\n" + lines(50) + "- and 1 more\n\n</details>\n"},
	} {
		if got := Markdown(&vendorer.Difference{Packs: []vendorer.PackChange{change(test.files)}}); got != row+test.want {
			t.Errorf("%d files:\n%s\nwant:\n%s", test.files, got, row+test.want)
		}
	}
}
