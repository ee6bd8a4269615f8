package gitrev

import (
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/greenticai/packvendor/internal/regularfile"
)

// merges are the names in a git directory that tell of a merge, a rebase or the like
// that waits for somebody to resolve conflicts.
var merges = []string{"MERGE_HEAD", "CHERRY_PICK_HEAD", "REVERT_HEAD", "rebase-merge", "rebase-apply"}

// IsMerging tells whether the repository around dir is in the middle of a merge. git
// itself is not asked: it runs what a repository's configuration says.
func IsMerging(dir string) bool {
	git := gitDir(dir)
	return git != "" && slices.ContainsFunc(merges, func(name string) bool {
		_, err := os.Lstat(filepath.Join(git, name))
		return err == nil
	})
}

// gitDir returns the git directory of the working tree around dir, "" if there is none.
// In a tree that "git worktree" made, a file says where it is.
func gitDir(dir string) string {
	for at := dir; ; at = filepath.Dir(at) {
		name := filepath.Join(at, ".git")
		info, err := os.Stat(name)
		switch {
		case err == nil && info.IsDir():
			return name
		case err == nil && info.Mode().IsRegular():
			return linkedGitDir(at, name)
		case at == filepath.Dir(at):
			return ""
		}
	}
}

// linkedGitDir reads a file that is in the place of a git directory.
// https://git-scm.com/docs/gitrepository-layout
func linkedGitDir(dir, name string) string {
	data, err := regularfile.Read(nil, name, 4096)
	target, ok := strings.CutPrefix(strings.TrimSpace(string(data)), "gitdir: ")
	switch {
	case err != nil || !ok:
		return ""
	case filepath.IsAbs(target):
		return target
	}
	return filepath.Join(dir, target)
}
