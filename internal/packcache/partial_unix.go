//go:build unix

package packcache

import (
	"io/fs"
	"os"
	"syscall"
)

// isOurs tells whether a file belongs to this user and has one name only.
func isOurs(info fs.FileInfo) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(stat.Uid) == os.Geteuid() && stat.Nlink == 1
}
