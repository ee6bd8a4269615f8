package cast

import (
	"os/exec"
	"testing"
)

// A command finds a terminal of the given width at all three ends.
func TestRun(t *testing.T) {
	got, err := Run(exec.Command("sh", "-c", "test -t 0 && test -t 1 && test -t 2 && stty size; exit 3"), 77)
	if err != nil || got != "24 77\r\n" {
		t.Errorf("received %q, error %v", got, err)
	}
}
