package program_test

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// fileVariable names the file that a test made for its child process.
const fileVariable = "PACKVENDOR_TEST_FILE"

// madeOnce returns a file that a test makes, and that its child process reads.
func madeOnce(t *testing.T, make func() string) string {
	t.Helper()
	if os.Getenv(childVariable) != t.Name() {
		t.Setenv(fileVariable, make())
	}
	return os.Getenv(fileVariable)
}

// A program with 1 GiB of packs is read in bounded memory.
func TestLargeProgram(t *testing.T) {
	if !buildsAll() {
		t.Skip("it builds a program of 1 GiB: PACKVENDOR_PROGRAMS is not set")
	}
	file := madeOnce(t, func() string {
		t.Setenv("GOCACHE", t.TempDir()) // it would keep the packs
		contents := map[string][]byte{}
		for i, name := range []string{"a", "b", "d", "zeros"} {
			contents[name] = archive(t, noise(uint64(i), 256<<20))
		}
		return build(t, writeProgram(t, allMain, contents), native, false)
	})
	inBoundedMemory(t, func(t *testing.T) {
		if got, want := packsIn(t, file), line("a", "present")+line("b", "present")+line("d", "present")+line("zeros", "present"); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}

// A file of 2 GiB with a thousand packs that begin alike, of which a half is no pack, is read in
// bounded memory, about as fast as sha256sum hashes it. docs/program.md has what was measured.
func TestHugeProgram(t *testing.T) {
	if !buildsAll() {
		t.Skip("it writes a file of 2 GiB: PACKVENDOR_PROGRAMS is not set")
	}
	file := madeOnce(t, func() string { return hugeProgram(t) })
	inBoundedMemory(t, func(t *testing.T) {
		hashed := timed(t, func() error { return exec.Command("sha256sum", file).Run() })
		var got string
		read := timed(t, func() error { got = packsIn(t, file); return nil })
		if lines := strings.Count(got, " present\n"); lines != 1000 {
			t.Errorf("%d packs are present", lines)
		}
		const size = 2 << 30 / 1e6
		t.Logf("%.0f MB/s, which is %.1f times the time of sha256sum (%.0f MB/s)", size/read.Seconds(), read.Seconds()/hashed.Seconds(), size/hashed.Seconds())
		if slowest := 43 * time.Second; read > slowest { // 50 MB/s, a tenth of what it is for
			t.Errorf("it took %s", read)
		}
	})
}

// timed returns how long the second of two runs takes: the first one warms the file.
func timed(t *testing.T, do func() error) time.Duration {
	t.Helper()
	var begin time.Time
	for range 2 {
		begin = time.Now()
		if err := do(); err != nil {
			t.Fatal(err)
		}
	}
	return time.Since(begin)
}

func hugeProgram(t *testing.T) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "program")
	file, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	w := bufio.NewWriterSize(file, 1<<20)
	w.Write(elf())
	for i := range 1000 {
		pack := archive(t, noise(uint64(i), 600<<10), noise(uint64(i+1), 300<<10), noise(uint64(i+2), 100<<10))
		w.Write(text(markerOf(fmt.Sprintf("p%03d", i), pack)))
		w.Write(noise(uint64(i+3), 1<<20))
		w.Write(pack)
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	if err := file.Truncate(2 << 30); err != nil {
		t.Fatal(err)
	}
	return name
}
