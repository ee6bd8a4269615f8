//go:build !unix

package vendorer

import (
	"os"
	"path/filepath"

	"github.com/gofrs/flock"

	"github.com/greenticai/packvendor/internal/ociref"
)

// projectLock is a file among the temporary ones: a directory cannot be locked
// here, and the project should not hold a file for it.
func projectLock(dir string) *flock.Flock {
	name := "packvendor-" + ociref.DigestOf([]byte(dir)).Hex()[:16] + ".lock"
	return flock.New(filepath.Join(os.TempDir(), name))
}
