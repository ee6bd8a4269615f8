package git

import (
	"io/fs"
	"os"
	"path"
	"strings"
)

// IsDirName reports whether one element of a path means .git on some system: in any case,
// by its short name on Windows, with what Windows drops at the end, or with characters
// that macOS ignores. The rules are those of git itself, is_hfs_dotgit and
// is_ntfs_dotgit: https://github.com/git/git/blob/master/path.c
func IsDirName(element string) bool {
	name := strings.Map(func(r rune) rune {
		if isIgnored(r) {
			return -1
		}
		return r
	}, element)
	name, _, _ = strings.Cut(name, ":") // what follows names a stream of the file
	name = strings.TrimRight(name, " .")
	return strings.EqualFold(name, ".git") || strings.EqualFold(name, "git~1")
}

// isIgnored reports whether HFS+ ignores a character when it compares names.
func isIgnored(r rune) bool {
	return 0x200c <= r && r <= 0x200f || 0x202a <= r && r <= 0x202e || 0x206a <= r && r <= 0x206f || r == 0xfeff
}

// IsDir reports whether git takes a directory for a repository's own, such as a bare
// repository: https://git-scm.com/docs/gitrepository-layout
func IsDir(root *os.Root, dir string) bool {
	isDir := func(name string) bool {
		info, err := root.Stat(path.Join(dir, name))
		return err == nil && info.IsDir()
	}
	head, err := root.Lstat(path.Join(dir, "HEAD"))
	return err == nil && head.Mode()&(fs.ModeType&^fs.ModeSymlink) == 0 && isDir("objects") && isDir("refs")
}
