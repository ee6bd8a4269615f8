//go:build amd64 || arm64

package main

import (
	"fmt"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/greenticai/packvendor/internal/packtest"
	"github.com/greenticai/packvendor/internal/packtest/syscalls"
)

// stepNumber tells packvendor-killed and packvendor-failing which step to omit.
const stepNumber = "PACKVENDOR_TEST_STEP"

// programs are this test binary's programs by name.
func programs() map[string]func() {
	return map[string]func(){
		"packvendor":         mainHurried,
		"packvendor-killed":  mainKilled,
		"packvendor-cut":     mainCut,
		"packvendor-failing": mainFailing,
		"packvendor-limited": mainLimited,
		"writing":            mainWriting,
		"runner":             mainRunner,
	}
}

// memory returns a folder for files in memory, or "" if it is small: tests that start
// hundreds of processes should not wait for a disk.
func memory() string {
	const folder, room = "/dev/shm", 1 << 30
	var stat syscall.Statfs_t
	if syscall.Statfs(folder, &stat) != nil || stat.Bavail*uint64(stat.Bsize) < room {
		return ""
	}
	return folder
}

// mainKilled is packvendor, killed before the change of that number, which it writes to
// stderr. With fewer changes it ends as usual.
func mainKilled() {
	n := 0
	stepping(func(s syscalls.Step, number int) syscall.Errno {
		if s.Changes() {
			n++
		}
		if s.Changes() && n == number {
			fmt.Fprintln(os.Stderr, s)
			syscall.Kill(os.Getpid(), syscall.SIGKILL)
		}
		return 0
	})
	mainHurried()
}

// stepping lets decide see every step, or else ends the process.
func stepping(decide func(s syscalls.Step, number int) syscall.Errno) {
	number, err := strconv.Atoi(os.Getenv(stepNumber))
	if err == nil {
		err = syscalls.Stepping(func(s syscalls.Step) syscall.Errno { return decide(s, number) })
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(unarmed)
	}
}

// unarmed is the exit code of a program that cannot see its steps.
const unarmed = 99

// A killing is one command with a fault at many points.
type killing struct {
	*fixture
	args     []string
	old, new tree            // the project before and after the command
	cache    tree            // the cache before it
	cached   int             // packs in the cache after it
	edits    bool            // the command edits packs.toml, so a rerun may lead back to old
	again    rerunner        // the rerun; nil is here
	kills    int             // the number of faults
	steps    map[string]bool // the places of faults
}

// A rerunner runs packvendor, and returns its exit code and its stderr.
type rerunner func(dir, cache, command string) (code int, stderr string)

// newKilling takes the command's effect from an undisturbed run.
func newKilling(b *fixture, old, cache tree, edits bool, args ...string) *killing {
	b.Helper()
	b.reg.Intercept(hangUp)
	k := &killing{fixture: b, args: args, old: old, cache: cache, edits: edits, steps: map[string]bool{}}
	dir, cached, done := k.begin()
	defer done()
	b.mustRun(b.command(dir, cached, args...))
	k.new, k.cached = readTree(b, dir), packsIn(readTree(b, cached))
	if code, text := here(dir, "", "verify"); code != 0 {
		b.Fatalf("the command that is to be killed leads to\n%s\n%s", k.new.differences(old), text)
	}
	return k
}

// begin makes the project and the cache as before the command.
func (k *killing) begin() (dir, cache string, done func()) {
	k.Helper()
	both, done := scratch(k)
	dir, cache = filepath.Join(both, "project"), filepath.Join(both, "cache")
	k.must(os.Mkdir(dir, 0o777))
	k.old.write(k, dir)
	if k.cache != nil {
		k.must(os.Mkdir(cache, 0o777))
		k.cache.write(k, cache)
	}
	return dir, cache, done
}

// hangUp ends each connection with its request: hundreds of runs in this process would
// each keep some.
func hangUp(w http.ResponseWriter, _ *http.Request) bool {
	w.Header().Set("Connection", "close")
	return false
}

// everyStep kills the command before its first step, before its second, and so on until
// it ends by itself.
func (k *killing) everyStep() *killing {
	k.Helper()
	for n := 1; !k.Failed(); n++ {
		dir, cache, done := k.begin()
		cmd := k.program("packvendor-killed", dir, cache, k.args...)
		cmd.Env = append(cmd.Env, stepNumber+"="+strconv.Itoa(n))
		if !k.killed(cmd, cmd.Run()) {
			k.check("not killed", dir, cache)
			done()
			return k
		}
		step := roleOf(fmt.Sprint(cmd.Stderr))
		k.steps[step] = true
		k.check(fmt.Sprintf("killed before step %d, %s", n, step), dir, cache)
		done()
	}
	return k
}

// killed reports whether a process was killed; else it must have ended with 0.
func (k *killing) killed(cmd *exec.Cmd, err error) bool {
	k.Helper()
	status, _ := cmd.ProcessState.Sys().(syscall.WaitStatus)
	switch {
	case status.Signaled() && status.Signal() == syscall.SIGKILL:
		k.kills++
		return true
	case status.ExitStatus() == unarmed:
		packtest.Unable(k, "this system does not show a process its system calls: %s", cmd.Stderr)
	case err != nil:
		k.Fatalf("%q: %v\n%s", cmd.Args, err, cmd.Stderr)
	}
	return false
}

var names = regexp.MustCompile(`\.packvendor-[0-9a-f]{16}|[0-9a-f]{64}|/.*/packvendor-test-[0-9]+`)

// roleOf returns the last line of a killed process, without the parts that vary.
func roleOf(stderr string) string {
	lines := strings.Split(strings.TrimSpace(stderr), "\n")
	return names.ReplaceAllString(lines[len(lines)-1], "*")
}

// check demands that a killed process leaves only right files, and that the next run
// completes the project.
func (k *killing) check(what, dir, cache string) {
	k.Helper()
	left := readTree(k, dir)
	k.wantOldOrNew(what, left.finals())
	k.wantCache(what, readTree(k, cache))
	code, text := here(dir, cache, "verify")
	if !k.mayVerify(code, left.finals()) {
		k.Errorf("%s: verify ends with %d\n%s%s", what, code, text, left.finals().differences(k.old.finals()))
	}
	k.converges(what, dir, cache)
}

// mayVerify tells whether verify may end with a code for the files that are left: it accepts
// no mix of old and new ones.
func (k *killing) mayVerify(code int, files tree) bool {
	switch code {
	case 0:
		return files.differences(k.old.finals()) == "" || files.differences(k.new.finals()) == ""
	case exitDrift, exitIntegrity:
		return true
	}
	return false
}

// wantOldOrNew demands that every file is old or new.
func (k *killing) wantOldOrNew(what string, files tree) {
	k.Helper()
	for name, data := range files {
		if was, ok := k.old[name]; ok && was == data {
			continue
		}
		if will, ok := k.new[name]; !ok || will != data {
			k.Errorf("%s: %s is neither old nor new: %.100q", what, name, data)
		}
	}
	for name := range k.new.finals() {
		_, was := k.old[name]
		if _, is := files[name]; was && !is {
			k.Errorf("%s: %s is gone", what, name)
		}
	}
}

// converges demands that a bare run, and after a return to the old state the command
// once more, leaves exactly the new state.
func (k *killing) converges(what, dir, cache string) {
	k.Helper()
	run := k.again
	if run == nil {
		run = func(dir, cache, command string) (int, string) { return here(dir, cache, command) }
	}
	rerun := func(args ...string) tree {
		k.Helper()
		if code, text := run(dir, cache, strings.Join(args, " ")); code != 0 {
			k.Fatalf("%s: the next run ends with %d\n%s", what, code, text)
		}
		return readTree(k, dir)
	}
	now := rerun()
	if k.edits && now.differences(k.old) == "" {
		now = rerun(k.args...)
	}
	if differs := now.differences(k.new); differs != "" {
		k.Errorf("%s: the next run leads to\n%s", what, differs)
	}
	cached := readTree(k, cache)
	k.wantCache(what, cached)
	if temps := cached.temporaries(); len(temps) > 0 {
		k.Errorf("%s: left in the cache: %q", what, temps)
	}
}

// TestFault30_KilledAtEveryStep kills a cold run of ten packs before each of its steps,
// and during its downloads.
func TestFault30_KilledAtEveryStep(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes 20 s")
	}
	t.Parallel()
	killAll(t, 500, coldKillings)
}

// TestFault46_KilledAtEveryStep does the same to commands that change a vendored
// project: each step of a commit is the last one once.
func TestFault46_KilledAtEveryStep(t *testing.T) {
	t.Parallel()
	killAll(t, 60, editKillings)
}

// killAll runs killings at once and sums up their numbers.
func killAll(t *testing.T, least int, killings map[string]func(*fixture) *killing) {
	var mu sync.Mutex
	kills, steps := 0, map[string]bool{}
	t.Run("command", func(t *testing.T) {
		for name, kill := range killings {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				k := kill(newFixture(t, packtest.Options{Plain: true}))
				t.Logf("%d kills, %d distinct steps", k.kills, len(k.steps))
				mu.Lock()
				defer mu.Unlock()
				kills += k.kills
				maps.Copy(steps, k.steps)
			})
		}
	})
	if kills == 0 && !t.Failed() {
		packtest.Unable(t, "this system does not show a process its system calls")
	}
	t.Logf("%d kills in all, %d distinct steps", kills, len(steps))
	if kills < least && !t.Failed() {
		t.Errorf("%d kills, want %d at least", kills, least)
	}
}

// within kills the command when exactly n bytes of its pack-th download are in its
// file.
func (k *killing) within(pack, n int) {
	k.Helper()
	dir, cache, done := k.begin()
	defer done()
	reached := make(chan bool)
	var begun atomic.Int64
	k.reg.Intercept(func(w http.ResponseWriter, r *http.Request) bool {
		if !strings.Contains(r.URL.Path, "/blobs/") || begun.Add(1) != int64(pack+1) {
			return false
		}
		k.sendPart(w, r, n)
		reached <- waitFor(func() bool { return hasTemporary(cache, n) })
		<-r.Context().Done()
		panic(http.ErrAbortHandler)
	})
	cmd := k.command(dir, cache, k.args...)
	k.must(cmd.Start())
	what := fmt.Sprintf("killed with %d bytes of pack %d", n, pack)
	if !<-reached {
		k.Errorf("%s: they do not get into a file", what)
	}
	k.must(cmd.Process.Kill())
	if !k.killed(cmd, cmd.Wait()) {
		k.Errorf("%s: not killed", what)
	}
	k.reg.Intercept(hangUp)
	k.steps[fmt.Sprintf("%d bytes of a pack", n)] = true
	k.check(what, dir, cache)
}

// sendPart answers a request for a blob with its first n bytes.
func (k *killing) sendPart(w http.ResponseWriter, r *http.Request, n int) {
	name := strings.Split(strings.TrimPrefix(r.URL.Path, "/v2/"), "/")[0]
	data := k.packs[k.pushed[name+":1.0.0"].ManifestDigest]
	w.Header().Set("Content-Length", strconv.Itoa(len(data)))
	w.WriteHeader(http.StatusOK)
	w.Write(data[:n])
	http.NewResponseController(w).Flush()
}

// hasTemporary reports whether a cache entry has a temporary file of n bytes.
func hasTemporary(cache string, n int) bool {
	files, _ := filepath.Glob(filepath.Join(cache, "*", ".packvendor-*.tmp"))
	return slices.ContainsFunc(files, func(file string) bool {
		info, err := os.Stat(file)
		return err == nil && info.Size() == int64(n)
	})
}
