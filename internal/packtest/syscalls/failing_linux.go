//go:build amd64 || arm64

package syscalls

import (
	"os"
	"runtime"
	"syscall"
	"unsafe"

	"github.com/greenticai/packvendor/internal/packtest"
	"golang.org/x/sys/unix"
)

// Failing runs f in a thread of its own in which the system calls of the given
// numbers fail with errno, by a filter that ends with the thread: see
// https://docs.kernel.org/userspace-api/seccomp_filter.html. The test is skipped
// where the system allows no such thing.
func Failing(tb packtest.Skipper, errno syscall.Errno, f func(), numbers ...uint32) {
	var refused error
	done := make(chan bool)
	go func() {
		defer close(done)
		runtime.LockOSThread() // and never unlocked: the thread ends with its goroutine
		if _, refused = install(failFilter(errno, numbers), 0); refused == nil {
			f()
		}
	}()
	if <-done; refused != nil {
		packtest.Unable(tb, "system calls cannot be made to fail here: %v", refused)
	}
}

// failFilter has the calls of those numbers fail.
func failFilter(errno syscall.Errno, numbers []uint32) []syscall.SockFilter {
	// The first field of what the filter is given is the call's number.
	filter := []syscall.SockFilter{{Code: syscall.BPF_LD | syscall.BPF_W | syscall.BPF_ABS}}
	for i, number := range numbers {
		toErrno := uint8(len(numbers) - i)
		filter = append(filter, syscall.SockFilter{Code: syscall.BPF_JMP | syscall.BPF_JEQ | syscall.BPF_K, Jt: toErrno, K: number})
	}
	return append(filter,
		syscall.SockFilter{Code: syscall.BPF_RET | syscall.BPF_K, K: unix.SECCOMP_RET_ALLOW},
		syscall.SockFilter{Code: syscall.BPF_RET | syscall.BPF_K, K: unix.SECCOMP_RET_ERRNO | uint32(errno)})
}

// install sets a filter for this thread, or as flags say. What it returns is a file
// descriptor where they ask for a listener.
func install(filter []syscall.SockFilter, flags uintptr) (uintptr, error) {
	program := syscall.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return 0, os.NewSyscallError("prctl", err)
	}
	listener, _, errno := syscall.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, flags, uintptr(unsafe.Pointer(&program)))
	if errno != 0 {
		return 0, os.NewSyscallError("seccomp", errno)
	}
	return listener, nil
}
