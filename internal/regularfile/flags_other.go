//go:build !unix

package regularfile

// Flags for os.OpenFile that only Unix has.
const (
	NoWait   = 0
	NoFollow = 0
)
