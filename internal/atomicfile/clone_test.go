package atomicfile

import (
	"io"
	"os"
	"strings"
	"testing"
)

// cloneable is the content of a source, of several blocks.
var cloneable = strings.Repeat("twenty bytes or so. ", 1000)

// source makes a file in the folder, and opens it.
func (f folder) source(name string) *os.File {
	f.t.Helper()
	f.put(name, cloneable)
	file, err := os.Open(f.path(name))
	must(f.t, err)
	f.t.Cleanup(func() { file.Close() })
	return file
}

// tryClone clones a source, if the file system can do that, and demands that the file is
// the source's clone, or empty.
func (f folder) tryClone(file *File, source *os.File) (shared bool) {
	f.t.Helper()
	cloned, err := file.Clone(source)
	must(f.t, err)
	want := ""
	if cloned != nil {
		want = cloneable
		got, err := io.ReadAll(cloned)
		if must(f.t, err); string(got) != want {
			f.t.Errorf("the clone has %d bytes, want %d", len(got), len(want))
		}
	}
	if got := file.Written(); got != int64(len(want)) {
		f.t.Errorf("Written() = %d, want %d", got, len(want))
	}
	return cloned != nil
}

// cloneTwice is about what can be done with a clone, or instead of one.
func (f folder) cloneTwice() (shared bool) {
	f.t.Helper()
	source := f.source("source")
	file := f.create("target")
	file.writeback = func(*os.File, int64, int64) { f.t.Error("a clone is written back") }
	shared = f.tryClone(file, source)
	file.StartWriteback()
	file.writeback = beginWriteback
	_, err := io.WriteString(file, "more")
	must(f.t, err)
	must(f.t, file.Reset())
	if again := f.tryClone(file, source); again != shared {
		f.t.Errorf("a second clone shares blocks: %t, the first: %t", again, shared)
	}
	_, err = io.WriteString(file, "end")
	must(f.t, err)
	must(f.t, CommitAll(file))
	want := "end"
	if shared {
		want = cloneable + want
	}
	f.wantFile("target", want)
	f.wantFile("source", cloneable)
	f.wantNames("source", "target")
	return shared
}

// copyTwice is about a file whose bytes another one gets.
func (f folder) copyTwice() (shared bool) {
	f.t.Helper()
	from, to := f.create("from"), f.create("to")
	shared, err := from.CopyTo(to)
	must(f.t, err)
	_, err = io.WriteString(from, cloneable)
	must(f.t, err)
	if again, err := from.CopyTo(to); again != shared || err != nil {
		f.t.Errorf("CopyTo = %t, %v; before there were bytes it was %t", again, err, shared)
	}
	if got := to.Written(); got != int64(len(cloneable)) {
		f.t.Errorf("Written() = %d, want %d", got, len(cloneable))
	}
	_, err = io.WriteString(from, "more")
	must(f.t, err)
	must(f.t, CommitAll(from, to))
	f.wantFile("from", cloneable+"more")
	f.wantFile("to", cloneable)
	f.wantNames("from", "to")
	return shared
}

// TestClone is about whatever file system has the temporary folders.
func TestClone(t *testing.T) {
	if is, was := newFolder(t).cloneTwice(), newFolder(t).copyTwice(); is != was {
		t.Errorf("Clone shares blocks: %t, CopyTo: %t", is, was)
	}
}

// TestCloneFinished is about a file that must not be written any more.
func TestCloneFinished(t *testing.T) {
	dir := newFolder(t)
	source, f := dir.source("source"), dir.create("target")
	must(t, f.Finish())
	_, err := f.Clone(source)
	wantError(t, err, "truncate "+dir.path("target")+": invalid argument")
}
