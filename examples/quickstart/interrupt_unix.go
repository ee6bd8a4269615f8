//go:build unix

package main

import (
	"os/exec"
	"syscall"
)

// interruptible gives the command a process group of its own, which is
// interrupted as a whole: "go generate" does not pass signals on.
func interruptible(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGINT) }
}
