package vendorer_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/greenticai/packvendor/vendorer"
)

// makeFiles makes empty files below a new working directory.
func makeFiles(t *testing.T, names ...string) {
	t.Helper()
	t.Chdir(t.TempDir())
	for _, name := range names {
		if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, nil, 0o666); err != nil {
			t.Fatal(err)
		}
	}
}

func TestFiles(t *testing.T) {
	makeFiles(t, "packs.toml", "b/packs.toml", "b/c/d/packs.toml", "b/testdata/packs.toml", "b/testdata/x/packs.toml", "a-b/packs.toml",
		"vendor/packs.toml", ".git/packs.toml", "_x/packs.toml", "z/other.toml", "e/packs.toml/packs.toml", "vendored/packs.toml")
	all := []string{"packs.toml", "a-b/packs.toml", "b/packs.toml", "b/c/d/packs.toml", "e/packs.toml/packs.toml", "vendored/packs.toml"}
	here, err := filepath.Abs(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		names []string
		want  []string
	}{
		{nil, nil},
		{[]string{"./..."}, all},
		{[]string{"..."}, all},
		{[]string{"z/../..."}, all},
		{[]string{"b/..."}, all[2:4]},
		{[]string{"./b//..."}, all[2:4]},
		{[]string{"b/testdata/..."}, []string{"b/testdata/packs.toml", "b/testdata/x/packs.toml"}},
		{[]string{"_x/...", ".git/..."}, []string{"_x/packs.toml", ".git/packs.toml"}},
		{[]string{"b/packs.toml", "./..."}, append([]string{"b/packs.toml"}, slices.Delete(slices.Clone(all), 2, 3)...)},
		{[]string{"z/other.toml", "./z/other.toml", here + "/z/other.toml"}, []string{"z/other.toml"}},
		{[]string{"nonesuch", "a...b"}, []string{"nonesuch", "a...b"}},
	} {
		got, err := vendorer.Files(test.names)
		for i := range got {
			got[i] = filepath.ToSlash(got[i])
		}
		if err != nil || !slices.Equal(got, test.want) {
			t.Errorf("%q: %q, %v, want %q", test.names, got, err, test.want)
		}
	}
}

func TestFilesRefused(t *testing.T) {
	makeFiles(t, "a/packs.toml", "b/doc.go")
	for pattern, want := range map[string]string{
		"b/...":            "b/... matches no packs.toml",
		"c/...":            "c/... matches no packs.toml: c is no directory",
		"a/packs.toml/...": "a/packs.toml/... matches no packs.toml: " + filepath.FromSlash("a/packs.toml") + " is no directory",
		"a...":             "a... is no pattern: write DIR/... for every packs.toml in DIR and below",
		".../packs.toml":   ".../packs.toml is no pattern: write DIR/... for every packs.toml in DIR and below",
		".../...":          ".../... is no pattern: write DIR/... for every packs.toml in DIR and below",
	} {
		got, err := vendorer.Files([]string{"a/...", pattern})
		var refused *vendorer.UsageError
		if !errors.As(err, &refused) || err.Error() != want || got != nil {
			t.Errorf("%s: %q, %v, want %s", pattern, got, err, want)
		}
	}
}

// A pattern follows no symbolic link below its directory. An unreadable directory is an
// error: it may hold a packs.toml.
func TestFilesUnseen(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("links and permissions are others here")
	}
	makeFiles(t, "a/packs.toml", "b/c/packs.toml")
	if err := errors.Join(os.Symlink("../a", "b/link"), os.Symlink("b", "link"), os.Symlink("../a/packs.toml", "b/packs.toml")); err != nil {
		t.Fatal(err)
	}
	got, err := vendorer.Files([]string{"link/..."})
	if want := []string{"link/packs.toml", "link/c/packs.toml"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("%q, %v, want %q", got, err, want)
	}
	if os.Getuid() == 0 {
		t.Skip("root may look into everything")
	}
	if err := os.Chmod("b/c", 0); err != nil {
		t.Fatal(err)
	}
	defer os.Chmod("b/c", 0o777)
	if got, err := vendorer.Files([]string{"./..."}); !errors.Is(err, fs.ErrPermission) || !strings.Contains(err.Error(), "b/c") {
		t.Errorf("%q, %v", got, err)
	}
}

func TestNearest(t *testing.T) {
	makeFiles(t, "packs.toml", "m/go.mod", "m/a/b/c/doc.go", "m/a/packs.toml", "m/x/doc.go", "m/n/go.mod", "m/n/doc.go", "m/here/packs.toml")
	root, err := filepath.Abs(".")
	if err != nil {
		t.Fatal(err)
	}
	for dir, want := range map[string]string{
		"m":       "packs.toml", // the one above is in no module
		"m/x":     "packs.toml",
		"m/n":     "packs.toml", // another module's does not count
		"m/a":     "packs.toml",
		"m/here":  "packs.toml",
		"m/a/b":   "../packs.toml",
		"m/a/b/c": "../../packs.toml",
		".":       "packs.toml",
	} {
		t.Chdir(filepath.Join(root, filepath.FromSlash(dir)))
		if got := filepath.ToSlash(vendorer.Nearest()); got != want {
			t.Errorf("in %s: %s, want %s", dir, got, want)
		}
	}
}

// A pack is verified unless a finding is about it, or about no pack alone.
func TestVerified(t *testing.T) {
	pack := &vendorer.PackError{Name: "a", Err: &vendorer.InconsistentError{Name: "a"}}
	vendored := &vendorer.VendoredError{Name: "a"}
	for _, test := range []struct {
		findings []error
		want     int
	}{
		{nil, 3},
		{[]error{pack, vendored}, 2},
		{[]error{pack, &vendorer.VendoredError{Name: "b"}}, 1},
		{[]error{&vendorer.LockedError{Missing: []string{"b"}, Stale: []string{"c"}, Surplus: []string{"d"}}, vendored}, 0},
		{[]error{&vendorer.LockedError{Surplus: []string{"d"}}}, 3},
		{[]error{&vendorer.LockedError{Format: true}}, 0},
		{[]error{&vendorer.GeneratedError{}}, 0},
		{[]error{pack, &vendorer.EmbedError{}}, 0},
		{[]error{errors.New("whatever")}, 0},
	} {
		v := &vendorer.Verification{Packs: 3, Findings: test.findings}
		if got := v.Verified(); got != test.want {
			t.Errorf("%v: %d, want %d", test.findings, got, test.want)
		}
	}
}
