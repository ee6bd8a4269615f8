package atomicfile

import (
	"errors"
	"syscall"
)

// isBusy tells whether a rename failed because another program has the target open:
// https://learn.microsoft.com/windows/win32/debug/system-error-codes--0-499-.
func isBusy(err error) bool {
	const sharingViolation = syscall.Errno(32)
	return errors.Is(err, sharingViolation) || errors.Is(err, syscall.ERROR_ACCESS_DENIED)
}
