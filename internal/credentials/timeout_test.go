package credentials

import (
	"testing"
	"time"
)

// What the documentation promises.
func TestFault25_DefaultHelperTimeout(t *testing.T) {
	if DefaultHelperTimeout != 30*time.Second {
		t.Errorf("DefaultHelperTimeout is %s", DefaultHelperTimeout)
	}
}
