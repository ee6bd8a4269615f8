package trial

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// round runs a phase of all projects at once, and counts.
func (w *world) round(ctx context.Context, phase Phase, c *course) (r Round, err error) {
	r = Round{Phase: phase, Way: c.Way, Limited: c.limited, Exits: map[int]int{}}
	if err = w.reset(phase); err != nil {
		return r, err
	}
	w.begin(c)
	if c.Way == Filled {
		if r.Filling, err = w.fill(ctx, phase, c); err != nil {
			return r, err
		}
	}
	w.runAll(ctx, phase, c, &r)
	if r.Origin, err = w.asked(ctx); err != nil {
		return r, err
	}
	if c.proxy != nil {
		r.Proxy = c.proxy.take()
	}
	if phase == Cold && c.Way == Direct && !c.limited {
		err = os.Rename(w.live(), w.stock())
	}
	return r, err
}

// begin begins to count.
func (w *world) begin(c *course) {
	limit := noLimit
	if c.limited {
		limit = w.Pulls
	}
	w.origin.begin(limit)
	w.issuer.ResetRequests()
	if c.proxy != nil {
		c.proxy.begin(noLimit)
	}
}

// fill has the filler run, and returns what the origin is asked meanwhile.
func (w *world) fill(ctx context.Context, phase Phase, c *course) (Traffic, error) {
	if err := w.runOne(ctx, phase, c, filler).err(); err != nil {
		return Traffic{}, err
	}
	t, err := w.asked(ctx)
	c.proxy.take()
	return t, err
}

// asked returns what the origin was asked since the last call, once nobody asks any more.
func (w *world) asked(ctx context.Context) (Traffic, error) {
	if err := w.origin.rest(ctx); err != nil {
		return Traffic{}, err
	}
	t := w.origin.take()
	t.Tokens = len(w.issuer.Requests())
	w.issuer.ResetRequests()
	return t, nil
}

// runAll starts packvendor in all projects at once and waits for it.
func (w *world) runAll(ctx context.Context, phase Phase, c *course, r *Round) {
	begin := time.Now()
	outcomes := make([]outcome, w.Projects)
	var runs sync.WaitGroup
	for project := range w.Projects {
		runs.Go(func() { outcomes[project] = w.runOne(ctx, phase, c, project) })
	}
	runs.Wait()
	r.Seconds = time.Since(begin).Seconds()
	for _, o := range outcomes {
		if r.Exits[o.exit]++; o.exit != 0 && r.Exits[o.exit] == 1 {
			w.tell("%v", o.err())
		}
	}
}

// runOne runs packvendor in one project.
func (w *world) runOne(ctx context.Context, phase Phase, c *course, project int) outcome {
	args := []string{"--locked"}
	if phase == Update {
		args = []string{"update"}
	}
	env := w.environment(w.homeOf(w.live(), project), c.conf)
	return w.packvendor(ctx, filepath.Join(w.live(), projectName(project)), env, args...)
}

// environment is that of a run: nobody's settings, and trust in the servers alone.
func (w *world) environment(home, conf string) []string {
	return []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + home, "TMPDIR=" + home,
		"SSL_CERT_FILE=" + w.caFile, "SSL_CERT_DIR=" + home,
		"CONTAINERS_REGISTRIES_CONF=" + conf,
	}
}

// maxRun bounds one run.
const maxRun = 5 * time.Minute

// packvendor runs it once.
func (w *world) packvendor(ctx context.Context, dir string, env []string, args ...string) outcome {
	ctx, cancel := context.WithTimeout(ctx, maxRun)
	defer cancel()
	cmd := exec.CommandContext(ctx, w.program, args...)
	cmd.Dir, cmd.Env = dir, env
	said, err := cmd.CombinedOutput()
	if cmd.ProcessState == nil {
		return outcome{dir, -1, err.Error()}
	}
	return outcome{dir, cmd.ProcessState.ExitCode(), string(said)}
}

// An outcome is what came of one run of packvendor. The exit code -1 means that it did not
// start, or was killed.
type outcome struct {
	dir  string
	exit int
	said string
}

// maxSaid bounds the quoted output: its end has the errors.
const maxSaid = 1000

func (o outcome) err() error {
	if o.exit == 0 {
		return nil
	}
	said := strings.TrimSpace(o.said)
	return fmt.Errorf("packvendor in %s: exit code %d: %s", o.dir, o.exit, said[max(0, len(said)-maxSaid):])
}
