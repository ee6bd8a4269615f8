package cast

import (
	"os/exec"
	"testing"
	"time"
)

// A command finds a terminal of the given width at all three ends.
func TestRun(t *testing.T) {
	got, err := Run(exec.Command("sh", "-c", "test -t 0 && test -t 1 && test -t 2 && stty size; exit 3"), 77)
	if err != nil || got != "24 77\r\n" {
		t.Errorf("received %q, error %v", got, err)
	}
}

// A command that does not end is killed, with what it started, and the error has what it
// had printed.
func TestRunHangs(t *testing.T) {
	for _, script := range []string{
		"echo begun; sleep 600",
		"echo begun; sleep 600 & wait",
		"trap '' HUP TERM INT; echo begun; while :; do sleep 600; done",
	} {
		start := time.Now()
		_, err := run(exec.Command("sh", "-c", script), 80, time.Second)
		if err == nil || err.Error() != "it did not end within 1s; it had printed:\nbegun\r\n" {
			t.Errorf("%s: error %v", script, err)
		}
		if took := time.Since(start); took > time.Minute {
			t.Errorf("%s: it took %v", script, took)
		}
	}
}
