package regularfile

import "os"

// Same reports whether two paths lead to the same file or directory, links followed. It is false
// if one of them leads nowhere.
func Same(a, b string) bool {
	infoA, errA := os.Stat(a)
	infoB, errB := os.Stat(b)
	return errA == nil && errB == nil && os.SameFile(infoA, infoB)
}
