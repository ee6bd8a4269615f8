//go:build !unix

package override

// readFile leaves the file to package os.
func readFile(string, []byte, func([]byte) bool) (int, bool) { return 0, false }
