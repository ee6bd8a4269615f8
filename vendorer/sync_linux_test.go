//go:build amd64 || arm64

package vendorer_test

import (
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/greenticai/packvendor/internal/packtest"
	"github.com/greenticai/packvendor/internal/packtest/syscalls"
)

// seesSteps, in the environment, makes the test below trace itself, for good.
const seesSteps = "VENDORER_TEST_SEES_STEPS"

// The folder is synced after the last rename of a text: a name is durable no sooner.
func TestFault33_FolderIsSynced(t *testing.T) {
	if os.Getenv(seesSteps) == "" {
		exe, err := os.Executable()
		if err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command(exe, "-test.run=^TestFault33_FolderIsSynced$", "-test.v")
		cmd.Env = append(os.Environ(), seesSteps+"=1")
		out, err := cmd.CombinedOutput()
		if strings.Contains(string(out), "--- SKIP") {
			packtest.Unable(t, "%s", out)
		}
		if err != nil {
			t.Errorf("%v\n%s", err, out)
		}
		return
	}
	p := newProject(t)
	p.push("A", "a:stable")
	p.packs(`a = "$REG/a@$A"`)
	var mu sync.Mutex
	var steps []string
	err := syscalls.Stepping(func(s syscalls.Step) syscall.Errno {
		mu.Lock()
		defer mu.Unlock()
		steps = append(steps, s.String())
		return 0
	})
	if err != nil {
		packtest.Unable(t, "this system does not show a process its system calls: %v", err)
	}
	p.mustRun()
	mu.Lock()
	defer mu.Unlock()
	renamed := slices.IndexFunc(steps, func(s string) bool { return strings.HasPrefix(s, "rename ") && strings.HasSuffix(s, "packs.lock") })
	if renamed < 0 || !slices.Contains(steps[renamed:], "sync "+p.dir) {
		t.Errorf("packs.lock got its name, and its folder was not synced then:\n%s", strings.Join(steps, "\n"))
	}
}
