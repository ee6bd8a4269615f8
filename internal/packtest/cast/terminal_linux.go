package cast

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// patience is how long a command may run: building packvendor on a busy machine takes
// more than a minute.
const patience = 5 * time.Minute

// Run runs a command in a terminal of that many columns, and returns all that the
// terminal received. An exit code is no error; a command that does not end is.
func Run(cmd *exec.Cmd, columns int) (string, error) { return run(cmd, columns, patience) }

func run(cmd *exec.Cmd, columns int, limit time.Duration) (string, error) {
	master, terminal, err := open(columns)
	if err != nil {
		return "", err
	}
	defer master.Close()
	cmd.Stdin, cmd.Stdout, cmd.Stderr = terminal, terminal, terminal
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	err = cmd.Start()
	terminal.Close()
	if err != nil {
		return "", err
	}
	// The command leads the terminal's session: when it dies the terminal is hung up, and
	// reading ends.
	var late atomic.Bool
	timer := time.AfterFunc(limit, func() {
		late.Store(true)
		syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
	})
	defer timer.Stop()
	received, err := io.ReadAll(master)
	if errors.Is(err, syscall.EIO) { // nobody has the terminal open any more
		err = nil
	}
	var exit *exec.ExitError
	if waited := cmd.Wait(); !errors.As(waited, &exit) {
		err = errors.Join(err, waited)
	}
	if late.Load() {
		err = fmt.Errorf("it did not end within %v; it had printed:\n%s", limit, received)
	}
	return string(received), err
}

// open makes a terminal, and returns its two ends.
func open(columns int) (master, terminal *os.File, err error) {
	master, err = os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		return nil, nil, err
	}
	defer func() {
		if err != nil {
			master.Close()
		}
	}()
	if err := unix.IoctlSetPointerInt(int(master.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		return nil, nil, fmt.Errorf("unlock the terminal: %w", err)
	}
	number, err := unix.IoctlGetInt(int(master.Fd()), unix.TIOCGPTN)
	if err != nil {
		return nil, nil, fmt.Errorf("find the terminal: %w", err)
	}
	size := &unix.Winsize{Row: 24, Col: uint16(columns)}
	if err := unix.IoctlSetWinsize(int(master.Fd()), unix.TIOCSWINSZ, size); err != nil {
		return nil, nil, fmt.Errorf("resize the terminal: %w", err)
	}
	terminal, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	return master, terminal, err
}
