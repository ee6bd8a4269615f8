package project

import (
	"context"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"
)

// projectPoll is the interval between attempts to lock a busy project.
const projectPoll = 50 * time.Millisecond

// A Mutex keeps other runs, or other writers, out of a project.
type Mutex struct{ file *flock.Flock }

// isHeld tells that no other run works in the project. It is false for readers, and
// where locking does not work.
func (m *Mutex) isHeld() bool { return m.file.Locked() }

func (m *Mutex) unlock() { m.file.Close() }

// Lock locks the module of packs.toml at name, since two packs.toml files of one module
// may name the same folders. It calls waiting before it waits, and waits no longer than
// wait. Without support for locks it goes on: the next run repairs the effect of two
// commits at once. Errors: *BusyError, *NoModuleError, ctx's.
func Lock(ctx context.Context, name string, wait time.Duration, waiting func()) (*Mutex, error) {
	return lock(ctx, name, wait, waiting, (*flock.Flock).TryLock)
}

// RLock is Lock for a run that only reads; other readers may share the project.
func RLock(ctx context.Context, name string, wait time.Duration, waiting func()) (*Mutex, error) {
	return lock(ctx, name, wait, waiting, (*flock.Flock).TryRLock)
}

func lock(ctx context.Context, name string, wait time.Duration, waiting func(), try func(*flock.Flock) (bool, error)) (*Mutex, error) {
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
	m := &Mutex{file: mutexFile(module)}
	got, err := try(m.file)
	if got || err != nil {
		return m, nil
	}
	waiting()
	bounded, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	for !got && err == nil {
		select {
		case <-time.After(projectPoll):
			got, err = try(m.file)
		case <-bounded.Done():
			m.unlock()
			if ctx.Err() != nil {
				return nil, context.Cause(ctx)
			}
			return nil, &BusyError{File: name}
		}
	}
	return m, nil
}
