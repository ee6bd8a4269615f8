package project

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Each error about a local file names its path as packs.toml has it, from a packs.toml below the
// module, too.
func TestLocalFileErrors(t *testing.T) {
	dir := t.TempDir()
	p := inModule(dir)
	p.Base = "sub"
	for _, folder := range []string{"sub", "folder"} {
		if err := os.Mkdir(filepath.Join(dir, folder), 0o777); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "file"), []byte("1234"), 0o666); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"../file":      "",
		"../none":      "its file ../none is not there",
		"../none/file": "its file ../none/file is not there",
		"../folder":    "../folder is a directory",
		"../file/a":    "../file/a has a file on its way that is no folder: file",
	} {
		want = filepath.FromSlash(want)
		content, err := p.measureLocalFile(context.Background(), name, 4)
		if got := text(err); got != want || (content.Size == 4) != (want == "") {
			t.Errorf("%s: %+v, %s, want %s", name, content, got, want)
		}
		if file := p.LookLocalFile(name); text(file.Err) != want || file.Digest != "" || (file.Size == 4) != (want == "") {
			t.Errorf("%s: %+v", name, file)
		}
	}
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// The outermost of module, workspace and work tree decides how far up a path may lead, whichever
// that is.
func TestReach(t *testing.T) {
	top := t.TempDir()
	module := filepath.Join(top, "a", "b", "c")
	for _, test := range []struct {
		work, tree string // folders above the module, "" for none
		up         int    // the most folders above the module
	}{
		{"", "", 1},
		{"a/b", "", 2},
		{"a", "", 3},
		{"", "a/b", 2},
		{"a", "a/b", 3},
		{"a/b", "a", 3},
		{"a/b/c", "a/b/c", 1},
		{"a/b/c", "a", 3},
		{"a", "a/b/c", 3},
	} {
		if err := os.RemoveAll(filepath.Join(top, "a")); err != nil {
			t.Fatal(err)
		}
		if err := os.MkdirAll(module, 0o777); err != nil {
			t.Fatal(err)
		}
		if test.work != "" {
			if err := os.WriteFile(filepath.Join(top, test.work, "go.work"), []byte("go 1.25.0\n"), 0o666); err != nil {
				t.Fatal(err)
			}
		}
		if test.tree != "" {
			if err := os.Mkdir(filepath.Join(top, test.tree, ".git"), 0o777); err != nil {
				t.Fatal(err)
			}
		}
		p := inModule(module)
		for up := range 6 {
			dir, below, err := p.reach(strings.Repeat("../", up) + "x/y")
			if (err == nil) != (up <= test.up) {
				t.Errorf("%+v: %d up: %v", test, up, err)
			}
			want := module
			for range up {
				want = filepath.Dir(want)
			}
			if err == nil && (dir != want || below != "x/y") {
				t.Errorf("%+v: %d up: %s, %s", test, up, dir, below)
			}
			// Hidden files are the user's, outside the outermost folder. On Windows, SSH~1 is .ssh.
			for _, hidden := range []string{"x/.y", ".x/y", "SSH~1/y", "x/Y~BC~2.PUB"} {
				if _, _, err := p.reach(strings.Repeat("../", up) + hidden); (err == nil) != (up < test.up) {
					t.Errorf("%+v: %s, %d up: %v", test, hidden, up, err)
				}
			}
			if _, _, err := p.reach(strings.Repeat("../", up) + "x~y/z~"); (err == nil) != (up <= test.up) {
				t.Errorf("%+v: not hidden, %d up: %v", test, up, err)
			}
		}
	}
}
