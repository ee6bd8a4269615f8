package vendorer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/greenticai/packvendor/internal/outputfile"
	"github.com/greenticai/packvendor/internal/printable"
	"github.com/greenticai/packvendor/internal/regularfile"
	"github.com/greenticai/packvendor/lockfile"
	"github.com/greenticai/packvendor/vendorer/internal/git"
)

// A LockMerge has the files that git gives to a merge driver of packs.lock.
// https://git-scm.com/docs/gitattributes#_defining_a_custom_merge_driver
type LockMerge struct {
	Base, Ours, Theirs string // the result replaces Ours
	Path               string // of packs.lock in the repository, for messages
}

// MergeLock merges the entries by name, and returns the number of packs. A pack that both sides
// changed in different ways is a conflict, which the result has as git writes it, and a
// *LockConflictError. Where an entry cannot be read, git merges the files as text, and there is
// a *LockTextMergeError beside the lockfile.Errors. The other errors, such as *InputError, leave
// Ours as it was.
func MergeLock(ctx context.Context, m LockMerge) (packs int, err error) {
	m.Path = printable.Line(m.Path, maxShownPath) // anybody may have named it
	locks, err := m.read()
	if errors.As(err, new(lockfile.Errors)) {
		return 0, errors.Join(err, &LockTextMergeError{Path: m.Path, Err: git.MergeFile(ctx, m.Base, m.Ours, m.Theirs)})
	}
	if err != nil {
		return 0, err
	}
	merged := lockfile.Merge(locks.base, locks.ours, locks.theirs)
	text := merged.Format()
	if locks.hasCRLF {
		text = bytes.ReplaceAll(text, []byte("\n"), []byte("\r\n"))
	}
	if err := replaceFile(m.Ours, text); err != nil {
		return 0, err
	}
	var conflicts []error
	for _, c := range merged.Conflicts {
		conflicts = append(conflicts, &LockConflictError{Path: m.Path, Conflict: c})
	}
	return len(merged.Entries), errors.Join(conflicts...)
}

// maxShownPath bounds the path of a packs.lock in a message, in bytes.
const maxShownPath = 4096

// mergedLocks are the three versions of packs.lock in a merge.
type mergedLocks struct {
	base         []*lockfile.Lock
	ours, theirs *lockfile.Lock
	hasCRLF      bool // of ours
}

func (m LockMerge) read() (l mergedLocks, err error) {
	var data [3][]byte
	for i, name := range []string{m.Base, m.Ours, m.Theirs} {
		data[i], err = regularfile.Read(nil, name, lockfile.MaxSize)
		if errors.As(err, new(*fs.PathError)) {
			err = &InputError{File: name, Err: err}
		}
		if err != nil {
			return l, err
		}
	}
	l.hasCRLF = bytes.Contains(data[1], []byte("\r\n"))
	var errs [3]error
	l.base, errs[0] = lockfile.ParseBase(m.Path+" (base)", data[0])
	l.ours, errs[1] = lockfile.Parse(m.Path+" (ours)", data[1])
	l.theirs, errs[2] = lockfile.Parse(m.Path+" (theirs)", data[2])
	return l, errors.Join(errs[:]...)
}

// replaceFile writes a file that exists.
func replaceFile(name string, data []byte) error {
	file, err := outputfile.Open(name)
	if err != nil {
		return err
	}
	defer file.Close()
	return file.WriteBytes(data)
}

// A LockConflictError reports a pack that both sides of a merge changed, each in its own way.
type LockConflictError struct {
	Path string // of packs.lock
	lockfile.Conflict
}

func (e *LockConflictError) Error() string {
	what := "both sides changed it"
	switch {
	case e.Ours == lockfile.Entry{}:
		what = "ours removed it, theirs changed it"
	case e.Theirs == lockfile.Entry{}:
		what = "ours changed it, theirs removed it"
	}
	return fmt.Sprintf("%s: %s: %s: keep one side of the conflict, then run packvendor", e.Path, e.Name, what)
}

// A LockTextMergeError reports a packs.lock that was merged as text, since one of its versions
// cannot be read.
type LockTextMergeError struct {
	Path string
	Err  error // why git could not do that either: then the file is that of our side
}

func (e *LockTextMergeError) Error() string {
	if e.Err != nil {
		return fmt.Sprintf("%s is that of our side, and not merged: %v", e.Path, e.Err)
	}
	return e.Path + " was merged as text: look at it before you commit it"
}

func (e *LockTextMergeError) Unwrap() error { return e.Err }
