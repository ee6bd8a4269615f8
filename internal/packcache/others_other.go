//go:build !unix

package packcache

import "io/fs"

// othersOf returns nobody: the permissions of this system's files are lists, which the
// mode does not show.
func othersOf(fs.FileInfo) Others { return Others{} }
