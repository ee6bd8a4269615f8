//go:build unix

package project

import "golang.org/x/sys/unix"

// openNoWait has the opening of a FIFO not wait for its other end.
const openNoWait = unix.O_NONBLOCK
