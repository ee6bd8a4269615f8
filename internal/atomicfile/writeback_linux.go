package atomicfile

import (
	"os"

	"golang.org/x/sys/unix"
)

// beginWriteback starts to write a part of file to the disk, and does not wait for it:
// sync_file_range(2). It makes nothing durable, so it reports no failure.
func beginWriteback(file *os.File, off, n int64) {
	conn, err := file.SyscallConn()
	if err != nil {
		return
	}
	conn.Control(func(fd uintptr) { unix.SyncFileRange(int(fd), off, n, unix.SYNC_FILE_RANGE_WRITE) })
}
