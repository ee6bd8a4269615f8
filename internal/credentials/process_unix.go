//go:build unix

package credentials

import (
	"os/exec"
	"syscall"
)

// isolate gives a program a session of its own: it has no terminal to ask the
// user at, and ends together with all that it started there.
func isolate(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
}
