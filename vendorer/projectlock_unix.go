//go:build unix

package vendorer

import (
	"os"

	"github.com/gofrs/flock"
)

// projectLock is the directory of packs.toml itself: no file is left behind,
// and a read-only checkout can be locked too.
func projectLock(dir string) *flock.Flock {
	return flock.New(dir, flock.SetFlag(os.O_RDONLY))
}
