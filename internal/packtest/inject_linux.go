//go:build amd64 || arm64

package packtest

import (
	"runtime"
	"syscall"
	"unsafe"
)

// Failing runs f in a thread of its own in which the system calls of the given
// numbers fail with errno, by a filter that ends with the thread: see
// https://docs.kernel.org/userspace-api/seccomp_filter.html. The test is skipped
// where the system allows no such thing.
func Failing(tb Skipper, errno syscall.Errno, f func(), numbers ...uint32) {
	var refused syscall.Errno
	done := make(chan bool)
	go func() {
		defer close(done)
		runtime.LockOSThread() // and never unlocked: the thread ends with its goroutine
		if refused = setFilter(errno, numbers); refused == 0 {
			f()
		}
	}()
	if <-done; refused != 0 {
		Unable(tb, "system calls cannot be made to fail here: %v", refused)
	}
}

func setFilter(errno syscall.Errno, numbers []uint32) syscall.Errno {
	const (
		prSetSeccomp, prSetNoNewPrivs = 22, 38
		modeFilter                    = 2
		retErrno, retAllow            = 0x0005_0000, 0x7fff_0000
	)
	// The first field of what the filter is given is the call's number.
	filter := []syscall.SockFilter{{Code: syscall.BPF_LD | syscall.BPF_W | syscall.BPF_ABS}}
	for i, number := range numbers {
		toErrno := uint8(len(numbers) - i)
		filter = append(filter, syscall.SockFilter{Code: syscall.BPF_JMP | syscall.BPF_JEQ | syscall.BPF_K, Jt: toErrno, K: number})
	}
	filter = append(filter,
		syscall.SockFilter{Code: syscall.BPF_RET | syscall.BPF_K, K: retAllow},
		syscall.SockFilter{Code: syscall.BPF_RET | syscall.BPF_K, K: retErrno | uint32(errno)})
	program := syscall.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	if _, _, err := syscall.RawSyscall(syscall.SYS_PRCTL, prSetNoNewPrivs, 1, 0); err != 0 {
		return err
	}
	_, _, err := syscall.RawSyscall(syscall.SYS_PRCTL, prSetSeccomp, modeFilter, uintptr(unsafe.Pointer(&program)))
	return err
}
