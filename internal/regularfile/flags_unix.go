//go:build unix

package regularfile

import "syscall"

// Flags for os.OpenFile, where a name may be anything by the time it is opened.
const (
	NoWait   = syscall.O_NONBLOCK // wait for no FIFO's other end
	NoFollow = syscall.O_NOFOLLOW // refuse a symbolic link; a Root follows it all the same
)
