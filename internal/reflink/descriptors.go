//go:build (linux || darwin) && !noreflink

package reflink

import "os"

// withDescriptors calls f with the descriptors of two open files.
func withDescriptors(a, b *os.File, f func(a, b int) error) error {
	first, err := a.SyscallConn()
	if err != nil {
		return err
	}
	second, err := b.SyscallConn()
	if err != nil {
		return err
	}
	var failure error
	err = first.Control(func(a uintptr) {
		if err := second.Control(func(b uintptr) { failure = f(int(a), int(b)) }); err != nil {
			failure = err
		}
	})
	if err != nil {
		return err
	}
	return failure
}
