//go:build amd64 || arm64

package main

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/greenticai/packvendor/internal/packtest"
	"github.com/greenticai/packvendor/internal/packtest/disk"
	"github.com/greenticai/packvendor/internal/packtest/signing"
	"github.com/greenticai/packvendor/internal/packtest/syscalls"
)

// Variables for the test below: the number of cuts for each file system, and the seed
// of their times.
const (
	powerCuts = "PACKVENDOR_POWER_CUTS"
	powerSeed = "PACKVENDOR_POWER_SEED"
)

// TestFault49_PowerCut cuts the power of the disk with a project and the cache, at any
// moment of a command that changes them, or right after it; on Btrfs only after it. Each
// named file then has its old or its new bytes, after exit code 0 the new ones, and the
// next run completes the project. On xfs and Btrfs packs are clones.
func TestFault49_PowerCut(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes 12 s")
	}
	t.Parallel()
	if testing.Short() {
		t.Skip("it takes a minute")
	}
	cuts, seed := numberIn(t, powerCuts, 40), numberIn(t, powerSeed, rand.IntN(1_000_000))
	for n, kind := range []string{"ext4", "xfs", "btrfs"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			t.Logf("%s=%d %s=%d", powerCuts, cuts, powerSeed, seed)
			chance := rand.New(rand.NewPCG(uint64(seed), uint64(n)))
			disk.OnCuttable(t, t.TempDir(), kind, func(volume *disk.Cuttable) {
				for n, operation := range cutOperations {
					c := &cutting{disk: volume, chance: chance, onlyAfter: kind == "btrfs"}
					c.killing = operation.of(newFixture(t, packtest.Options{Plain: true}))
					c.again = c.processes
					cuts := cuts*(n+1)/len(cutOperations) - cuts*n/len(cutOperations)
					if c.onlyAfter {
						cuts = max(1, cuts/3)
					}
					c.times(cuts)
					t.Logf("%s: %d cuts, %d of them at %d distinct steps, the others after the end", operation.name, c.cuts, c.kills, len(c.steps))
				}
			})
		})
	}
}

// numberIn returns the number in an environment variable, or otherwise.
func numberIn(t *testing.T, key string, otherwise int) int {
	t.Helper()
	n, err := strconv.Atoi(cmp.Or(os.Getenv(key), strconv.Itoa(otherwise)))
	if err != nil {
		t.Fatalf("%s: %v", key, err)
	}
	return n
}

// cutSize is the size of an endangered pack, in bytes.
const cutSize = 300_000

// cutOperations are the commands during a power cut. Some of their packs are signed.
var cutOperations = []struct {
	name string
	of   func(*fixture) *killing
}{
	{"first run", func(b *fixture) *killing {
		return newKilling(b, b.signed([]string{"b"}, b.large("a"), b.largeBy(acme, "b"), b.large("c")), nil, false)
	}},
	{"update", func(b *fixture) *killing {
		old, cache := b.vendored(b.signed([]string{"a"}, b.taggedBy(acme, "a", "1.0.0", cutSize), b.tagged("b", "1.0.0", cutSize), b.large("c")))
		b.taggedBy(acmeNext, "a", "2.0.0", cutSize)
		b.tagged("b", "2.0.0", cutSize+1)
		return newKilling(b, old, cache, true, "update")
	}},
	{"restore", func(b *fixture) *killing {
		old, cache := b.vendored(b.signed([]string{"b"}, b.large("a"), b.largeBy(acme, "b")))
		delete(old, "packs/a.gtpack")
		delete(old, "packs/b.gtpack")
		return newKilling(b, old, cache, false)
	}},
	{"add", func(b *fixture) *killing {
		old, cache := b.vendored(b.signed([]string{"b"}, b.large("a")))
		return newKilling(b, old, cache, true, "add", "b", b.pushSigned("b", "1.0.0", cutSize, acme))
	}},
	{"remove", func(b *fixture) *killing {
		old, cache := b.vendored(b.signed([]string{"b"}, b.large("a"), b.largeBy(acme, "b")))
		return newKilling(b, old, cache, true, "remove", "b")
	}},
}

// large returns packs.toml's line for a pack by digest, of cutSize.
func (b *fixture) large(name string) string {
	return fmt.Sprintf("%s = %q", name, b.push(name, "1.0.0", cutSize))
}

// largeBy is large for a pack that a key signs.
func (b *fixture) largeBy(key *signing.Key, name string) string {
	return fmt.Sprintf("%s = %q", name, b.pushSigned(name, "1.0.0", cutSize, key))
}

// A cutting is one command, with many power cuts during or after it.
type cutting struct {
	*killing
	disk      *disk.Cuttable
	chance    *rand.Rand
	cuts      int
	onlyAfter bool // the power is cut only after the command
}

// cutDisk tells packvendor-cut the place of the disk.
const cutDisk = "PACKVENDOR_TEST_DISK"

// mainCut is packvendor with a power cut before the change of that number. It writes
// its changes to stderr.
func mainCut() {
	volume, err := os.Open(os.Getenv(cutDisk))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(unarmed)
	}
	n := 0
	stepping(func(s syscalls.Step, number int) syscall.Errno {
		if !s.Changes() {
			return 0
		}
		fmt.Fprintln(os.Stderr, "step:", s)
		if n++; n == number {
			if err := disk.CutPower(volume); err != nil {
				fmt.Fprintln(os.Stderr, err)
				os.Exit(unarmed)
			}
			syscall.Kill(os.Getpid(), syscall.SIGKILL)
		}
		return 0
	})
	mainHurried()
}

// times cuts the power so many times: of three cuts one comes right after the end, one
// during the project's change, one at any step.
func (c *cutting) times(cuts int) {
	c.Helper()
	steps := c.cut(0)
	commit := max(0, slices.IndexFunc(steps, isCommit)-len(c.new)) // including the syncs before it
	for n := range cuts {
		if c.Failed() {
			return
		}
		switch {
		case n%3 == 0, c.onlyAfter:
			c.cut(0)
		case n%3 == 1:
			c.cut(1 + commit + c.chance.IntN(len(steps)-commit))
		default:
			c.cut(1 + c.chance.IntN(len(steps)))
		}
	}
}

// cut cuts the power before the change of that number, or after the command's earlier
// end. It returns the finished changes.
func (c *cutting) cut(number int) (steps []string) {
	c.Helper()
	dir, cache := c.start()
	cmd := c.program("packvendor-cut", dir, cache, c.args...)
	cmd.Env = append(cmd.Env, stepNumber+"="+strconv.Itoa(number), cutDisk+"="+c.disk.Dir)
	during := c.killed(cmd, cmd.Run())
	for line := range strings.Lines(fmt.Sprint(cmd.Stderr)) {
		if step, ok := strings.CutPrefix(line, "step: "); ok {
			steps = append(steps, roleOf(strings.ReplaceAll(step, filepath.Dir(dir), "*")))
		}
	}
	what := fmt.Sprintf("power cut after the end, %d steps", len(steps))
	if during {
		c.steps[steps[len(steps)-1]] = true
		what = fmt.Sprintf("power cut before step %d, %s", len(steps), steps[len(steps)-1])
	} else {
		c.must(c.disk.Cut())
	}
	c.cuts++
	c.must(c.disk.Restart())
	c.checkCut(what, dir, cache, !during)
	c.must(os.RemoveAll(filepath.Dir(dir)))
	return steps
}

// start makes the project and the cache as before the command, durably on the disk.
func (c *cutting) start() (dir, cache string) {
	c.Helper()
	both := filepath.Join(c.disk.Dir, strconv.Itoa(c.cuts))
	dir, cache = filepath.Join(both, "project"), filepath.Join(both, "cache")
	for _, made := range []string{both, dir, cache} {
		c.must(os.Mkdir(made, 0o777))
	}
	c.old.write(c, dir)
	c.cache.write(c, cache)
	c.must(c.disk.Sync())
	return dir, cache
}

// checkCut demands that the cut left only right files, all files if the command had
// ended, that verify accepts no mix of old and new ones, and that the next run completes
// the project.
func (c *cutting) checkCut(what, dir, cache string, ended bool) {
	c.Helper()
	left := readTree(c, dir).finals()
	c.wantOldOrNew(what, left)
	if differs := left.differences(c.new.finals()); ended && differs != "" {
		c.Errorf("%s: what it has done is not durable\n%s", what, differs)
	}
	if !ended {
		if code, text := c.processes(dir, cache, "verify"); !c.mayVerify(code, left) {
			c.Errorf("%s: verify ends with %d\n%s%s", what, code, text, left.differences(c.old.finals()))
		}
	}
	c.wantCache(what, readTree(c, cache))
	c.converges(what, dir, cache)
	if code, text := c.processes(dir, cache, "verify"); code != 0 {
		c.Errorf("%s: then verify ends with %d\n%s", what, code, text)
	}
}

// processes runs packvendor in its own process: not every thread of this one sees the
// disk.
func (c *cutting) processes(dir, cache, command string) (code int, stderr string) {
	c.Helper()
	cmd := c.command(dir, cache, strings.Fields(command)...)
	code = c.codeOf(cmd.Run())
	return code, fmt.Sprint(cmd.Stderr)
}
