package keyless

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/greenticai/packvendor/internal/printable"
)

// search returns one with these variables: PATH, then Variable.
func search(path []string, set, executable string, refuse ...string) Search {
	return Search{
		Getenv: func(name string) string {
			switch name {
			case "PATH":
				return strings.Join(path, string(filepath.ListSeparator))
			case Variable:
				return set
			}
			return ""
		},
		Executable: executable, Refuse: refuse,
	}
}

// resolved returns a file without links: the temporary folder may be one.
func resolved(t *testing.T, path string) string {
	t.Helper()
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		t.Fatal(err)
	}
	return real
}

func TestFind(t *testing.T) {
	dir := t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	set, beside, first, second := install(t, in("set"), mode{}), install(t, in("packvendor"), mode{}), install(t, in("first"), mode{}), install(t, in("second"), mode{})
	executable := filepath.Join(in("packvendor"), "packvendor")
	path := []string{"", ".", in("none"), in("first"), in("second")}
	for name, test := range map[string]struct {
		search Search
		want   string
	}{
		"the variable":          {search(path, set, executable), set},
		"beside packvendor":     {search(path, "", executable), beside},
		"in PATH":               {search(path, "", filepath.Join(in("elsewhere"), "packvendor")), first},
		"later in PATH":         {search(path, "", "", in("first")), second},
		"not known where":       {search(path, "", "packvendor"), first},
		"other folders refused": {search(path, "", "", in("none"), in("set")), first},
	} {
		h, err := test.search.Find()
		if err != nil || h.Path() != resolved(t, test.want) {
			t.Errorf("%s: %+v, %v", name, h, err)
		}
	}
}

const missing = "packvendor-verify-sigstore, which verifies signatures without a key, is not installed or not in PATH"

func checkMissing(t *testing.T, s Search, refused ...string) {
	t.Helper()
	h, err := s.Find()
	want := missing
	for _, path := range refused {
		want += "; " + printable.Word(path, maxQuoted) + " is in the project, so it is not run"
	}
	var notFound *NotFoundError
	if h != nil || !errors.As(err, &notFound) || err.Error() != want {
		t.Errorf("%v, %v, not %s", h, err, want)
	}
}

// A program in the work tree is not run, by whatever name it is reached, nor is one that
// go.mod has as a tool.
func TestInProject(t *testing.T) {
	dir := t.TempDir()
	work := filepath.Join(dir, "work")
	bin := filepath.Join(work, "bin")
	program := install(t, bin, mode{})
	goMod := "module example.com/app\n\ngo 1.25\n\ntool " + Package + "\n"
	if err := os.WriteFile(filepath.Join(work, "go.mod"), []byte(goMod), 0o644); err != nil {
		t.Fatal(err)
	}
	t.Chdir(work)
	checkMissing(t, search(nil, "", "", work))
	checkMissing(t, search([]string{"bin", "./bin", "."}, "", "", work))
	checkMissing(t, search([]string{bin, bin}, "", "", work), program)
	checkMissing(t, search([]string{filepath.Join(work, "x", "..", "bin")}, "", "", work), program)
	checkMissing(t, search(nil, "", filepath.Join(bin, "packvendor"), filepath.Join(dir, "other"), work), program)
	checkMissing(t, search([]string{bin}, "", "", bin), program)
	t.Chdir(bin) // where a relative name would lead to
	checkMissing(t, search([]string{""}, "", "packvendor"))
	// A folder that looks like the work tree's is another.
	if h, err := search([]string{bin}, "", "", filepath.Join(dir, "wor"), filepath.Join(bin, Program)).Find(); err != nil || h.Path() != resolved(t, program) {
		t.Errorf("%v, %v", h, err)
	}
}

// Links into the work tree, and links of it, are refused as well.
func TestLinks(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("symbolic links need rights on Windows")
	}
	dir := t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	link := func(to, from string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(from), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(to, from); err != nil {
			t.Fatal(err)
		}
	}
	work := in("work")
	inside, outside := install(t, in("work/bin"), mode{}), install(t, in("opt"), mode{})
	link(inside, in("path/"+Program))
	checkMissing(t, search([]string{in("path")}, "", "", work), in("path/"+Program))
	link(in("work/bin"), in("folder"))
	checkMissing(t, search([]string{in("folder")}, "", "", work), in("folder/"+Program))
	link(outside, in("work/tools/"+Program))
	checkMissing(t, search([]string{in("work/tools")}, "", "", work), in("work/tools/"+Program))
	// A link of the work tree chooses what is run, by whatever ways it is reached.
	link(in("work/tools"), in("way"))
	checkMissing(t, search([]string{in("way")}, "", "", work), in("way/"+Program))
	link(filepath.Join("..", "work", "tools", Program), in("usr2/"+Program))
	checkMissing(t, search([]string{in("usr2")}, "", "", work), in("usr2/"+Program))
	link(in("opt"), in("work/sub/folder"))
	link(in("work/sub"), in("sub"))
	checkMissing(t, search([]string{in("sub/folder")}, "", "", work), in("sub/folder/"+Program))
	link(work, in("alias"))
	checkMissing(t, search([]string{in("work/bin")}, "", "", in("alias")), inside)
	checkMissing(t, search([]string{in("alias/bin")}, "", "", work), in("alias/bin/"+Program))
	link(in("nowhere"), in("broken/"+Program))
	checkMissing(t, search([]string{in("broken")}, "", "", work))

	// What is linked from outside to outside is run, under its own name.
	link(outside, in("usr/"+Program))
	if h, err := search([]string{in("usr")}, "", "", work).Find(); err != nil || h.Path() != resolved(t, outside) {
		t.Errorf("%v, %v", h, err)
	}
}

// What the variable names has to be right: another program is not looked for.
func TestVariable(t *testing.T) {
	dir := t.TempDir()
	work := filepath.Join(dir, "work")
	program, inside := install(t, filepath.Join(dir, "opt"), mode{}), install(t, work, mode{})
	t.Chdir(work)
	plain := filepath.Join(dir, "plain")
	if err := os.WriteFile(plain, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for value, want := range map[string]string{
		"./" + Program:                "not an absolute path",
		Program:                       "not an absolute path",
		filepath.Join(dir, "missing"): os.ErrNotExist.Error(),
		plain:                         "permission denied",
		dir:                           "is a directory",
		inside:                        "in the project, so it is not run",
		filepath.Join(dir, "a b"):     "", // quoted
	} {
		h, err := search([]string{filepath.Dir(program)}, value, "", work).Find()
		var setting *SettingError
		if h != nil || !errors.As(err, &setting) || setting.Value != value {
			t.Errorf("%s: %v, %v", value, h, err)
			continue
		}
		switch {
		case want == "":
			want = setting.Reason
		case runtime.GOOS == "windows" && want != "not an absolute path" && value != inside, want == os.ErrNotExist.Error():
			want = setting.Reason // the system's words
		}
		if err.Error() != Variable+"="+printable.Word(value, maxQuoted)+": "+want {
			t.Errorf("%v, not %s", err, want)
		}
	}
}
