package outputfile_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/greenticai/packvendor/internal/atomicfile"
	"github.com/greenticai/packvendor/internal/outputfile"
	"github.com/greenticai/packvendor/internal/regularfile"
)

func open(t *testing.T, path string) *outputfile.File {
	t.Helper()
	f, err := outputfile.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func write(t *testing.T, path, text string, mode fs.FileMode) {
	t.Helper()
	if err := errors.Join(os.WriteFile(path, []byte(text), 0o666), os.Chmod(path, mode)); err != nil {
		t.Fatal(err)
	}
}

// want fails the test unless the file has that text, and its folder nothing else.
func want(t *testing.T, path, text string) {
	t.Helper()
	if data, err := os.ReadFile(path); err != nil || string(data) != text {
		t.Errorf("%s is %q, %v; want %q", path, data, err, text)
	}
	if names, err := os.ReadDir(filepath.Dir(path)); err != nil || len(names) != 1 {
		t.Errorf("got %v, %v, want one file", names, err)
	}
}

func TestWrite(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a")
	f := open(t, path)
	if f.Path() != path {
		t.Errorf("the path is %s", f.Path())
	}
	for _, text := range []string{"first", "second, longer", ""} {
		if err := f.WriteBytes([]byte(text)); err != nil {
			t.Fatal(err)
		}
		want(t, path, text)
	}
}

// A file that is there keeps its mode. A new one has that of any new file.
func TestMode(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("modes of Windows are others")
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "usual"), nil, 0o666); err != nil {
		t.Fatal(err)
	}
	usual, err := os.Stat(filepath.Join(dir, "usual"))
	if err != nil {
		t.Fatal(err)
	}
	for _, mode := range []fs.FileMode{0, 0o600, 0o640, 0o755, 0o777} {
		path := filepath.Join(t.TempDir(), "a")
		wanted := usual.Mode()
		if mode != 0 {
			write(t, path, "before", mode)
			wanted = mode
		}
		if err := open(t, path).WriteBytes([]byte("text")); err != nil {
			t.Fatal(err)
		}
		want(t, path, "text")
		if info, err := os.Stat(path); err != nil || info.Mode() != wanted {
			t.Errorf("mode %v, %v, want %v", info.Mode(), err, wanted)
		}
	}
}

// What fails leaves no file behind, nor another one than was there.
func TestWriteFails(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a")
	write(t, path, "before", 0o666)
	cause := errors.New("cause")
	err := open(t, path).Write(func(file *atomicfile.File) error {
		if _, err := file.Write([]byte("half")); err != nil {
			t.Error(err)
		}
		return cause
	})
	if err != cause {
		t.Errorf("got %v", err)
	}
	want(t, path, "before")
}

func TestOpenErrors(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	write(t, file, "", 0o666)
	places := map[string]regularfile.PlaceError{
		dir:                                {Path: dir, Reason: "is a directory"},
		filepath.Join(dir, "missing", "a"): {Path: filepath.Join(dir, "missing"), Reason: "does not exist"},
		filepath.Join(file, "a"):           {Path: file, Reason: "is not a directory"},
	}
	if runtime.GOOS != "windows" { // links need rights there
		link := filepath.Join(dir, "link")
		if err := os.Symlink(file, link); err != nil {
			t.Fatal(err)
		}
		places[link] = regularfile.PlaceError{Path: link, Reason: "is a symbolic link"}
		places[os.DevNull] = regularfile.PlaceError{Path: os.DevNull, Reason: "is not a regular file"}
	}
	for path, want := range places {
		f, err := outputfile.Open(path)
		var place *regularfile.PlaceError
		if f != nil || !errors.As(err, &place) || *place != want {
			t.Errorf("%s: got %v, want %v", path, err, &want)
		}
	}
}
