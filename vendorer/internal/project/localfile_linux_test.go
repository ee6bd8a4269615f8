package project

import (
	"context"
	"testing"
)

// The files in /proc say that they are empty, and are refused.
func TestFault45b_LocalFileInProc(t *testing.T) {
	for file, want := range map[string]string{
		"version":     "version is empty",
		"sys/kernel":  "sys/kernel is a directory",
		"self":        "self is a symbolic link",
		"self/status": "self/status has a symbolic link on its way: self",
	} {
		if _, err := inModule("/proc").measureLocalFile(context.Background(), file, 1000); err == nil || err.Error() != want {
			t.Errorf("%s: %v, want %s", file, err, want)
		}
	}
}
