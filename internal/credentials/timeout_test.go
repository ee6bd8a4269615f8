package credentials

import (
	"testing"
	"time"
)

// The documented default.
func TestFault25_DefaultHelperTimeout(t *testing.T) {
	if DefaultHelperTimeout != 30*time.Second {
		t.Errorf("DefaultHelperTimeout is %s", DefaultHelperTimeout)
	}
}
