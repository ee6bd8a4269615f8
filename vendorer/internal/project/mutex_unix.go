//go:build unix

package project

import (
	"os"

	"github.com/gofrs/flock"
)

// mutexFile is the module's directory itself: no file is left behind, and a read-only
// checkout can be locked too.
func mutexFile(dir string) *flock.Flock {
	return flock.New(dir, flock.SetFlag(os.O_RDONLY))
}
