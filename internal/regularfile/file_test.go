package regularfile_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/greenticai/packvendor/internal/regularfile"
)

// reads are Read of a file in dir: by its path, and below a root.
func reads(t *testing.T, dir, name string, limit int64) map[string]func() ([]byte, error) {
	t.Helper()
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { root.Close() })
	return map[string]func() ([]byte, error){
		"path": func() ([]byte, error) { return regularfile.Read(nil, filepath.Join(dir, name), limit) },
		"root": func() ([]byte, error) { return regularfile.Read(root, name, limit) },
	}
}

func TestRead(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "f"), []byte("12345"), 0o666); err != nil {
		t.Fatal(err)
	}
	for limit := range int64(7) {
		for by, read := range reads(t, dir, "f", limit) {
			got, err := read()
			var long *regularfile.LongError
			switch {
			case limit < 5 && (!errors.As(err, &long) || long.Limit != limit || filepath.Base(long.File) != "f"):
				t.Errorf("%s, limit %d: got %q, %v, want a *LongError", by, limit, got, err)
			case limit >= 5 && (string(got) != "12345" || err != nil):
				t.Errorf("%s, limit %d: got %q, %v", by, limit, got, err)
			}
		}
	}
}

func TestReadMissing(t *testing.T) {
	for by, read := range reads(t, t.TempDir(), "f", 1) {
		if _, err := read(); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: got %v", by, err)
		}
	}
}

func TestReadDirectory(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "d"), 0o777); err != nil {
		t.Fatal(err)
	}
	for by, read := range reads(t, dir, "d", 1) {
		_, err := read()
		wantIrregular(t, by, err)
	}
}

func wantIrregular(t *testing.T, by string, err error) {
	t.Helper()
	var place *regularfile.PlaceError
	if !errors.As(err, &place) || err.Error() != place.Path+" is not a regular file" {
		t.Errorf("%s: got %v", by, err)
	}
}

// A size that is wrong decides nothing.
func TestReadAll(t *testing.T) {
	for _, size := range []int64{-1, 0, 3, 1 << 40} {
		got, err := regularfile.ReadAll("name", strings.NewReader("12345"), max(0, size), 5)
		if string(got) != "12345" || err != nil {
			t.Errorf("size %d: got %q, %v", size, got, err)
		}
		_, err = regularfile.ReadAll("name", strings.NewReader("123456"), max(0, size), 5)
		if err == nil || err.Error() != "name: the file is larger than 5 bytes" {
			t.Errorf("size %d: got %v", size, err)
		}
	}
}
