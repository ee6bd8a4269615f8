package atomicfile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// A folder is a directory opened as a root.
type folder struct {
	*os.Root
	t *testing.T
}

func newFolder(t *testing.T) folder {
	t.Helper()
	return openFolder(t, t.TempDir())
}

func openFolder(t *testing.T, dir string) folder {
	t.Helper()
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { root.Close() })
	return folder{root, t}
}

// path returns the full path of a name in the folder, as messages have it.
func (f folder) path(name string) string { return filepath.Join(f.Name(), filepath.FromSlash(name)) }

// put writes a file without the package under test.
func (f folder) put(name, data string) {
	f.t.Helper()
	if err := os.WriteFile(f.path(name), []byte(data), 0o666); err != nil {
		f.t.Fatal(err)
	}
}

func (f folder) mkdir(name string) {
	f.t.Helper()
	if err := os.Mkdir(f.path(name), 0o777); err != nil {
		f.t.Fatal(err)
	}
}

// create begins a file that is discarded when the test ends.
func (f folder) create(name string) *File {
	f.t.Helper()
	file, err := Create(f.Root, name)
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(file.Discard)
	return file
}

// begin begins files that say that they are new.
func (f folder) begin(names ...string) []*File {
	f.t.Helper()
	var files []*File
	for _, name := range names {
		file, err := Begin(f.Root, name, []byte("new "+name))
		must(f.t, err)
		files = append(files, file)
	}
	return files
}

// wantFile fails unless the file holds data.
func (f folder) wantFile(name, data string) {
	f.t.Helper()
	got, err := os.ReadFile(f.path(name))
	if err != nil || string(got) != data {
		f.t.Errorf("%s holds %q, %v, want %q", name, got, err, data)
	}
}

// wantNames fails unless the folder and those in it hold exactly names.
func (f folder) wantNames(names ...string) {
	f.t.Helper()
	var got []string
	err := fs.WalkDir(f.FS(), ".", func(name string, _ fs.DirEntry, err error) error {
		if name != "." {
			got = append(got, name)
		}
		return err
	})
	if slices.Sort(names); err != nil || !slices.Equal(got, names) {
		f.t.Errorf("the folder holds %q, %v, want %q", got, err, names)
	}
}

// temps returns the names in the folder that are temporaries'.
func (f folder) temps() []string {
	f.t.Helper()
	entries, err := os.ReadDir(f.Name())
	if err != nil {
		f.t.Fatal(err)
	}
	var temps []string
	for _, entry := range entries {
		if IsTemp(entry.Name()) {
			temps = append(temps, entry.Name())
		}
	}
	return temps
}

// wantError fails unless err is a *fs.PathError with exactly that text.
func wantError(t *testing.T, err error, text string) {
	t.Helper()
	if runtime.GOOS == "windows" { // to which a file on the way is a folder that is missing
		text = strings.Replace(text, ": not a directory", ": no such file or directory", 1)
	}
	if err == nil || said(err) != text {
		t.Errorf("error\n got: %v\nwant: %s", err, text)
	}
	if _, ok := err.(*fs.PathError); err != nil && !ok {
		t.Errorf("error %#v, want *fs.PathError", err)
	}
}

// said is an error's text, in Linux's words for what is missing.
func said(err error) string {
	var p *fs.PathError
	if errors.As(err, &p) && errors.Is(err, fs.ErrNotExist) {
		return p.Op + " " + p.Path + ": no such file or directory"
	}
	return err.Error()
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// writeFile replaces the file name below root by one that holds data.
func writeFile(root *os.Root, name string, data []byte) error {
	f, err := Begin(root, name, data)
	if err != nil {
		return err
	}
	defer f.Discard()
	return CommitAll(f)
}
