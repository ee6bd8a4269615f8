//go:build amd64 || arm64

package syscalls

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// steppingDir makes this test binary a program that takes steps in that folder.
const steppingDir = "PACKTEST_STEPPING"

// TestStepping makes another process report its steps, with one failure: the filter is
// irrevocable.
func TestStepping(t *testing.T) {
	if dir := os.Getenv(steppingDir); dir != "" {
		takeSteps(dir)
	}
	dir := t.TempDir()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe, "-test.run=^TestStepping$")
	cmd.Env = append(os.Environ(), steppingDir+"="+dir)
	out, err := cmd.Output()
	if exit := new(exec.ExitError); errors.As(err, &exit) && exit.ExitCode() == 9 {
		t.Skipf("this system does not show a process its system calls: %s", exit.Stderr)
	}
	var want []string
	for _, step := range []string{
		"mkdir DIR/sub", "open DIR/sub/new", "lock DIR/sub/new", "write DIR/sub/new", "clone DIR/sub/new", "sync DIR/sub/new", "truncate DIR/sub/new", "read DIR/sub/new", "close DIR/sub/new",
		"rename DIR/sub/final", "link DIR/link", "symlink DIR/symlink", "chmod DIR/link", "unlink DIR/sub/final", "input/output error",
	} {
		want = append(want, strings.ReplaceAll(step, "DIR", dir))
	}
	if got := strings.TrimSpace(string(out)); err != nil || got != strings.Join(want, "\n") {
		t.Errorf("%v\n%s\nwant:\n%s", err, got, strings.Join(want, "\n"))
	}
	if _, err := os.Stat(filepath.Join(dir, "sub", "final")); err != nil {
		t.Errorf("a step that failed was taken: %v", err)
	}
}

// takeSteps takes one step of each kind.
func takeSteps(dir string) {
	temporary := regexp.MustCompile(`^/proc/|^/sys/|^/dev/`)
	err := Stepping(func(s Step) syscall.Errno {
		if temporary.MatchString(s.Path) {
			return 0
		}
		fmt.Println(s)
		if s.Call == "unlink" {
			return syscall.EIO
		}
		return 0
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(9)
	}
	sub := filepath.Join(dir, "sub")
	file := filepath.Join(sub, "new")
	os.Mkdir(sub, 0o777)
	fd, _ := syscall.Open(file, syscall.O_RDWR|syscall.O_CREAT, 0o666)
	syscall.Flock(fd, syscall.LOCK_EX)
	syscall.Write(fd, []byte("data"))
	unix.IoctlFileClone(fd, fd)
	unix.IoctlGetInt(fd, unix.FS_IOC_GETFLAGS) // no step
	syscall.Fsync(fd)
	syscall.Ftruncate(fd, 1)
	syscall.Read(fd, make([]byte, 1))
	syscall.Close(fd)
	os.Rename(file, filepath.Join(sub, "final"))
	os.Link(filepath.Join(sub, "final"), filepath.Join(dir, "link"))
	os.Symlink("link", filepath.Join(dir, "symlink"))
	os.Chmod(filepath.Join(dir, "link"), 0o600)
	fmt.Println(syscall.Unlink(filepath.Join(sub, "final")))
	os.Exit(0)
}
