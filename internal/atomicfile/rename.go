package atomicfile

import "time"

// Windows does not rename over a file that another program has open, as
// indexers and virus scanners do for a moment. A rename is tried again for
// renameWait in all, at first after renamePause, then each time after twice as
// long.
const (
	renamePause = 5 * time.Millisecond
	renameWait  = 2 * time.Second
)

// persistently calls rename until it succeeds, fails for another reason than
// that isBusy knows, or has been waited for long enough.
func persistently(rename func() error, isBusy func(error) bool, sleep func(time.Duration)) error {
	pause, waited := renamePause, time.Duration(0)
	for {
		err := rename()
		if err == nil || !isBusy(err) || waited+pause > renameWait {
			return err
		}
		sleep(pause)
		waited += pause
		pause *= 2
	}
}
