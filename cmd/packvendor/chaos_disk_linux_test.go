//go:build amd64 || arm64

package main

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/greenticai/packvendor/internal/packtest"
	"github.com/greenticai/packvendor/internal/packtest/disk"
	"github.com/greenticai/packvendor/internal/packtest/syscalls"
)

// In place of a step's number, noLocks means every lock, and oneClone every clone but the
// first.
const (
	noLocks  = "-1"
	oneClone = "-2"
)

// mainFailing is packvendor with one step that fails with EIO; it writes the step to
// stderr. After a failed sync it must not rename that file.
func mainFailing() {
	n, clones, unsynced := 0, 0, ""
	stepping(func(s syscalls.Step, number int) syscall.Errno {
		if strconv.Itoa(number) == noLocks && s.Call == "lock" {
			return syscall.ENOLCK
		}
		if strconv.Itoa(number) == oneClone && s.Call == "clone" {
			if clones++; clones > 1 {
				return syscall.EIO
			}
		}
		if s.Call == "rename" && unsynced != "" && path.Base(s.From) == unsynced {
			fmt.Fprintln(os.Stderr, "renamed after a failed sync:", s)
		}
		if n++; n != number {
			return 0
		}
		if s.Call == "sync" {
			unsynced = path.Base(s.Path)
		}
		fmt.Fprintln(os.Stderr, "failing:", s)
		return syscall.EIO
	})
	mainHurried()
}

// The limits of packvendor-limited: its umask, in octal, the size of its files in
// bytes, and the number of its open files.
const (
	umask    = "PACKVENDOR_TEST_UMASK"
	fileSize = "PACKVENDOR_TEST_FILE_SIZE"
	files    = "PACKVENDOR_TEST_FILES"
)

// mainLimited is packvendor under limits of the system.
func mainLimited() {
	if mask, err := strconv.ParseInt(os.Getenv(umask), 8, 32); err == nil {
		syscall.Umask(int(mask))
	}
	for variable, resource := range map[string]int{fileSize: syscall.RLIMIT_FSIZE, files: syscall.RLIMIT_NOFILE} {
		limit, err := strconv.ParseUint(os.Getenv(variable), 10, 64)
		if err != nil {
			continue
		}
		if err := syscall.Setrlimit(resource, &syscall.Rlimit{Cur: limit, Max: limit}); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(unarmed)
		}
	}
	mainHurried()
}

// operations are the commands that meet the faults of disks. Some of their packs are signed.
var operations = map[string]func(*fixture) *killing{
	"first run": func(b *fixture) *killing {
		return newKilling(b, b.signed([]string{"b"}, b.line("a", "a"), b.lineBy(acme, "b")), nil, false, "--jobs=1")
	},
	"run that restores": func(b *fixture) *killing {
		old, cache := b.vendored(b.project(b.line("a", "a")))
		delete(old, "packs/a.gtpack")
		return newKilling(b, old, cache, false, "--jobs=1")
	},
	"run that mends the cache": func(b *fixture) *killing {
		old, cache := b.vendored(b.project(b.line("a", "a")))
		delete(old, "packs/a.gtpack")
		maps.DeleteFunc(cache, func(name, _ string) bool { return path.Base(name) != "pack.gtpack" && cache[name] != "directory" })
		k := newKilling(b, old, cache, false, "--jobs=1")
		k.unproven = true // repair is optional
		return k
	},
	"run with nothing to do": func(b *fixture) *killing {
		old, cache := b.vendored(b.signed([]string{"b"}, b.line("a", "a"), b.lineBy(acme, "b")))
		return newKilling(b, old, cache, false, "--jobs=1")
	},
	"run that drops": func(b *fixture) *killing {
		rules := []string{"a"}
		old, cache := b.vendored(b.signed(rules, b.lineBy(acme, "a")))
		old["packs.toml"] = b.signed(rules)["packs.toml"]
		return newKilling(b, old, cache, false, "--jobs=1")
	},
	"run that finds evidence again": func(b *fixture) *killing {
		old, cache := b.vendored(b.signed([]string{"a"}, b.lineBy(acme, "a")))
		delete(old, "packs/a.evidence")
		return newKilling(b, old, cache, false, "--jobs=1")
	},
	"add": func(b *fixture) *killing {
		old, cache := b.vendored(b.signed([]string{"b"}, b.line("a", "a")))
		return newKilling(b, old, cache, true, "add", "--jobs=1", "b", b.pushSigned("b", "1.0.0", 1000, acme))
	},
}

// TestFault33_EveryStepFails fails one step after the other with EIO: every read,
// write, sync, close, rename and so on, of the project and of the cache.
func TestFault33_EveryStepFails(t *testing.T) {
	t.Parallel()
	for name, operation := range operations {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k := operation(newFixture(t, packtest.Options{Plain: true}))
			k.everyStepFails()
			t.Logf("%d failures, %d distinct", k.kills, len(k.steps))
		})
	}
}

// everyStepFails runs the command with its first step failing, then its second, and so
// on until it has no more.
func (k *killing) everyStepFails() {
	k.Helper()
	committing := false
	for n := 1; !k.Failed(); n++ {
		dir, cache, done := k.begin()
		cmd := k.program("packvendor-failing", dir, cache, k.args...)
		// The next process waits for a lock that cannot be released.
		cmd.Env = append(cmd.Env, stepNumber+"="+strconv.Itoa(n), "PACKVENDOR_TEST_LOCK_WAIT=10ms")
		code := k.codeOf(cmd.Run())
		stderr := fmt.Sprint(cmd.Stderr)
		_, step, failed := strings.Cut(stderr, "failing: ")
		if !failed {
			k.wantResult("nothing fails", code, stderr, dir)
			done()
			return
		}
		step, stderr, _ = strings.Cut(step, "\n")
		step = roleOf(step)
		what := fmt.Sprintf("step %d fails, %s", n, step)
		k.wantResult(what, code, stderr, dir)
		left := readTree(k, dir)
		// The first failing step of the commit has had no effect.
		if differs := left.differences(k.old); code != 0 && !committing && differs != "" && !strings.HasPrefix(step, "unlink ") {
			k.Errorf("%s: the project is not as it was\n%s", what, differs)
		}
		committing = committing || isCommit(step)
		cached := readTree(k, cache)
		k.wantCache(what, cached)
		k.wantTold(what, code, stderr, cached)
		if temps := append(left.temporaries(), cached.temporaries()...); len(temps) > 0 && !strings.HasPrefix(step, "unlink ") {
			k.Errorf("%s: left are %q", what, temps)
		}
		k.kills++
		k.steps[step] = true
		if step != "unlink packs" { // the empty folder stays
			k.converges(what, dir, cache)
		}
		done()
	}
}

// isCommit tells whether a step changes the project.
func isCommit(step string) bool {
	switch step {
	case "rename manifest.json", "rename metadata.json", "rename pack.gtpack":
		return false // in the cache
	}
	return strings.HasPrefix(step, "rename ") || strings.HasPrefix(step, "unlink packs")
}

// wantResult demands success, or exit code 5 with every file old or new.
func (k *killing) wantResult(what string, code int, stderr, dir string) {
	k.Helper()
	files := readTree(k, dir).finals()
	k.wantOldOrNew(what, files)
	differs := files.differences(k.new.finals())
	if code != 0 && code != exitStorage || code == 0 && differs != "" {
		k.Errorf("%s: exit code %d\n%s%s", what, code, stderr, differs)
	}
}

// wantTold demands an error or a warning about a failed step. Without a loss none is
// needed: the cache is then complete.
func (k *killing) wantTold(what string, code int, stderr string, cached tree) {
	k.Helper()
	if strings.Contains(stderr, "renamed after a failed sync") {
		k.Errorf("%s: %s", what, stderr)
	}
	lost := packsIn(cached) < k.cached
	if told := strings.Contains(stderr, "input/output error"); !told && (code != 0 || lost) {
		k.Errorf("%s: exit code %d and nothing of the failure in\n%s", what, code, stderr)
	}
}

// codeOf returns the exit code of a process that ended by itself.
func (b *fixture) codeOf(err error) int {
	b.Helper()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return 0
	case !errors.As(err, &exit) || exit.ExitCode() < 0:
		b.Fatal(err)
	case exit.ExitCode() == unarmed:
		packtest.Unable(b, "this system does not show a process its system calls: %s", exit.Stderr)
	}
	return exit.ExitCode()
}

// TestFault31_FullDisk leaves more room on a disk each time, until the run succeeds. It
// writes a signed pack, or the evidence alone.
func TestFault31_FullDisk(t *testing.T) {
	for name, test := range map[string]struct {
		place string
		of    func(*fixture) *killing
	}{
		"project":  {"project", signedRun},
		"cache":    {"cache", signedRun},
		"evidence": {"project", newRule},
	} {
		t.Run(name, func(t *testing.T) {
			place := test.place
			b := newFixture(t, packtest.Options{Plain: true})
			k := test.of(b)
			mount, _ := scratch(t)
			disk.On(t, mount, "256k", func(volume disk.Disk) {
				for pages := int64(0); !k.onFullDisk(place, volume, pages*int64(os.Getpagesize())) && !t.Failed(); pages++ {
				}
			})
		})
	}
}

// signedRun is the first run of a signed pack.
func signedRun(b *fixture) *killing {
	return newKilling(b, b.signed([]string{"a"}, fmt.Sprintf("a = %q", b.pushSigned("a", "1.0.0", 20_000, acme))), nil, false)
}

// newRule is a run that has only evidence to write, and packs.lock.
func newRule(b *fixture) *killing {
	line := b.lineBy(acme, "a")
	old, cache := b.vendored(b.project(line))
	old["packs.toml"] = b.signed([]string{"a"}, line)["packs.toml"]
	return newKilling(b, old, cache, false)
}

// onFullDisk runs the command with one of its places on a disk with so many bytes left.
// It returns whether they were enough.
func (k *killing) onFullDisk(place string, volume disk.Disk, room int64) (sufficed bool) {
	k.Helper()
	dir, cache, done := k.begin()
	defer done()
	on := filepath.Join(volume.Dir, place)
	defer os.RemoveAll(on)
	k.must(os.Mkdir(on, 0o777))
	if place == "cache" {
		cache = on
	} else {
		dir = on
		k.old.write(k, dir)
	}
	filler := filepath.Join(volume.Dir, "filler")
	defer os.Remove(filler)
	k.must(volume.Fill(filler, room))
	cmd := k.command(dir, cache, append(k.args, "--quiet")...)
	code, what := k.codeOf(cmd.Run()), fmt.Sprintf("%d bytes for the %s", room, place)
	stderr := fmt.Sprint(cmd.Stderr)
	told := strings.Contains(stderr, "no space left on device")
	k.wantResult(what, code, stderr, dir)
	switch {
	case code == 0 && stderr == "":
		sufficed = true
	case place == "cache" && (code != 0 || !told || !strings.HasPrefix(stderr, "packvendor: warning: going on without the cache: ")):
		k.Errorf("%s: exit code %d\n%s", what, code, stderr)
	case place == "project" && (code != exitStorage || !told || !strings.Contains(stderr, dir)):
		k.Errorf("%s: exit code %d\n%s", what, code, stderr)
	case place == "project" && readTree(k, dir).differences(k.old) != "":
		k.Errorf("%s: the project is not as it was\n%s", what, readTree(k, dir).differences(k.old))
	}
	cached := readTree(k, cache)
	k.wantCache(what, cached)
	if temps := append(cached.temporaries(), readTree(k, dir).temporaries()...); len(temps) > 0 {
		k.Errorf("%s: left are %q", what, temps)
	}
	k.must(os.Remove(filler))
	k.converges(what, dir, cache)
	return sufficed
}

// TestFault32_FileSizeLimit sets ulimit -f: a usual error follows, and no signal kills
// packvendor.
func TestFault32_FileSizeLimit(t *testing.T) {
	for name, test := range map[string]struct {
		of     func(*fixture) *killing
		limits []int // the last one is large enough
	}{
		"first run": {signedRun, []int{0, 1, 100, 1000, 10_000, 20_000, 1 << 20}},
		"new rule":  {newRule, []int{0, 1, 100, 1000, 10_000}},
	} {
		t.Run(name, func(t *testing.T) {
			k := test.of(newFixture(t, packtest.Options{Plain: true}))
			for n, limit := range test.limits {
				k.limitedTo(limit, n == len(test.limits)-1)
			}
		})
	}
}

// limitedTo runs the command with a limit of the size of files.
func (k *killing) limitedTo(limit int, enough bool) {
	k.Helper()
	dir, cache, done := k.begin()
	defer done()
	cmd := k.program("packvendor-limited", dir, cache, k.args...)
	cmd.Env = append(cmd.Env, fileSize+"="+strconv.Itoa(limit))
	code, what := k.codeOf(cmd.Run()), fmt.Sprintf("at most %d bytes a file", limit)
	stderr := fmt.Sprint(cmd.Stderr)
	k.wantResult(what, code, stderr, dir)
	if !enough && (code != exitStorage || !strings.Contains(stderr, ": file too large\n")) || enough && code != 0 {
		k.Errorf("%s: exit code %d\n%s", what, code, stderr)
	}
	if differs := readTree(k, dir).differences(k.old); code != 0 && differs != "" {
		k.Errorf("%s: the project is not as it was\n%s", what, differs)
	}
	k.wantCache(what, readTree(k, cache))
	k.converges(what, dir, cache)
}

// TestFault67n_ReadOnlyProject puts a signed project on a read-only disk. A command that has
// nothing to write works. Another one fails, and names the file.
func TestFault67n_ReadOnlyProject(t *testing.T) {
	b := newFixture(t, packtest.Options{Plain: true})
	whole, cache := b.vendored(b.signed([]string{"a"}, b.lineBy(acme, "a")))
	missing := maps.Clone(whole)
	delete(missing, "packs/a.evidence")
	for _, test := range []struct {
		name   string
		files  tree
		args   string
		code   int
		stderr string
	}{
		{"verify", whole, "verify --quiet", 0, ""},
		{"nothing to do", whole, "--locked", 0, ""},
		{"nothing to do offline", whole, "--offline", 0, ""},
		{"verify without evidence", missing, "verify --quiet", exitDrift, "packvendor: error: packs.toml:7: packs.a: packs/a.evidence is missing\npackvendor: hint: packvendor -f packs.toml\n"},
		{"evidence found again", missing, "--quiet", exitStorage, "packvendor: error: create DIR/packs/a.evidence: read-only file system\n"},
	} {
		mount, done := scratch(t)
		disk.On(t, mount, "1m", func(volume disk.Disk) {
			test.files.write(t, volume.Dir)
			b.must(volume.ReadOnly())
			dir, cached := volume.Dir, t.TempDir()
			cache.write(t, cached)
			cmd := b.command(dir, cached, strings.Fields(test.args)...)
			if code, stderr := b.codeOf(cmd.Run()), strings.ReplaceAll(fmt.Sprint(cmd.Stderr), dir, "DIR"); code != test.code || stderr != test.stderr {
				t.Errorf("%s: exit code %d, want %d\n%s", test.name, code, test.code, stderr)
			}
			if differs := readTree(t, dir).differences(test.files); differs != "" {
				t.Errorf("%s: the project has changed\n%s", test.name, differs)
			}
		})
		done()
	}
}

// TestFewDescriptors runs with fewer and fewer open files. Each error names this cause,
// and never a bad certificate or an unreachable registry.
func TestFewDescriptors(t *testing.T) {
	b := newFixture(t, packtest.Options{})
	var lines []string
	for n := range 8 {
		lines = append(lines, fmt.Sprintf("p%d = %q", n, b.push(fmt.Sprintf("p%d", n), "1.0.0", 100)))
	}
	project := b.project(lines...)
	told := 0
	for limit := 40; limit >= 10; limit-- { // with less, Go itself gives up
		root, done := scratch(t)
		dir := filepath.Join(root, "project")
		b.must(os.Mkdir(dir, 0o777))
		project.write(b, dir)
		cmd := b.program("packvendor-limited", dir, filepath.Join(root, "cache"))
		cmd.Env = append(cmd.Env, files+"="+strconv.Itoa(limit))
		cmd.Run()
		stderr := fmt.Sprint(cmd.Stderr)
		switch code := cmd.ProcessState.ExitCode(); {
		case code == exitStorage && strings.Contains(stderr, "too many open files"):
			told++
		case code != 0:
			t.Errorf("%d files: exit code %d\n%s", limit, code, stderr)
		}
		for line := range strings.Lines(stderr) {
			if strings.Contains(line, "certificate") || strings.HasPrefix(line, "packvendor: error: ") && !strings.Contains(line, "too many open files") {
				t.Errorf("%d files: %s", limit, line)
			}
		}
		done()
	}
	if told == 0 {
		t.Error("no limit kept anything from being done")
	}
}
