package program_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
)

// maxMemory bounds the memory of a process, in bytes.
const maxMemory = 64 << 20

// childVariable names the test whose process this is.
const childVariable = "PACKVENDOR_TEST_CHILD"

// inBoundedMemory runs a part of a test in a process of its own, which must not take more than
// maxMemory.
func inBoundedMemory(t *testing.T, do func(t *testing.T)) {
	t.Helper()
	if os.Getenv(childVariable) == t.Name() {
		forgetMemory()
		do(t)
		checkMemory(t)
		return
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	var pattern []string
	for name := range strings.SplitSeq(t.Name(), "/") {
		pattern = append(pattern, "^"+regexp.QuoteMeta(name)+"$")
	}
	command := exec.Command(self, "-test.v", "-test.run="+strings.Join(pattern, "/"))
	command.Env = append(os.Environ(), childVariable+"="+t.Name())
	out, err := command.CombinedOutput()
	if err != nil || !bytes.Contains(out, []byte("--- PASS: "+t.Name()+" ")) {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, line := range regexp.MustCompile(`_test\.go:\d+: (.*)`).FindAllSubmatch(out, -1) {
		t.Logf("%s", line[1])
	}
}

// forgetMemory has checkMemory not count what was needed until now, to prepare the test.
func forgetMemory() {
	debug.FreeOSMemory()
	os.WriteFile("/proc/self/clear_refs", []byte("5"), 0) // proc(5): it resets VmHWM; other systems have no such file
}

// checkMemory compares the most memory that this process had at once, as Linux counts it.
// Maxrss would count that of the parent, too. The race detector takes several times as much.
func checkMemory(t *testing.T) {
	t.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if os.IsNotExist(err) || isRace() {
		return
	}
	var peak uint64
	_, after, _ := strings.Cut(string(status), "VmHWM:")
	if _, err := fmt.Sscanf(after, "%d kB", &peak); err != nil {
		t.Fatal(err)
	}
	peak <<= 10
	t.Logf("%d MiB of memory", peak>>20)
	if peak > maxMemory {
		t.Errorf("more than %d MiB of memory", maxMemory>>20)
	}
}

func isRace() bool {
	info, _ := debug.ReadBuildInfo()
	return info != nil && slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"})
}
