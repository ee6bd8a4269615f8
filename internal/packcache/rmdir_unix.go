//go:build unix

package packcache

import "syscall"

// removeDir removes an empty directory, and never a link that took its place,
// as os.Remove would.
func removeDir(path string) error { return syscall.Rmdir(path) }
