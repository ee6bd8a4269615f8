// Package reflink lets a file share the blocks of another one, where the file system can
// do that: XFS and Btrfs on Linux, APFS on macOS. A write to one of the two files
// afterwards does not change the other.
//
// A clone holds what its source held at one moment. If other programs write the source,
// only a look into the clone tells what that was.
//
// The build tag noreflink refuses every clone: the benchmark compares packvendor with
// itself.
package reflink

import "os"

// Clone gives file, which is empty, the bytes of source by sharing their blocks. file is
// open for writing, and has that name below root. Clone returns the file to go on with:
// file itself or, since macOS clones only into new files, another one with the same name
// and mode; file is closed then.
//
// After an error the returned file may hold a part of source.
func Clone(root *os.Root, name string, file, source *os.File) (*os.File, error) {
	return clone(root, name, file, source)
}
