package project

import (
	"io/fs"
	"os"
)

// ReadPlain reads a file that is none of the project's, wherever it is: a regular one
// of at most maxSource bytes. It waits for no FIFO's writer.
func ReadPlain(name string) ([]byte, error) {
	file, err := os.OpenFile(name, os.O_RDONLY|openNoWait, 0)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, &fs.PathError{Op: "read", Path: name, Err: fs.ErrInvalid}
	}
	return ReadWhole(name, file, info.Size(), MaxSource)
}
