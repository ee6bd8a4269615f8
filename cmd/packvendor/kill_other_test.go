//go:build !linux || !(amd64 || arm64)

package main

import "testing"

// programs are this test binary's programs by name.
func programs() map[string]func() {
	return map[string]func(){"packvendor": mainHurried, "runner": mainRunner}
}

// memory returns "": only Linux has a known folder in memory.
func memory() string { return "" }

func TestFault30_KilledAtEveryStep(t *testing.T) {
	t.Skip("only Linux lets a process see its own system calls")
}
