package project

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/greenticai/packvendor/internal/verified"
	"github.com/greenticai/packvendor/lockfile"
	"github.com/greenticai/packvendor/packsfile"
)

func inModule(dir string) *Project {
	return &Project{Module: dir, Base: ".", shown: ".", Config: &packsfile.File{}, Lock: &lockfile.Lock{}}
}

// A file that changes while it is read is an error, also if what was read is whole.
func TestFault45c_LocalFileChanges(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "a.gtpack")
	p := inModule(dir)
	for name, change := range map[string]func() error{
		"grows":   func() error { return os.WriteFile(file, []byte("12345"), 0o666) },
		"shrinks": func() error { return os.Truncate(file, 1) },
		"rewritten": func() error {
			later := time.Now().Add(time.Hour)
			return errors.Join(os.WriteFile(file, []byte("4321"), 0o666), os.Chtimes(file, later, later))
		},
		"nothing": func() error { return nil },
	} {
		if err := os.WriteFile(file, []byte("1234"), 0o666); err != nil {
			t.Fatal(err)
		}
		err := p.readLocalFile("a.gtpack", func(r io.Reader, size int64) error {
			if data, err := io.ReadAll(r); err != nil || string(data) != "1234" || size != 4 {
				t.Errorf("%s: %q of %d bytes, %v", name, data, size, err)
			}
			return change()
		})
		var changed *ChangedError
		if errors.As(err, &changed) != (name != "nothing") || changed != nil && changed.Path != "a.gtpack" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Only the bytes that were measured are copied.
func TestFault45c_CopyLocalFile(t *testing.T) {
	dir := t.TempDir()
	p := inModule(dir)
	if err := os.WriteFile(filepath.Join(dir, "a.gtpack"), []byte("1234"), 0o666); err != nil {
		t.Fatal(err)
	}
	want, err := p.measureLocalFile(context.Background(), "a.gtpack", 4)
	if err != nil || want.Size != 4 || want.Digest == "" {
		t.Fatalf("%+v, %v", want, err)
	}
	var copied bytes.Buffer
	if err := p.CopyLocalFile(context.Background(), "a.gtpack", want, &copied); err != nil || copied.String() != "1234" {
		t.Errorf("%q, %v", &copied, err)
	}
	for _, other := range []verified.Content{{Digest: want.Digest, Size: 5}, {Digest: "sha256:00", Size: 4}} {
		if err := p.CopyLocalFile(context.Background(), "a.gtpack", other, io.Discard); !errors.As(err, new(*ChangedError)) {
			t.Errorf("%+v: %v", other, err)
		}
	}
	err = p.CopyLocalFile(context.Background(), "a.gtpack", want, gone{})
	if got := text(err); got != "write staged: file does not exist" {
		t.Errorf("an error of the copy: %s", got)
	}
	if large, err := p.measureLocalFile(context.Background(), "a.gtpack", 3); err != nil || large != (verified.Content{Size: 4}) {
		t.Errorf("%+v, %v", large, err)
	}
}

// gone is a file that cannot be written.
type gone struct{}

func (gone) Write([]byte) (int, error) {
	return 0, &fs.PathError{Op: "write", Path: "staged", Err: fs.ErrNotExist}
}
