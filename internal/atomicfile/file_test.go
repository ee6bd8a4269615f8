package atomicfile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"testing"
)

func TestCommit(t *testing.T) {
	dir := newFolder(t)
	dir.mkdir("sub")
	dir.put("sub/target", "old")
	f := dir.create("sub/target")
	if f.Name() != "sub/target" {
		t.Errorf("Name() = %q", f.Name())
	}
	for _, s := range []string{"ne", "w"} {
		n, err := f.Write([]byte(s))
		if must(t, err); n != len(s) {
			t.Errorf("Write(%q) = %d", s, n)
		}
	}
	dir.wantFile("sub/target", "old")
	must(t, f.Finish())
	dir.wantFile("sub/target", "old")
	must(t, f.Commit())
	dir.wantFile("sub/target", "new")
	f.Discard()
	f.Discard()
	dir.wantFile("sub/target", "new")
	dir.wantNames("sub", "sub/target")
}

// TestDiscardAfterCommit sees that a name which is given up is left alone.
func TestDiscardAfterCommit(t *testing.T) {
	dir := newFolder(t)
	f := dir.create("target")
	temp := dir.temps()[0]
	must(t, f.Finish())
	must(t, f.Commit())
	dir.put(temp, "another's")
	f.Discard()
	dir.wantNames(temp, "target")
}

// TestTemporary is about the name under which the bytes stand before Commit:
// in the target's own directory, since a rename does not cross file systems.
func TestTemporary(t *testing.T) {
	dir := newFolder(t)
	dir.mkdir("sub")
	first, second := dir.create("sub/target"), dir.create("sub/target")
	sub := openFolder(t, dir.path("sub"))
	temps := sub.temps()
	if len(temps) != 2 {
		t.Fatalf("temporaries %q, want two", temps)
	}
	sub.wantNames(temps...)
	first.Discard()
	if got := sub.temps(); len(got) != 1 {
		t.Errorf("temporaries %q after one was discarded, want the other", got)
	}
	must(t, second.Finish())
	second.Discard()
	dir.wantNames("sub")
}

func TestDiscard(t *testing.T) {
	dir := newFolder(t)
	dir.put("target", "old")
	f := dir.create("target")
	if _, err := f.Write([]byte("new")); err != nil {
		t.Fatal(err)
	}
	f.Discard()
	f.Discard()
	dir.wantFile("target", "old")
	dir.wantNames("target")
}

func TestReset(t *testing.T) {
	dir := newFolder(t)
	f := dir.create("target")
	for _, s := range []string{"a long first try", "short"} {
		must(t, f.Reset())
		if _, err := io.WriteString(f, s); err != nil {
			t.Fatal(err)
		}
		var head [64]byte
		n, err := f.ReadAt(head[:], 0)
		if got := string(head[:n]); got != s || err != io.EOF {
			t.Errorf("ReadAt = %q, %v, want %q, EOF", got, err, s)
		}
	}
	must(t, f.Finish())
	must(t, f.Commit())
	dir.wantFile("target", "short")
}

// TestFinished is about a file that must not be written any more.
func TestFinished(t *testing.T) {
	dir := newFolder(t)
	f := dir.create("target")
	must(t, f.Finish())
	path := dir.path("target")
	_, err := f.Write([]byte("late"))
	wantError(t, err, "write "+path+": invalid argument")
	wantError(t, f.Reset(), "truncate "+path+": invalid argument")
	wantError(t, f.Finish(), "sync "+path+": invalid argument")
	if n, err := f.ReadAt(make([]byte, 1), 0); n != 0 || !errors.Is(err, fs.ErrInvalid) {
		t.Errorf("ReadAt = %d, %v", n, err)
	}
	must(t, f.Commit())
	wantError(t, f.Commit(), "rename "+path+": no such file or directory")
	dir.wantFile("target", "")
}

// TestBrokenFile closes the descriptor under the file's feet: every error
// names the target, never the temporary.
func TestBrokenFile(t *testing.T) {
	dir := newFolder(t)
	path := dir.path("target")
	broken := func() *File {
		f := dir.create("target")
		must(t, f.file.Close())
		return f
	}
	n, err := broken().Write([]byte("x"))
	if wantError(t, err, "write "+path+": file already closed"); n != 0 {
		t.Errorf("Write = %d", n)
	}
	wantError(t, broken().Reset(), "truncate "+path+": file already closed")
	wantError(t, broken().Finish(), "sync "+path+": file already closed")
	_, err = broken().ReadAt(make([]byte, 1), 0)
	if err == nil || strings.Contains(err.Error(), tempPrefix) || !strings.Contains(err.Error(), path) {
		t.Errorf("ReadAt: error %v, want one that names %s", err, path)
	}
}

func TestCreateError(t *testing.T) {
	dir := newFolder(t)
	dir.put("file", "")
	for _, test := range []struct{ name, text string }{
		{"missing/target", "create " + dir.path("missing/target") + ": no such file or directory"},
		{"file/target", "create " + dir.path("file/target") + ": not a directory"},
		{"../target", "create " + dir.path("../target") + ": path escapes from parent"},
		{"sub/../../target", "create " + dir.path("../target") + ": path escapes from parent"},
		{"/target", "create " + dir.path("target") + ": path escapes from parent"},
	} {
		for call, create := range map[string]func(string) error{
			"Create":    func(name string) error { _, err := Create(dir.Root, name); return err },
			"Begin":     func(name string) error { _, err := Begin(dir.Root, name, nil); return err },
			"BeginEdit": func(name string) error { _, err := BeginEdit(dir.Root, name, nil); return err },
		} {
			t.Run(call+"/"+test.name, func(t *testing.T) { wantError(t, create(test.name), test.text) })
		}
	}
	dir.wantNames("file")
}

func TestCommitError(t *testing.T) {
	for _, test := range []struct {
		name   string
		before func(folder)
		text   string
	}{
		{"the target is a directory", func(f folder) { f.mkdir("sub/target") }, "file exists"},
		{"the target is a directory with files", func(f folder) { f.mkdir("sub/target"); f.put("sub/target/x", "") }, "file exists"},
		{"the directory is gone", func(f folder) { must(f.t, os.RemoveAll(f.path("sub"))) }, "no such file or directory"},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := newFolder(t)
			dir.mkdir("sub")
			f, err := Begin(dir.Root, "sub/target", []byte("new"))
			must(t, err)
			must(t, f.Finish())
			test.before(dir)
			err = f.Commit()
			wantError(t, err, "rename "+dir.path("sub/target")+": "+test.text)
			f.Discard()
			if temps, _ := fs.Glob(dir.FS(), "sub/.*"); len(temps) > 0 {
				t.Errorf("temporaries %q are left", temps)
			}
		})
	}
}

func TestBegin(t *testing.T) {
	dir := newFolder(t)
	dir.put("target", "old")
	f, err := Begin(dir.Root, "target", []byte("new"))
	must(t, err)
	dir.wantFile("target", "old")
	if temps := dir.temps(); len(temps) != 1 {
		t.Fatalf("temporaries %q, want one", temps)
	} else {
		dir.wantFile(temps[0], "new")
	}
	must(t, f.Finish())
	must(t, f.Commit())
	dir.wantFile("target", "new")
	dir.wantNames("target")
}

// A file that is to be hidden is so before it holds anything.
func TestBeginPrepares(t *testing.T) {
	dir := newFolder(t)
	prepared := false
	f, err := begin(dir.Root, "target", []byte("new"), func(*File) error {
		prepared = true
		dir.wantFile(dir.temps()[0], "")
		return nil
	})
	must(t, err)
	must(t, CommitAll(f))
	dir.wantFile("target", "new")
	if !prepared {
		t.Error("it was not prepared")
	}
}

func TestWriteFile(t *testing.T) {
	dir := newFolder(t)
	for _, data := range []string{"first", "", "third"} {
		must(t, writeFile(dir.Root, "target", []byte(data)))
		dir.wantFile("target", data)
		dir.wantNames("target")
	}
	dir.mkdir("sub")
	wantError(t, writeFile(dir.Root, "sub", nil), "rename "+dir.path("sub")+": file exists")
	dir.wantNames("sub", "target")
}

// TestWriteEarly writes more than two parts, after as much that is forgotten.
func TestWriteEarly(t *testing.T) {
	dir := newFolder(t)
	f := dir.create("target")
	f.WriteEarly()
	var begun []string
	f.writeback = func(file *os.File, off, n int64) {
		if file != f.file {
			t.Error("another file's")
		}
		begun = append(begun, fmt.Sprintf("%d+%d", off, n))
		beginWriteback(file, off, n)
	}
	want := bytes.Repeat([]byte("twenty bytes or so. "), part/8)
	for _, data := range [][]byte{bytes.Repeat([]byte("x"), len(want)), want} {
		must(t, f.Reset())
		for chunk := range slices.Chunk(data, part/2+1) {
			_, err := f.Write(chunk)
			must(t, err)
		}
	}
	must(t, CommitAll(f))
	dir.wantFile("target", string(want))
	once := []string{fmt.Sprintf("0+%d", part+2), fmt.Sprintf("%d+%d", part+2, part+2)}
	if got, want := fmt.Sprint(begun), fmt.Sprint(slices.Concat(once, once)); got != want {
		t.Errorf("begun %s, want %s", got, want)
	}
}

// All reach the disk before any gets its name; those that have are passed over.
func TestFinishAll(t *testing.T) {
	must(t, FinishAll())
	dir := newFolder(t)
	var names []string
	for n := range 2 * together {
		names = append(names, fmt.Sprintf("%03d", n))
	}
	files := dir.begin(names...)
	files[0].StartWriteback()
	must(t, files[1].Finish())
	must(t, FinishAll(files...))
	if got := len(dir.temps()); got != len(files) {
		t.Errorf("%d files are temporary, want %d", got, len(files))
	}
	must(t, FinishAll(files...))
	for _, f := range files {
		if !f.durable || f.file != nil {
			t.Errorf("%s is not finished", f.name)
		}
		must(t, f.Commit())
	}
	dir.wantNames(names...)
}

// What could not be made durable once is not passed over.
func TestFinishAllAgain(t *testing.T) {
	dir := newFolder(t)
	files := dir.begin("a", "b")
	must(t, files[1].file.Close())
	wantError(t, FinishAll(files...), "sync "+dir.path("b")+": file already closed")
	wantError(t, FinishAll(files...), "sync "+dir.path("b")+": invalid argument")
	for _, f := range files {
		f.Discard()
	}
	dir.wantNames()
}

// What is on its way to the disk is not sent again.
func TestStartWriteback(t *testing.T) {
	dir := newFolder(t)
	f := dir.begin("target")[0]
	var begun []string
	f.writeback = func(_ *os.File, off, n int64) { begun = append(begun, fmt.Sprintf("%d+%d", off, n)) }
	f.StartWriteback()
	f.StartWriteback()
	_, err := f.Write([]byte("more"))
	must(t, err)
	f.StartWriteback()
	if got := fmt.Sprint(begun); got != "[0+10 10+4]" {
		t.Errorf("begun %s", got)
	}
	must(t, CommitAll(f))
	dir.wantFile("target", "new targetmore")
}

func TestCommitAll(t *testing.T) {
	must(t, CommitAll())
	dir := newFolder(t)
	dir.put("b", "old")
	files := dir.begin("b", "a", "c")
	must(t, CommitAll(files...))
	for _, name := range []string{"a", "b", "c"} {
		dir.wantFile(name, "new "+name)
	}
	dir.wantNames("a", "b", "c")
}

// A name that cannot be given ends the giving of names, in their order.
func TestCommitAllOrder(t *testing.T) {
	dir := newFolder(t)
	dir.mkdir("b")
	files := dir.begin("c", "b", "a")
	wantError(t, CommitAll(files...), "rename "+dir.path("b")+": file exists")
	for _, f := range files {
		f.Discard()
	}
	dir.wantNames("b", "c")
}

// No file gets its name unless all have reached the disk.
func TestFault33_CommitAll(t *testing.T) {
	for broken, name := range []string{"a", "b", "c"} {
		dir := newFolder(t)
		dir.put("a", "old")
		files := dir.begin("a", "b", "c")
		must(t, files[broken].file.Close())
		wantError(t, CommitAll(files...), "sync "+dir.path(name)+": file already closed")
		for _, f := range files {
			f.Discard()
		}
		dir.wantFile("a", "old")
		dir.wantNames("a")
	}
}

func TestSyncDir(t *testing.T) {
	dir := newFolder(t)
	dir.mkdir("sub")
	must(t, SyncDir(dir.Root, "."))
	must(t, SyncDir(dir.Root, "sub"))
	wantError(t, SyncDir(dir.Root, "missing"), "sync "+dir.path("missing")+": no such file or directory")
	wantError(t, SyncDir(dir.Root, ".."), "sync "+dir.path("..")+": path escapes from parent")
}
