//go:build unix

package vendorer

import (
	"os"

	"github.com/gofrs/flock"
)

// projectLockFile is the module's directory itself: no file is left behind, and
// a read-only checkout can be locked too.
func projectLockFile(dir string) *flock.Flock {
	return flock.New(dir, flock.SetFlag(os.O_RDONLY))
}
