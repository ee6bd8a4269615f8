package scratch_test

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/greenticai/packvendor/internal/scratch"
)

func newFile(t *testing.T) (f *scratch.File, dir string) {
	t.Helper()
	dir = t.TempDir()
	t.Setenv("TMPDIR", dir)
	t.Setenv("TMP", dir)
	f, err := scratch.New()
	if err != nil {
		t.Fatal(err)
	}
	return f, dir
}

// write writes s and sees that it is all there is.
func write(t *testing.T, f *scratch.File, s string) {
	t.Helper()
	if n, err := f.Write([]byte(s)); n != len(s) || err != nil {
		t.Fatalf("wrote %d bytes, %v", n, err)
	}
	got, err := io.ReadAll(f.Reader())
	if string(got) != s || err != nil || f.Size() != int64(len(s)) {
		t.Errorf("got %q of %d bytes, %v, want %q", got, f.Size(), err, s)
	}
}

func TestFile(t *testing.T) {
	f, dir := newFile(t)
	write(t, f, "first")
	if err := f.Reset(); err != nil {
		t.Fatal(err)
	}
	write(t, f, "2nd")
	b := make([]byte, 2)
	if n, err := f.ReadAt(b, 1); n != 2 || err != nil || string(b) != "nd" {
		t.Errorf("got %q, %v", b[:n], err)
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
	if names, err := os.ReadDir(dir); err != nil || len(names) != 0 {
		t.Errorf("got %v, %v, want an empty folder", names, err)
	}
}

func TestKeep(t *testing.T) {
	f, dir := newFile(t)
	write(t, f, "kept")
	path, err := f.Keep()
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(path)
	if string(got) != "kept" || err != nil || filepath.Dir(path) != dir || filepath.Ext(path) != ".gtpack" {
		t.Errorf("%s: got %q, %v", path, got, err)
	}
}

func TestNewFails(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "missing")
	t.Setenv("TMPDIR", missing)
	t.Setenv("TMP", missing)
	if _, err := scratch.New(); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}
