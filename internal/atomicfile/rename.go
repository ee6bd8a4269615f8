package atomicfile

import "time"

// Windows does not rename over a file that another program has open, as
// indexers and virus scanners do for a moment. A rename is retried for
// renameWait in all, at first after renamePause, then each time after twice as
// long, up to longestPause: where many programs read the same file, it is free for
// moments only.
const (
	renamePause  = 5 * time.Millisecond
	longestPause = 50 * time.Millisecond
	renameWait   = 5 * time.Second
)

// persistently calls rename until it succeeds, fails for another reason than isBusy, or
// renameWait is over.
func persistently(rename func() error, isBusy func(error) bool, sleep func(time.Duration)) error {
	pause, waited := renamePause, time.Duration(0)
	for {
		err := rename()
		if err == nil || !isBusy(err) || waited+pause > renameWait {
			return err
		}
		sleep(pause)
		waited += pause
		pause = min(2*pause, longestPause)
	}
}
