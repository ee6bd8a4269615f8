package vendorer

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"strings"
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

// A revision is a commit of the git repository that a project is in. Git is only
// asked for what it has: no filters are run, and nothing is fetched.
type revision struct {
	name   string // as it was given
	commit string
	dir    string // that paths are below
}

// findRevision returns the revision called name, for paths below dir. The error is
// *RevisionError, or ctx's.
func findRevision(ctx context.Context, dir, name string) (*revision, error) {
	r := &revision{name: name, dir: dir}
	if name == "" || strings.HasPrefix(name, "-") {
		return nil, &RevisionError{Revision: name, Reason: "that is no name of a revision"}
	}
	if _, err := exec.LookPath("git"); err != nil {
		return nil, &RevisionError{Revision: name, Reason: "there is no git program"}
	}
	if _, err := r.git(ctx, "rev-parse", "--git-dir"); err != nil {
		return nil, r.failed(ctx, dir+" is in no git repository")
	}
	out, err := r.git(ctx, "rev-parse", "--verify", "--quiet", name+"^{commit}")
	if err != nil {
		return nil, r.failed(ctx, "there is no such commit")
	}
	r.commit = strings.TrimSpace(string(out))
	return r, nil
}

func (r *revision) failed(ctx context.Context, reason string) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return &RevisionError{Revision: r.name, Reason: reason}
}

// read has use read a file, slash-separated below dir, as it is in the repository.
// The error is fs.ErrNotExist if the revision does not have it, or use's.
func (r *revision) read(ctx context.Context, name string, use func(io.Reader) error) error {
	out, err := r.git(ctx, "ls-tree", "-z", r.commit, "--", name)
	if err != nil {
		return r.failed(ctx, "git cannot list its files")
	}
	// "MODE blob OBJECT\tNAME\0"; a symbolic link is a blob of mode 120000.
	entry, _, _ := strings.Cut(string(out), "\t")
	fields := strings.Fields(entry)
	if len(fields) != 3 || fields[1] != "blob" || fields[0] == "120000" {
		return &fs.PathError{Op: "open", Path: r.name + ":" + name, Err: fs.ErrNotExist}
	}
	bounded, stop := context.WithCancel(ctx)
	defer stop() // who has read enough does not wait for the rest
	command := r.command(bounded, "cat-file", "blob", fields[2])
	blob, err := command.StdoutPipe()
	if err == nil {
		err = command.Start()
	}
	if err != nil {
		return r.failed(ctx, "git cannot be run")
	}
	used := use(blob)
	if used != nil {
		stop()
	}
	if err := command.Wait(); err != nil && used == nil {
		return r.failed(ctx, "git cannot read its "+path.Base(name))
	}
	return used
}

func (r *revision) git(ctx context.Context, args ...string) ([]byte, error) {
	return r.command(ctx, args...).Output()
}

func (r *revision) command(ctx context.Context, args ...string) *exec.Cmd {
	command := exec.CommandContext(ctx, "git", args...)
	command.Dir = r.dir
	command.Env = append(os.Environ(), "GIT_NO_LAZY_FETCH=1", "GIT_OPTIONAL_LOCKS=0", "LC_ALL=C", "GIT_LITERAL_PATHSPECS=1")
	return command
}
