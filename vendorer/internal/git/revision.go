// Package git knows git: revisions, work trees, and merges of text.
package git

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/greenticai/packvendor/internal/regularfile"
)

// A RevisionError reports that git could not read a project's revision.
type RevisionError struct {
	Revision string
	Reason   string
}

func (e *RevisionError) Error() string {
	return fmt.Sprintf("cannot look at revision %+q: %s", e.Revision, e.Reason)
}

// A Revision is a commit of the git repository around a project. Reading it runs no
// filters and fetches nothing.
type Revision struct {
	Name   string // as the caller gave it
	Commit string
	dir    string // the directory that paths are relative to
}

// Find returns the revision called name, for paths below dir. The error is
// *RevisionError, or ctx's.
func Find(ctx context.Context, dir, name string) (*Revision, error) {
	r := &Revision{Name: name, dir: dir}
	if name == "" || strings.ContainsAny(name[:1], "-^") { // an option, or all but a commit
		return nil, &RevisionError{Revision: name, Reason: "that is no name of a revision"}
	}
	if _, err := exec.LookPath("git"); err != nil {
		return nil, &RevisionError{Revision: name, Reason: "there is no git program"}
	}
	gitDir, err := r.git(ctx, dir+" is in no git repository", "rev-parse", "--absolute-git-dir")
	if err != nil {
		return nil, err
	}
	if !isOwnGitDir(strings.TrimSpace(gitDir)) && os.Getenv("GIT_WORK_TREE") == "" {
		return nil, &RevisionError{Revision: name, Reason: dir + " is in a bare git repository"}
	}
	out, err := r.git(ctx, "there is no such commit", "rev-parse", "--verify", "--quiet", name+"^{commit}")
	r.Commit = strings.TrimSpace(out)
	return r, err
}

// isOwnGitDir tells whether no commit can have brought the repository along: git tracks
// the files of a bare repository, but nothing below a directory called .git. Else a
// commit could choose the repository that describes it. A user who sets the work tree
// has chosen the repository, too.
func isOwnGitDir(dir string) bool {
	return slices.Contains(strings.Split(filepath.ToSlash(dir), "/"), ".git")
}

// failed returns the error of a git command: the "fatal" line of its stderr, such as
// one about another user's repository, or else reason.
func (r *Revision) failed(ctx context.Context, said []byte, reason string) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	for line := range strings.Lines(string(said)) {
		why, ok := strings.CutPrefix(strings.TrimSpace(line), "fatal: ")
		if ok && !strings.HasPrefix(why, "not a git repository") {
			reason = why[:min(len(why), maxSaid)]
			break
		}
	}
	return &RevisionError{Revision: r.Name, Reason: reason}
}

// maxSaid bounds git's text in a message, in bytes.
const maxSaid = 300

// Read passes a file of the revision, slash-separated below dir, to use. The error is
// fs.ErrNotExist if the revision does not have it, or use's.
func (r *Revision) Read(ctx context.Context, name string, use func(io.Reader) error) error {
	out, err := r.git(ctx, "git cannot list its files", "ls-tree", "-z", r.Commit, "--", name)
	if err != nil {
		return err
	}
	// "MODE blob OBJECT\tNAME\0"; a symbolic link is a blob of mode 120000.
	entry, _, _ := strings.Cut(out, "\t")
	fields := strings.Fields(entry)
	if len(fields) != 3 || fields[1] != "blob" || fields[0] == "120000" {
		return &fs.PathError{Op: "open", Path: r.Name + ":" + name, Err: fs.ErrNotExist}
	}
	return r.readBlob(ctx, fields[2], name, use)
}

func (r *Revision) readBlob(ctx context.Context, object, name string, use func(io.Reader) error) error {
	bounded, stop := context.WithCancel(ctx)
	defer stop()
	command := r.command(bounded, "cat-file", "blob", object)
	var said bytes.Buffer
	command.Stderr = &said
	blob, err := command.StdoutPipe()
	if err == nil {
		err = command.Start()
	}
	if err != nil {
		return r.failed(ctx, nil, "git cannot be run")
	}
	used := use(blob)
	if n, _ := blob.Read(make([]byte, 1)); n > 0 {
		stop() // use does not need the rest
		command.Wait()
		return used
	}
	if command.Wait() != nil { // then use has not read all
		return r.failed(ctx, said.Bytes(), "git cannot read its "+path.Base(name))
	}
	return used
}

// git returns the output of a git command; failed makes its error, with reason.
func (r *Revision) git(ctx context.Context, reason string, args ...string) (string, error) {
	out, err := r.command(ctx, args...).Output()
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit):
		return "", r.failed(ctx, exit.Stderr, reason)
	case err != nil:
		return "", r.failed(ctx, nil, reason)
	}
	return string(out), nil
}

func (r *Revision) command(ctx context.Context, args ...string) *exec.Cmd {
	command := exec.CommandContext(ctx, "git", args...)
	command.Dir = r.dir
	n, _ := strconv.Atoi(os.Getenv("GIT_CONFIG_COUNT"))
	command.Env = append(environment(),
		"GIT_ALLOW_PROTOCOL=", "GIT_NO_LAZY_FETCH=1", // a partial clone fetches what it lacks; not every git knows both
		"GIT_CONFIG_COUNT="+strconv.Itoa(n+1), fmt.Sprintf("GIT_CONFIG_KEY_%d=safe.bareRepository", n), fmt.Sprintf("GIT_CONFIG_VALUE_%d=explicit", n),
		"GIT_OPTIONAL_LOCKS=0", "GIT_LITERAL_PATHSPECS=1", "LC_ALL=C")
	return command
}

// Version returns git's own words: "git version 2.39.5".
func Version(ctx context.Context) (string, error) {
	command := exec.CommandContext(ctx, "git", "version")
	command.Env = environment()
	out, err := command.Output()
	line, _, _ := strings.Cut(string(out), "\n")
	return strings.TrimSpace(line), err
}

// environment returns the process's environment without the variables of a git hook:
// GIT_DIR alone makes git take any directory for the top of the work tree.
func environment() []string {
	return slices.DeleteFunc(os.Environ(), func(variable string) bool {
		name, _, _ := strings.Cut(variable, "=")
		return (name == "GIT_DIR" || name == "GIT_COMMON_DIR") && os.Getenv("GIT_WORK_TREE") == ""
	})
}

// merges are files in a git directory that exist during a merge, a rebase or the like.
var merges = []string{"MERGE_HEAD", "CHERRY_PICK_HEAD", "REVERT_HEAD", "rebase-merge", "rebase-apply"}

// IsMerging tells whether the repository around dir is in the middle of a merge. It
// does not run git, which would run commands of the repository's configuration.
func IsMerging(dir string) bool {
	git := gitDir(dir)
	return git != "" && slices.ContainsFunc(merges, func(name string) bool {
		_, err := os.Lstat(filepath.Join(git, name))
		return err == nil
	})
}

// gitDir returns the git directory of the working tree around dir, "" if there is none.
// A tree of "git worktree" has a file that names it.
func gitDir(dir string) string {
	top := WorkTree(dir)
	if top == "" {
		return ""
	}
	name := filepath.Join(top, gitName)
	if info, err := os.Stat(name); err != nil || info.IsDir() {
		return name
	}
	return linkedGitDir(top, name)
}

// gitName is the name of the git directory, or of the file that names it.
const gitName = ".git"

// WorkTree returns the top of the working tree around dir, "" if there is none. Like
// IsMerging it does not run git.
func WorkTree(dir string) string {
	for at := dir; ; at = filepath.Dir(at) {
		info, err := os.Stat(filepath.Join(at, gitName))
		switch {
		case err == nil && (info.IsDir() || info.Mode().IsRegular()):
			return at
		case at == filepath.Dir(at):
			return ""
		}
	}
}

// WorkTrees returns the working tree around dir, and those of which it is a submodule, from the
// inside to the outside.
func WorkTrees(dir string) (tops []string) {
	for top := WorkTree(dir); top != ""; top = WorkTree(filepath.Dir(top)) {
		tops = append(tops, top)
		if !isSubmodule(top) {
			break
		}
	}
	return tops
}

// isSubmodule reports whether a working tree belongs to another one, whose git directory has its
// own: https://git-scm.com/docs/gitsubmodules#_description
func isSubmodule(top string) bool {
	gitDir := filepath.ToSlash(linkedGitDir(top, filepath.Join(top, gitName)))
	return strings.Contains(gitDir, "/modules/")
}

// linkedGitDir reads a file in the place of a git directory.
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
