//go:build unix

package override

import "golang.org/x/sys/unix"

// headSize is the size of the first read: copying it costs no more than opening a file.
const headSize = 4 << 10

// readFile reads a file into a larger buffer, and reports success. It reads no more if
// the first bytes are enough, and then returns 0. It skips os.ReadFile's work for
// special and large files, which is about half of the time.
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
