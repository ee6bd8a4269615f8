package vendorer

import (
	"context"
	"path/filepath"
	"time"
)

// projectPoll is how often a project that another run works on is tried again.
const projectPoll = 50 * time.Millisecond

// lockProject waits until no other run works on the project of o.File and
// returns the function that lets the next one in. Where locking does not work
// it goes on without: a commit that two runs make at once is mended by the
// next. Errors: *BusyError, ctx's.
func lockProject(ctx context.Context, o Options, events func(Event)) (unlock func(), err error) {
	abs, err := filepath.Abs(o.file())
	if err != nil {
		return nil, err
	}
	file := projectLock(filepath.Dir(abs))
	unlock = func() { file.Close() }
	held, err := file.TryLock()
	if held || err != nil {
		return unlock, ctx.Err()
	}
	events(WaitingForProject{File: o.file()})
	bounded, cancel := context.WithTimeout(ctx, o.lockWait())
	defer cancel()
	held, err = file.TryLockContext(bounded, projectPoll)
	switch {
	case ctx.Err() != nil:
		return unlock, context.Cause(ctx)
	case !held && bounded.Err() != nil:
		return unlock, &BusyError{File: o.file()}
	}
	return unlock, nil
}
