package project

import (
	"context"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"
)

// projectPoll is how often a project that another run works on is tried again.
const projectPoll = 50 * time.Millisecond

// A Mutex keeps other runs out of a project.
type Mutex struct {
	file *flock.Flock
	held bool // false where locking does not work
}

func (l *Mutex) unlock() { l.file.Close() }

// Lock waits, so long and after calling waiting, until no other run works in the
// module of packs.toml at name: two files packs.toml in one module may name the same
// folders. Where locking does not work it goes on without: a commit that two runs make
// at once is mended by the next. Errors: *BusyError, *NoModuleError, ctx's.
func Lock(ctx context.Context, name string, wait time.Duration, waiting func()) (*Mutex, error) {
	abs, err := filepath.Abs(name)
	if err != nil {
		return nil, err
	}
	if info, err := os.Stat(abs); err == nil && info.IsDir() {
		return nil, &PlaceError{Path: name, Reason: "is a directory: name its packs.toml, or write DIR/... for every one in it and below"}
	}
	module, err := ModuleRoot(filepath.Dir(abs))
	if err != nil {
		return nil, err
	}
	lock := &Mutex{file: mutexFile(module)}
	if lock.held, err = lock.file.TryLock(); lock.held || err != nil {
		return lock, nil
	}
	waiting()
	bounded, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	lock.held, _ = lock.file.TryLockContext(bounded, projectPoll)
	if !lock.held && bounded.Err() != nil {
		lock.unlock()
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		return nil, &BusyError{File: name}
	}
	return lock, nil
}
