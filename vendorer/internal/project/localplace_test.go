package project

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// newTree returns a root with a folder "folder" and a folder "other", each with a file.
func newTree(t *testing.T) (dir string, root *os.Root) {
	t.Helper()
	dir = t.TempDir()
	for _, name := range []string{"folder", "other"} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name, "a"), []byte("1234"), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { root.Close() })
	return dir, root
}

// swap puts what make makes in the place of a file or folder.
func swap(t *testing.T, name string, make func() error) {
	t.Helper()
	if err := os.Rename(name, name+".was"); err != nil {
		t.Fatal(err)
	}
	if err := make(); err != nil {
		t.Fatal(err)
	}
}

func lstat(t *testing.T, root *os.Root, name string) fs.FileInfo {
	t.Helper()
	info, err := root.Lstat(name)
	if err != nil {
		t.Fatal(err)
	}
	return info
}

// What comes to the place of a folder after the look at it is not entered.
func TestFault45d_FolderSwapped(t *testing.T) {
	for by, make := range map[string]func(dir string) error{
		"a link to another folder": func(dir string) error { return os.Symlink("other", filepath.Join(dir, "folder")) },
		"another folder":           func(dir string) error { return os.Rename(filepath.Join(dir, "other"), filepath.Join(dir, "folder")) },
	} {
		t.Run(by, func(t *testing.T) {
			dir, root := newTree(t)
			seen := lstat(t, root, "folder")
			swap(t, filepath.Join(dir, "folder"), func() error { return make(dir) })
			if _, err := openSeenFolder(root, "folder", seen); !errors.As(err, new(*ChangedError)) {
				t.Errorf("got %v", err)
			}
		})
	}
	dir, root := newTree(t)
	seen := lstat(t, root, "folder")
	outside := t.TempDir()
	swap(t, filepath.Join(dir, "folder"), func() error { return os.Symlink(outside, filepath.Join(dir, "folder")) })
	if _, err := openSeenFolder(root, "folder", seen); err == nil {
		t.Error("a link out of the root was followed")
	}
	folder, err := openSeenFolder(root, "other", lstat(t, root, "other"))
	if err != nil {
		t.Fatal(err)
	}
	folder.Close()
}

// What comes to the place of a file after the look at it is not read.
func TestFault45d_FileSwapped(t *testing.T) {
	for by, make := range map[string]func(name string) error{
		"a link to another file": func(name string) error { return os.Symlink("../other/a", name) },
		"another file":           func(name string) error { return os.WriteFile(name, []byte("1234"), 0o666) },
	} {
		t.Run(by, func(t *testing.T) {
			dir, root := newTree(t)
			name := filepath.Join(dir, "folder", "a")
			seen := lstat(t, root, "folder/a")
			swap(t, name, func() error { return make(name) })
			if _, _, err := openSeenFile(root, "folder/a", seen); !errors.As(err, new(*ChangedError)) {
				t.Errorf("got %v", err)
			}
		})
	}
	_, root := newTree(t)
	file, info, err := openSeenFile(root, "folder/a", lstat(t, root, "folder/a"))
	if err != nil || info.Size() != 4 {
		t.Fatal(info, err)
	}
	file.Close()
}

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
			// Hidden files are the user's, outside the outermost folder.
			if _, _, err := p.reach(strings.Repeat("../", up) + "x/.y"); (err == nil) != (up < test.up) {
				t.Errorf("%+v: hidden, %d up: %v", test, up, err)
			}
		}
	}
}
