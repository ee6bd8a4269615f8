//go:build amd64 || arm64

package vendorer_test

import (
	"bufio"
	"bytes"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/greenticai/packvendor/internal/packtest"
	"github.com/greenticai/packvendor/internal/packtest/syscalls"
)

// steps counts a run's system calls, and the files that they touch.
type steps struct {
	mu      sync.Mutex
	on      bool
	calls   map[string]int
	touched map[string]bool
}

func (s *steps) add(step syscalls.Step) syscall.Errno {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.on {
		s.calls[step.Call]++
		if filepath.IsAbs(step.Path) {
			s.touched[step.Path] = true
		}
	}
	return 0
}

// during returns the calls that f makes, and the number of their files.
func (s *steps) during(f func()) (calls map[string]int, touched int) {
	s.mu.Lock()
	s.on, s.calls, s.touched = true, map[string]int{}, map[string]bool{}
	s.mu.Unlock()
	f()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.on = false
	return s.calls, len(s.touched)
}

// alone tells whether this is a test's own process, and else starts one.
func alone(t *testing.T) bool {
	t.Helper()
	if os.Getenv(seesSteps) != "" {
		return true
	}
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe, "-test.run=^"+t.Name()+"$", "-test.v")
	cmd.Env = append(os.Environ(), seesSteps+"=1")
	out, err := cmd.CombinedOutput()
	if strings.Contains(string(out), "--- SKIP") {
		packtest.Unable(t, "%s", out)
	}
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	return false
}

// A pack costs at most so many system calls on files: the difference between runs with
// many packs and with few, by pack. A cold one is four files: the vendored pack and the
// entry's three, each synced once; and the entry's lock, in the locks' opened folder,
// so that no link is followed. A warm one is the vendored pack, whose write-back starts
// before its sync. An unchanged pack is only read, with its manifest in the cache.
func TestCostSteps(t *testing.T) {
	if !alone(t) {
		return
	}
	const few, many = 5, 45
	large := newMany(t, packtest.Options{}, 1, 20<<20)
	projects := map[int]*project{few: newMany(t, packtest.Options{}, few, 1000), many: newMany(t, packtest.Options{}, many, 1000)}
	shared, medium := doShareBlocks(t), newMany(t, packtest.Options{}, few, 100_000)
	seen := &steps{}
	if err := syscalls.Stepping(seen.add); err != nil {
		packtest.Unable(t, "this system does not show a process its system calls: %v", err)
	}
	for _, test := range []struct {
		name    string
		prepare func(*project)
		calls   map[string]float64 // by pack; no other calls
		touched int                // files by pack
	}{
		{"cold", (*project).freshClone, map[string]float64{
			"mkdir": 3, "open": 6, "write": 5, "read": 3, "writeback": 1, "sync": 4, "rename": 4, "lock": 4, "close": 8,
		}, 7},
		{"warm", func(p *project) { p.remove("app/packs") }, map[string]float64{
			"open": 1, "write": 1, "read": 9, "writeback": 1, "sync": 1, "rename": 1, "close": 5,
		}, 4},
		{"nothing to do", func(*project) {}, map[string]float64{"read": 5, "close": 2}, 2},
	} {
		calls, touched := map[int]map[string]int{}, map[int]int{}
		for packs, p := range projects {
			test.prepare(p)
			calls[packs], touched[packs] = seen.during(func() { p.mustRun() })
		}
		for _, call := range slices.Sorted(maps.Keys(calls[many])) {
			if got := float64(calls[many][call]-calls[few][call]) / (many - few); got > test.calls[call] {
				t.Errorf("%s: %.1f times %s a pack, want at most %g", test.name, got, call, test.calls[call])
			}
		}
		if got := float64(touched[many]-touched[few]) / (many - few); got > float64(test.touched) {
			t.Errorf("%s: %.1f files touched a pack, want at most %d", test.name, got, test.touched)
		}
	}
	// A large pack's files go to the disk while more bytes come: two parts of each, and
	// the rest of the vendored one.
	large.freshClone()
	calls, _ := seen.during(func() { large.mustRun() })
	want := 5
	if shared {
		want = 3 // the cache's file is a clone
	}
	if got := calls["writeback"]; got != want {
		t.Errorf("writeback was begun %d times, want %d", got, want)
	}
	// Each pack is cloned, after one clone of an empty file in a cold run; or the first
	// refusal is the last.
	medium.freshClone()
	cold, _ := seen.during(func() { medium.mustRun() })
	medium.remove("app/packs")
	warm, _ := seen.during(func() { medium.mustRun() })
	wantCold, wantWarm := 1, 1
	if shared {
		wantCold, wantWarm = few+1, few
	}
	if cold["clone"] != wantCold || warm["clone"] != wantWarm {
		t.Errorf("%d clones cold, %d warm, want %d and %d", cold["clone"], warm["clone"], wantCold, wantWarm)
	}
}

// A cold run writes each pack twice, to the project and to the cache, and hardly more;
// a warm run writes it once; an idle run nothing. A clone is not written.
func TestCostBytes(t *testing.T) {
	const packs, size, others = 8, 256 << 10, 64 << 10
	shared := map[bool]int{true: 1}[doShareBlocks(t)]
	p := newMany(t, packtest.Options{}, packs, size)
	cache := t.TempDir()
	for _, test := range []struct {
		name   string
		before func()
		times  int
	}{
		{"cold", p.freshClone, 2 - shared},
		{"nothing to do", func() {}, 0},
		{"warm", func() { p.remove("app/packs") }, 1 - shared},
	} {
		test.before()
		if got, want := p.written(cache), test.times*packs*size; got < want || got > want+others {
			t.Errorf("%s: %d bytes written, want %d and a little", test.name, got, want)
		}
	}
}

// written returns the bytes that a run in its own process writes, to the network too:
// see proc(5), /proc/pid/io.
func (p *project) written(cache string) (n int) {
	p.t.Helper()
	exe, err := os.Executable()
	p.must(err)
	cmd := exec.Command(exe)
	cmd.Env = append(os.Environ(), childProject+"="+p.options.File, childCache+"="+cache, childTells+"=/proc/self/io")
	out, err := cmd.CombinedOutput()
	if err != nil {
		p.t.Fatalf("%v\n%s", err, out)
	}
	lines := bufio.NewScanner(bytes.NewReader(out))
	for lines.Scan() {
		if found, _ := fmt.Sscanf(lines.Text(), "wchar: %d", &n); found == 1 {
			return n
		}
	}
	p.t.Fatalf("the system does not tell what was written:\n%s", out)
	return 0
}
