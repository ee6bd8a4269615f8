//go:build unix

package override

import "golang.org/x/sys/unix"

// headSize is how much is read of a file at first: what a copy of it costs is no more
// than what it costs to open a file.
const headSize = 4 << 10

// readFile reads a file into a buffer that has room for more, and reports whether it
// could. If its first bytes are enough, it leaves it at none. It is os.ReadFile without
// what that does for files that are no small regular ones, which is about half of the
// time.
func readFile(name string, buffer []byte, enough func(head []byte) bool) (int, bool) {
	file, err := unix.Open(name, unix.O_RDONLY|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		return 0, false
	}
	defer unix.Close(file)
	n, err := unix.Read(file, buffer[:headSize])
	if err == nil && enough(buffer[:n]) {
		return 0, true
	}
	for err == nil && n < len(buffer) {
		var more int
		more, err = unix.Read(file, buffer[n:])
		if err == nil && more == 0 {
			return n, true
		}
		n += more
	}
	return 0, false
}
