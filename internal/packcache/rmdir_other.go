//go:build !unix && !windows

package packcache

import "os"

func removeDir(path string) error { return os.Remove(path) }
