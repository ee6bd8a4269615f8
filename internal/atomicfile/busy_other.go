//go:build !windows

package atomicfile

// isBusy is false: on this system open files do not prevent a rename.
func isBusy(error) bool { return false }
