package atomicfile

import (
	"errors"
	"io/fs"
	"testing"
	"time"
)

// TestFault57_Busy renames over a target that is open elsewhere, as Windows
// would have it.
func TestFault57_Busy(t *testing.T) {
	busy := errors.New("sharing violation")
	isBusy := func(err error) bool { return errors.Is(err, busy) }
	for _, test := range []struct {
		name   string
		fails  int // how often the rename fails
		err    error
		want   error
		tries  int
		waited time.Duration
	}{
		{"free", 0, busy, nil, 1, 0},
		{"busy for a moment", 3, busy, nil, 4, 35 * time.Millisecond},
		{"busy for good", 1000, busy, busy, 103, 4975 * time.Millisecond},
		{"another error", 1000, fs.ErrPermission, fs.ErrPermission, 1, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			tries, waited := 0, time.Duration(0)
			err := persistently(func() error {
				if tries++; tries <= test.fails {
					return test.err
				}
				return nil
			}, isBusy, func(d time.Duration) { waited += d })
			if !errors.Is(err, test.want) || tries != test.tries || waited != test.waited {
				t.Errorf("error %v after %d tries and %v, want %v after %d and %v", err, tries, waited, test.want, test.tries, test.waited)
			}
		})
	}
}
