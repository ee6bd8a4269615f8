package vendorer_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/greenticai/packvendor/internal/packtest"
	"github.com/greenticai/packvendor/lockfile"
	"github.com/greenticai/packvendor/vendorer"
)

// newRepository returns a project in a git repository whose commit has the pack a
// before its update.
func newRepository(t *testing.T) *project {
	t.Helper()
	packtest.NeedProgram(t, "git")
	for name, value := range map[string]string{
		"GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.DevNull, "HOME": t.TempDir(),
		"GIT_AUTHOR_NAME": "Somebody", "GIT_AUTHOR_EMAIL": "somebody@example.com",
		"GIT_COMMITTER_NAME": "Somebody", "GIT_COMMITTER_EMAIL": "somebody@example.com",
	} {
		t.Setenv(name, value)
	}
	p := newVendored(t)
	p.git("init", "-q")
	p.commit()
	p.push("B", "a:stable")
	p.packs(`a = "$REG/a@$B"`)
	p.mustRun()
	return p
}

func (p *project) git(args ...string) {
	p.t.Helper()
	command := exec.Command("git", args...)
	command.Dir = p.mod
	if out, err := command.CombinedOutput(); err != nil {
		p.t.Fatalf("git %v: %v\n%s", args, err, out)
	}
}

func (p *project) commit() {
	p.t.Helper()
	p.git("add", "-A")
	p.git("commit", "-q", "-m", "all there is")
}

func (p *project) diff(ctx context.Context) (*vendorer.Difference, error) {
	return vendorer.Diff(ctx, p.options, "HEAD")
}

// noTemporaries removes the place for temporary files.
func noTemporaries(t *testing.T) {
	t.Helper()
	for _, name := range []string{"TMPDIR", "TMP", "TEMP"} {
		t.Setenv(name, filepath.Join(t.TempDir(), "nowhere"))
	}
}

func TestDiff(t *testing.T) {
	p := newRepository(t)
	d, err := p.diff(t.Context())
	p.must(err)
	if len(d.Packs) != 1 || d.Packs[0].Name != "a" || d.Packs[0].IsSame() || len(d.Packs[0].Files) == 0 || d.Packs[0].Unread != "" {
		t.Fatalf("the difference is %+v", d)
	}

	// A packs.lock that is a symbolic link does not count: its target is outside the
	// revision.
	if err := os.Symlink("elsewhere", filepath.Join(p.mod, "link")); err != nil {
		t.Skip(err)
	}
	lock := p.read("app/packs.lock")
	p.remove("app/packs.lock")
	p.must(os.Symlink("../go.mod", filepath.Join(p.mod, "app/packs.lock")))
	p.commit()
	p.remove("app/packs.lock")
	p.write("app/packs.lock", lock)
	d, err = p.diff(t.Context())
	p.must(err)
	if len(d.Packs) != 1 || d.Packs[0].Kind != lockfile.Added {
		t.Fatalf("the difference to a link is %+v", d)
	}
}

// An interrupted diff reports the interrupt, and not an empty result.
func TestDiffInterrupted(t *testing.T) {
	p := newRepository(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if d, err := p.diff(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("%+v, error %v", d, err)
	}
	ctx, cancel = context.WithCancel(t.Context())
	p.options.Progress = func(vendorer.Progress) { cancel() } // the packs are being read
	if d, err := p.diff(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("halfway: %+v, error %v", d, err)
	}
}

// A full disk is an error, and not a pack that is not at hand.
func TestDiffNoTemporaries(t *testing.T) {
	p := newRepository(t)
	noTemporaries(t)
	if d, err := p.diff(t.Context()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%+v, error %v", d, err)
	}
}
