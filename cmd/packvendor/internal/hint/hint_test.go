package hint

import (
	"os/exec"
	"runtime"
	"slices"
	"testing"

	"github.com/greenticai/packvendor/cmd/packvendor/internal/invocation"
)

// Hints of one kind are made one: the same command for several packs, whatever they
// are called, and one list of hosts for one file.
func TestMerge(t *testing.T) {
	c, other := &Context{File: "packs.toml"}, &Context{File: "x"}
	var got []string
	for _, h := range Merge([]Hint{
		c.Update("a-b"), {}, c.Update("b"), c.Edit("add", "c", "r.io/c"), c.Update("a-b"),
		Insecure(c.File, "z:1", "x:1"), Insecure(c.File, "z:1", "y:1"), Insecure(other.File, "z:1"),
		c.Update("d", "--accept-retag"), c.Update("e@1.0.0", "--accept-retag"),
		c.Edit("update", "--latest"), c.Edit("update"), c.Edit("update"), c.Run(), c.Run(),
	}) {
		got = append(got, c.Text(h))
	}
	want := []string{
		"packvendor update a-b b", "packvendor add c r.io/c",
		`in packs.toml, above the first table: insecure_registries = ["z:1", "x:1", "y:1"]`, `in x, above the first table: insecure_registries = ["z:1"]`,
		"packvendor update --accept-retag d e@1.0.0", "packvendor update --latest", "packvendor update", "packvendor -f packs.toml",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// Flags come before what follows "--", and no spelling of --offline is left.
func TestAgain(t *testing.T) {
	c := &Context{Args: []string{"fetch", "--offline=1", "--", "r.io/a:1"}}
	if got, want := c.Text(c.Again("--allow-tags")), "packvendor fetch --allow-tags -- r.io/a:1"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// A word with a line end stays in its line, and is what it was to a shell that reads it.
func TestShellWord(t *testing.T) {
	for word, want := range map[string]string{
		"a/b.toml":    "a/b.toml",
		"":            "''",
		"it's":        `'it'\''s'`,
		"a\nb":        `$'a\nb'`,
		"it's\n\"x\"": `$'it\'s\n"x"'`,
		"\x1b[31m":    `$'\x1b[31m'`,
	} {
		if got := shellWord(word); got != want {
			t.Errorf("%q: %s, want %s", word, got, want)
		}
		if bash, err := exec.LookPath("bash"); err == nil {
			out, err := exec.Command(bash, "-c", "printf %s "+shellWord(word)).Output()
			if err != nil || string(out) != word {
				t.Errorf("%q: bash reads %q, %v", word, out, err)
			}
		}
	}
}

// Git runs a merge driver at the top of the work tree, in a shell that splits the line into the
// words that packvendor is started with.
func TestMergeDriver(t *testing.T) {
	form := func(line ...string) func() invocation.Form {
		return func() invocation.Form {
			parent := append(line, "init", "--git")
			return invocation.Find(invocation.System{
				Args: []string{line[0], "init", "--git"}, Getenv: func(string) string { return "" },
				Look: func(int) invocation.Process { return invocation.Process{Args: parent} },
			})
		}
	}
	opt := "/opt"
	if runtime.GOOS == "windows" {
		opt = "C:/opt"
	}
	for _, test := range []struct {
		form      func() invocation.Form
		dir, want string
	}{
		{nil, "", "'packvendor merge-driver %O %A %B %P'"},
		{nil, "a/b", "'packvendor merge-driver %O %A %B %P'"},
		{form("go", "tool", "packvendor"), "", "'go tool packvendor merge-driver %O %A %B %P'"},
		{form("go", "tool", "packvendor"), "a b", `'go -C '\''a b'\'' tool packvendor merge-driver "$PWD"/%O "$PWD"/%A "$PWD"/%B %P'`},
		{form("bin/packvendor"), "a/b", "'a/b/bin/packvendor merge-driver %O %A %B %P'"},
		{form(opt + "/packvendor"), "a/b", "'" + opt + "/packvendor merge-driver %O %A %B %P'"},
		{form(opt + "/%A%/packvendor"), "a/b", "'" + opt + "/%%A%%/packvendor merge-driver %O %A %B %P'"},
		{form("go", "tool", "packvendor"), "%%", `'go -C %%%% tool packvendor merge-driver "$PWD"/%O "$PWD"/%A "$PWD"/%B %P'`},
	} {
		c := &Context{Form: test.form}
		if got, want := c.Text(c.MergeDriver(test.dir)), "git config merge.packvendor.driver "+test.want; got != want {
			t.Errorf("in %q: got %s, want %s", test.dir, got, want)
		}
	}
}
