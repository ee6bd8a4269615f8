//go:build unix

package credentials

import "syscall"

// openNoWait keeps open from waiting for the writer of a FIFO.
const openNoWait = syscall.O_NONBLOCK
