//go:build unix

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"testing"
	"time"
)

// role says what this program plays when it is started by the test below.
const role = "QUICKSTART_TEST_ROLE"

func TestMain(m *testing.M) {
	switch os.Getenv(role) {
	case "stubborn":
		os.Exit(stubborn())
	case "worker":
		fmt.Println("working")
		<-time.After(time.Minute) // an interrupt comes first
		os.Exit(3)
	}
	os.Exit(m.Run())
}

// stubborn does as "go generate" does: whatever signal it gets, it waits for
// the command that it started. The exit code is 1 if that was interrupted.
func stubborn() int {
	signal.Notify(make(chan os.Signal, 1), os.Interrupt)
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), role+"=worker")
	cmd.Stdout = os.Stdout
	cmd.Run()
	if status, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); ok && status.Signal() == syscall.SIGINT {
		return 1
	}
	return 2
}

// An interrupt reaches what the command has started, too. Were the worker not
// to end, its open standard output would make the error exec.ErrWaitDelay.
func TestInterruptReachesAll(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	stdout := &listener{prefix: "working", n: 1, hear: cancel}
	s := &stage{app: t.TempDir(), env: append(os.Environ(), role+"=stubborn"), stdout: stdout, stderr: io.Discard}
	err := s.command(ctx, os.Args[0])
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 1 || errors.Is(err, exec.ErrWaitDelay) {
		t.Errorf("error %v, want exit status 1", err)
	}
	if want := "$ " + os.Args[0] + "\nworking\n"; stdout.heard.String() != want {
		t.Errorf("standard output %q, want %q", &stdout.heard, want)
	}
}
