//go:build !linux

package invocation

// look: this system shows other processes to no ordinary program.
func look(int) Process { return Process{} }
