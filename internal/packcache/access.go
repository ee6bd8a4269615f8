package packcache

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/greenticai/packvendor/internal/ociref"
)

// An Access tells who can write the root of a cache.
type Access struct {
	Exists  bool // else the first write makes it
	Entries int
	// Err is why this process can write nothing there; nil if it can.
	Err    error
	Others // that can write it; always the zero value on Windows
	// Above is the nearest directory above the root in which AboveOthers can give
	// another directory the place of the root, or of a directory that holds it; "" if
	// nobody can.
	Above       string
	AboveOthers Others
}

// Others are users and groups besides this user and root.
type Others struct {
	Owner    string // the root's, if that is another user; else ""
	Group    string // a group that can write the root, but for the user's own; else ""
	Everyone bool   // all users can write it
}

// IsUnusable reports whether not even a hit is possible: the root is no directory.
func (a Access) IsUnusable() bool { return errors.Is(a.Err, syscall.ENOTDIR) }

// Access finds out who can write the cache's root. It makes a temporary file there, or
// in the directory where the first write would make the root, and removes it.
func (c *Cache) Access() Access {
	dir, err := existing(c.root)
	if err != nil {
		return Access{Err: err}
	}
	a := Access{Exists: dir == c.root, Err: tryWriting(dir)}
	a.Above, a.AboveOthers = above(c.root)
	if !a.Exists {
		return a
	}
	a.Entries = countEntries(dir)
	if info, err := os.Stat(dir); err == nil {
		a.Others = othersOf(info)
	}
	return a
}

// above returns the nearest directory above root in which others can rename what leads to
// it, and these others. Like OpenSSH for authorized_keys it looks at each directory up to
// the top, but it lets those be that have the sticky bit, such as /tmp: there only owners
// rename. It looks above the target of a symbolic link, too.
func above(root string) (string, Others) {
	root, err := filepath.Abs(root)
	if err != nil {
		return "", Others{}
	}
	for _, start := range []string{root, target(root)} {
		for dir := filepath.Dir(start); ; dir = filepath.Dir(dir) {
			if info, err := os.Stat(dir); err == nil {
				if others := renamersOf(info); others != (Others{}) {
					return dir, others
				}
			}
			if dir == filepath.Dir(dir) {
				break
			}
		}
	}
	return "", Others{}
}

// target is root after symbolic links; root itself if it is not there.
func target(root string) string {
	if at, err := filepath.EvalSymlinks(root); err == nil {
		return at
	}
	return root
}

// renamersOf are the others that can rename anybody's directories in a directory.
func renamersOf(info fs.FileInfo) Others {
	others := othersOf(info)
	if info.Mode()&fs.ModeSticky != 0 {
		others.Group, others.Everyone = "", false
	}
	return others
}

// existing returns the nearest directory, dir or above it, that is there.
func existing(dir string) (string, error) {
	for at := dir; ; at = filepath.Dir(at) {
		_, err := os.Lstat(at)
		if errors.Is(err, fs.ErrNotExist) && at != filepath.Dir(at) {
			continue
		}
		info, err := os.Stat(at)
		if err == nil && !info.IsDir() {
			err = &fs.PathError{Op: "open", Path: at, Err: syscall.ENOTDIR}
		}
		return at, err
	}
}

// tryWriting writes a temporary file in a directory, and removes it. A full disk may
// still have room for the name alone.
func tryWriting(dir string) (err error) {
	file, err := os.CreateTemp(dir, ".packvendor-*.tmp")
	if err != nil {
		return fmt.Errorf("%s: %w", dir, reasonOf(err))
	}
	defer os.Remove(file.Name())
	defer file.Close()
	if _, err := file.Write(make([]byte, 4096)); err != nil {
		return fmt.Errorf("%s: %w", dir, reasonOf(err))
	}
	return nil
}

// reasonOf returns the reason of an error about a temporary file, without its name.
func reasonOf(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}

// countEntries counts the entries of a root by their names.
func countEntries(root string) int {
	names, _ := os.ReadDir(root)
	n := 0
	for _, name := range names {
		if _, err := ociref.ParseDigest("sha256:" + name.Name()); err == nil {
			n++
		}
	}
	return n
}
