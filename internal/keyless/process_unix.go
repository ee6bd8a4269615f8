//go:build unix

package keyless

import (
	"os/exec"
	"syscall"
)

// isolate gives the program a session of its own: it has no terminal, and the end of ctx
// ends its children too.
func isolate(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
}
