package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

// A sample is what one run of a command cost.
type sample struct {
	Wall, CPU time.Duration // of CPU that of all its processes, user and system
	Memory    int64         // bytes: the largest resident set of any of its processes
}

// measureWord, as the first argument, makes of this program one that runs the
// rest of them as a command and prints a sample of it. It is a small process of its
// own, since Linux counts to a command's memory that of its parent at the fork.
const measureWord = "measure"

// measured runs a command, whose output goes to where errors go.
func measured(args []string, stdout, stderr *os.File) int {
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Stdout, cmd.Stderr = stderr, stderr
	begin := time.Now()
	err := cmd.Run()
	s := sample{Wall: time.Since(begin)}
	if err != nil {
		fmt.Fprintln(stderr, err)
		return 1
	}
	s.CPU = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	s.Memory = cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss << 10
	if err := json.NewEncoder(stdout).Encode(s); err != nil {
		return 1
	}
	return 0
}

// measure runs a command in dir and returns what it cost. Whatever it says is in
// the error, if there is one.
func measure(ctx context.Context, dir string, env, args []string) (sample, error) {
	var s sample
	self, err := os.Executable()
	if err != nil {
		return s, err
	}
	said, err := os.Create(filepath.Join(dir, "said"))
	if err != nil {
		return s, err
	}
	defer said.Close()
	var out bytes.Buffer
	cmd := exec.CommandContext(ctx, self, append([]string{measureWord}, args...)...)
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = dir, env, &out, said
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	if err := cmd.Run(); err != nil {
		return s, failure(args, err, said)
	}
	return s, json.Unmarshal(out.Bytes(), &s)
}

// failure is the error of a command, with the end of what it said.
func failure(args []string, err error, said io.ReaderAt) error {
	text, _ := io.ReadAll(io.NewSectionReader(said, 0, 1<<20))
	text = bytes.TrimSpace(text)
	return fmt.Errorf("%s: %w: %s", filepath.Base(args[0]), err, text[max(0, len(text)-500):])
}

// output runs a command that is not measured and returns what it prints.
func output(ctx context.Context, dir string, env []string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Dir, cmd.Env = dir, env
	out, err := cmd.Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return out, failure(args, err, bytes.NewReader(exit.Stderr))
	}
	return out, err
}
