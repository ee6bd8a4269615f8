package network

import (
	"io"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// An alarm wakes one goroutine. It is a timer of the system: those of Go wait for whole
// milliseconds when a program is at rest, https://github.com/golang/go/issues/44343.
type alarm struct{ file *os.File }

func newAlarm() (alarm, error) {
	fd, err := unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_NONBLOCK|unix.TFD_CLOEXEC)
	if err != nil {
		return alarm{}, os.NewSyscallError("timerfd_create", err)
	}
	return alarm{os.NewFile(uintptr(fd), "timer")}, nil
}

// wait waits that long, or until the alarm is closed.
func (a alarm) wait(d time.Duration) {
	if d <= 0 {
		return
	}
	raw, err := a.file.SyscallConn()
	if err != nil {
		return
	}
	once := unix.ItimerSpec{Value: unix.NsecToTimespec(d.Nanoseconds())}
	if raw.Control(func(fd uintptr) { err = unix.TimerfdSettime(int(fd), 0, &once, nil) }) != nil || err != nil {
		return // closed
	}
	var expired [8]byte
	io.ReadFull(a.file, expired[:])
}

func (a alarm) close() {
	if a.file != nil {
		a.file.Close()
	}
}
