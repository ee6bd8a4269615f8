//go:build unix

package credentials

import (
	"os/exec"
	"syscall"
)

// isolate gives a program a session of its own: it has no terminal on which to ask the
// user, and the end of ctx ends its children too.
func isolate(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
}
