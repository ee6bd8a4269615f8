// Package gitrev reads files as a git repository has them at a revision.
package gitrev

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

// A RevisionError reports that git could not say what a project was like at a
// revision.
type RevisionError struct {
	Revision string
	Reason   string
}

func (e *RevisionError) Error() string {
	return fmt.Sprintf("cannot look at revision %+q: %s", e.Revision, e.Reason)
}

// A Revision is a commit of the git repository that a project is in. Git is only
// asked for what it has: no filters are run, and nothing is fetched.
type Revision struct {
	Name   string // as it was given
	Commit string
	dir    string // that paths are below
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

// isOwnGitDir tells whether a repository is one that no commit can bring along: git
// tracks whatever makes a bare repository, but nothing below a directory called .git.
// Else a commit could choose the repository that is asked about it. Who names the work
// tree has named the repository, too.
func isOwnGitDir(dir string) bool {
	return slices.Contains(strings.Split(filepath.ToSlash(dir), "/"), ".git")
}

// failed is about a git command that failed and said something, such as that the
// repository is another user's; where it does not say why, that is for reason.
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

// maxSaid bounds how much of what git says is repeated, in bytes.
const maxSaid = 300

// Read has use read a file, slash-separated below dir, as it is in the repository.
// The error is fs.ErrNotExist if the revision does not have it, or use's.
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
		stop() // who has read enough does not wait for the rest
		command.Wait()
		return used
	}
	if command.Wait() != nil { // then what was read was not all
		return r.failed(ctx, said.Bytes(), "git cannot read its "+path.Base(name))
	}
	return used
}

// git returns what a git command prints; its error is what failed makes of it, with
// reason.
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

// environment is that of the process, without what a hook of git is told: there GIT_DIR
// alone makes git take whatever directory it is run in for the top of the repository.
func environment() []string {
	return slices.DeleteFunc(os.Environ(), func(variable string) bool {
		name, _, _ := strings.Cut(variable, "=")
		return (name == "GIT_DIR" || name == "GIT_COMMON_DIR") && os.Getenv("GIT_WORK_TREE") == ""
	})
}

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
