//go:build !unix

package project

import (
	"os"
	"path/filepath"

	"github.com/gofrs/flock"

	"github.com/greenticai/packvendor/internal/ociref"
)

// mutexFile is a temporary file: a directory cannot be locked here, and the project
// should hold no lock file.
func mutexFile(dir string) *flock.Flock {
	name := "packvendor-" + ociref.DigestOf([]byte(dir)).Hex()[:16] + ".lock"
	return flock.New(filepath.Join(os.TempDir(), name))
}
