//go:build unix

package packcache

import "syscall"

// openNoWait keeps an open from waiting for the writer of a FIFO that took a
// file's place after it was looked at.
const openNoWait = syscall.O_NONBLOCK | syscall.O_NOFOLLOW
