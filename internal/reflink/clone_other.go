//go:build (!linux && !darwin) || noreflink

package reflink

import (
	"errors"
	"os"
)

func clone(_ *os.Root, _ string, file, _ *os.File) (*os.File, error) {
	return file, errors.ErrUnsupported
}
