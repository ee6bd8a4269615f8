//go:build !windows

package terminal

import "os"

// enableEscapes does nothing: terminals here understand escape sequences.
func enableEscapes(*os.File) bool { return true }
