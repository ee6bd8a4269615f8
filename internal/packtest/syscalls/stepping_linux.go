//go:build amd64 || arm64

// Package syscalls intercepts the system calls of a test.
package syscalls

import (
	"bytes"
	"fmt"
	"os"
	"reflect"
	"runtime"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/greenticai/packvendor/internal/packtest"
)

// A Step is a system call of this process on files, before the kernel makes it.
type Step struct {
	Call string // "open" is only a call that may create the file; "clone" is FICLONE
	Path string // the call's path; a descriptor's whole path; a rename's new path
	From string // a rename's old path
}

func (s Step) String() string { return s.Call + " " + s.Path }

// Changes tells whether the call may change the disk.
func (s Step) Changes() bool { return s.Call != "read" && s.Call != "close" && s.Call != "lock" }

// A call is a system call that may be a step. path is the number of the argument with
// its path; 0 means that the first argument is a descriptor.
type call struct {
	name   string
	number uint32
	path   int
}

// calls returns the calls that always are steps, and those that are steps only on
// regular files.
func calls() (always, onFiles []call) {
	return []call{
			{"mkdir", syscall.SYS_MKDIRAT, 1},
			{"rename", syscall.SYS_RENAMEAT, 3},
			{"rename", unix.SYS_RENAMEAT2, 3},
			{"unlink", syscall.SYS_UNLINKAT, 1},
			{"link", syscall.SYS_LINKAT, 3},
			{"symlink", syscall.SYS_SYMLINKAT, 2},
			{"chmod", syscall.SYS_FCHMODAT, 1},
			{"truncate", syscall.SYS_FTRUNCATE, 0},
			{"sync", syscall.SYS_FSYNC, 0},
			{"sync", syscall.SYS_FDATASYNC, 0},
			{"writeback", syscall.SYS_SYNC_FILE_RANGE, 0},
			{"lock", syscall.SYS_FLOCK, 0},
		}, []call{
			{"read", syscall.SYS_READ, 0},
			{"read", syscall.SYS_PREAD64, 0},
			{"write", syscall.SYS_WRITE, 0},
			{"write", syscall.SYS_PWRITE64, 0},
			{"close", syscall.SYS_CLOSE, 0},
		}
}

// Stepping passes every step of this process to decide from now on, one after the other
// and before the kernel makes it. Decide returns 0 to allow the step, or the error with
// which it fails; it may end the process, but takes no step itself except on the
// standard streams. There is no way back, and one processor must stay free for decide.
// The error reports missing support:
// https://docs.kernel.org/userspace-api/seccomp_filter.html, "Userspace Notification",
// as of Linux 5.19.
func Stepping(decide func(Step) syscall.Errno) error {
	// Once set, the runtime no longer reads it from files, in the very thread that lets
	// others run while one waits.
	runtime.GOMAXPROCS(max(2, runtime.GOMAXPROCS(0)))
	ready := make(chan error)
	go func() {
		runtime.LockOSThread() // both calls must come from one thread
		listener, err := notify()
		ready <- err
		if err == nil {
			listen(listener, decide)
		}
	}()
	return <-ready
}

// notify makes the steps of all threads wait for the reader of listener.
func notify() (listener uintptr, err error) {
	// For all threads; and a signal to a thread does not repeat a step.
	const allThreads = unix.SECCOMP_FILTER_FLAG_TSYNC | unix.SECCOMP_FILTER_FLAG_TSYNC_ESRCH | unix.SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
	return install(stepFilter(), allThreads|unix.SECCOMP_FILTER_FLAG_NEW_LISTENER)
}

// stepFilter selects the calls. Of opening calls it takes those that may create; of
// calls on files, none on the standard streams, and none of eight bytes, since the Go
// runtime wakes itself with these while nothing else can run. Nothing else can run
// during a call of C code either, such as the race detector's at a thread's start: the
// filter allows all calls from outside Go code.
func stepFilter() []syscall.SockFilter {
	const (
		number, pointer, argument = 0, 12, 16 // offsets in struct seccomp_data; for pointer, the upper half
		eight                     = 8
	)
	load := func(offset uint32) syscall.SockFilter {
		return syscall.SockFilter{Code: syscall.BPF_LD | syscall.BPF_W | syscall.BPF_ABS, K: offset}
	}
	var filter []syscall.SockFilter
	jump := func(test uint16, k uint32, yes, no int) {
		next := len(filter) + 1
		filter = append(filter, syscall.SockFilter{
			Code: syscall.BPF_JMP | syscall.BPF_K | test, K: k, Jt: uint8(yes - next), Jf: uint8(no - next),
		})
	}
	always, onFiles := calls()
	open := 3 + len(always) + 2 + len(onFiles) + 1
	file, control, allow, notify := open+2, open+8, open+10, open+11
	filter = append(filter, load(pointer))
	jump(syscall.BPF_JEQ, uint32(reflect.ValueOf(stepFilter).Pointer()>>32), len(filter)+1, allow)
	filter = append(filter, load(number))
	for _, c := range always {
		jump(syscall.BPF_JEQ, c.number, notify, len(filter)+1)
	}
	jump(syscall.BPF_JEQ, syscall.SYS_OPENAT, open, len(filter)+1)
	jump(syscall.BPF_JEQ, syscall.SYS_IOCTL, control, len(filter)+1)
	for _, c := range onFiles {
		jump(syscall.BPF_JEQ, c.number, file, len(filter)+1)
	}
	filter = append(filter, syscall.SockFilter{Code: syscall.BPF_RET | syscall.BPF_K, K: unix.SECCOMP_RET_ALLOW}, load(argument+2*eight))
	jump(syscall.BPF_JSET, syscall.O_CREAT, notify, allow)
	filter = append(filter, load(argument))
	jump(syscall.BPF_JGT, 2, file+2, allow)
	filter = append(filter, load(number))
	jump(syscall.BPF_JEQ, syscall.SYS_CLOSE, notify, file+4)
	filter = append(filter, load(argument+2*eight))
	jump(syscall.BPF_JEQ, eight, allow, notify)
	filter = append(filter, load(argument+1*eight))
	jump(syscall.BPF_JEQ, unix.FICLONE, notify, allow)
	return append(filter,
		syscall.SockFilter{Code: syscall.BPF_RET | syscall.BPF_K, K: unix.SECCOMP_RET_ALLOW},
		syscall.SockFilter{Code: syscall.BPF_RET | syscall.BPF_K, K: unix.SECCOMP_RET_USER_NOTIF})
}

// notification is struct seccomp_notif, response struct seccomp_notif_resp, of
// seccomp_unotify(2).
type (
	notification struct {
		id         uint64
		pid, flags uint32
		number     int32
		arch       uint32
		ip         uint64
		args       [6]uint64
	}
	response struct {
		id    uint64
		value int64
		errno int32
		flags uint32
	}
)

// listen answers until the process ends.
func listen(listener uintptr, decide func(Step) syscall.Errno) {
	null, err := syscall.Open(os.DevNull, syscall.O_RDWR|syscall.O_CLOEXEC, 0)
	if err != nil {
		null = 0
	}
	ask := func(request uintptr, argument unsafe.Pointer) error {
		if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, listener, request, uintptr(argument)); errno != 0 {
			return errno
		}
		return nil
	}
	for {
		var got notification
		if ask(unix.SECCOMP_IOCTL_NOTIF_RECV, unsafe.Pointer(&got)) != nil {
			continue // EINTR, or ENOENT if the caller was interrupted
		}
		answer := response{id: got.id, flags: unix.SECCOMP_USER_NOTIF_FLAG_CONTINUE}
		if step, ok := got.step(); ok {
			if errno := decide(step); errno != 0 {
				answer = response{id: got.id, errno: -int32(errno)}
				if step.Call == "close" { // a failed close leaves nothing open either
					syscall.Dup3(null, int(got.args[0]), syscall.O_CLOEXEC)
				}
			}
		}
		ask(unix.SECCOMP_IOCTL_NOTIF_SEND, unsafe.Pointer(&answer))
	}
}

// step returns the call's step, if it is one.
func (n *notification) step() (Step, bool) {
	switch n.number {
	case syscall.SYS_OPENAT:
		return Step{Call: "open", Path: stringAt(n.args[1])}, true
	case syscall.SYS_IOCTL:
		return Step{Call: "clone", Path: pathOf(n.args[0])}, true
	}
	always, onFiles := calls()
	for i, c := range append(always, onFiles...) {
		if c.number != uint32(n.number) {
			continue
		}
		s := Step{Call: c.name}
		switch {
		case c.path > 0:
			s.Path = stringAt(n.args[c.path])
		default:
			s.Path = pathOf(n.args[0])
		}
		if c.name == "rename" {
			s.From = stringAt(n.args[1])
		}
		return s, i < len(always) || isRegular(int(n.args[0]))
	}
	return Step{}, false
}

// pathOf returns the path of an open file.
func pathOf(fd uint64) string {
	path, _ := os.Readlink(fmt.Sprintf("/proc/self/fd/%d", fd))
	return path
}

func isRegular(fd int) bool {
	var stat syscall.Stat_t
	err := syscall.Fstat(fd, &stat)
	return err == nil && stat.Mode&syscall.S_IFMT == syscall.S_IFREG
}

// stringAt reads a zero-terminated string of this process. The string cannot move: its
// thread is in the call. Memory after it may not exist, so stringAt reads pieces that
// end at page boundaries.
func stringAt(address uint64) string {
	const piece = 256
	var text []byte
	for len(text) < 4096 {
		buf := make([]byte, piece-address%piece)
		local := []unix.Iovec{{Base: &buf[0], Len: uint64(len(buf))}}
		remote := []unix.RemoteIovec{{Base: uintptr(address), Len: len(buf)}}
		n, err := unix.ProcessVMReadv(os.Getpid(), local, remote, 0)
		if err != nil {
			break
		}
		before, _, found := bytes.Cut(buf[:n], []byte{0})
		if text = append(text, before...); found {
			break
		}
		address += uint64(n)
	}
	return string(text)
}

// Failing runs f in its own thread, in which the system calls numbers fail with errno,
// by a filter that ends with the thread: see
// https://docs.kernel.org/userspace-api/seccomp_filter.html. It skips the test if the
// system does not allow that.
func Failing(tb packtest.Skipper, errno syscall.Errno, f func(), numbers ...uint32) {
	var refused error
	done := make(chan bool)
	go func() {
		defer close(done)
		runtime.LockOSThread() // never unlocked: the thread ends with its goroutine
		if _, refused = install(failFilter(errno, numbers), 0); refused == nil {
			f()
		}
	}()
	if <-done; refused != nil {
		packtest.Unable(tb, "system calls cannot be made to fail here: %v", refused)
	}
}

// failFilter makes the calls numbers fail.
func failFilter(errno syscall.Errno, numbers []uint32) []syscall.SockFilter {
	// The first field of the filter's input is the call's number.
	filter := []syscall.SockFilter{{Code: syscall.BPF_LD | syscall.BPF_W | syscall.BPF_ABS}}
	for i, number := range numbers {
		toErrno := uint8(len(numbers) - i)
		filter = append(filter, syscall.SockFilter{Code: syscall.BPF_JMP | syscall.BPF_JEQ | syscall.BPF_K, Jt: toErrno, K: number})
	}
	return append(filter,
		syscall.SockFilter{Code: syscall.BPF_RET | syscall.BPF_K, K: unix.SECCOMP_RET_ALLOW},
		syscall.SockFilter{Code: syscall.BPF_RET | syscall.BPF_K, K: unix.SECCOMP_RET_ERRNO | uint32(errno)})
}

// install sets a filter for this thread, or as flags say. With the flag for a listener,
// it returns a file descriptor.
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
