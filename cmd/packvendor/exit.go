package main

import (
	"context"
	"errors"
	"fmt"
	"syscall"

	"github.com/greenticai/packvendor/cmd/packvendor/internal/hint"
	"github.com/greenticai/packvendor/internal/gtpack"
	"github.com/greenticai/packvendor/lockfile"
	"github.com/greenticai/packvendor/packfetch"
	"github.com/greenticai/packvendor/packsfile"
	"github.com/greenticai/packvendor/vendorer"
)

// Exit codes.
const (
	exitDrift       = 1
	exitUsage       = 2
	exitNetwork     = 3
	exitIntegrity   = 4
	exitStorage     = 5
	exitInterrupted = 130 // as a shell reports SIGINT
)

// exitWeight orders exit codes where one invocation earned several: integrity
// first, drift last.
var exitWeight = map[int]int{exitInterrupted: 6, exitIntegrity: 5, exitStorage: 4, exitNetwork: 3, exitUsage: 2, exitDrift: 1}

// worse returns which of two exit codes weighs more.
func worse(a, b int) int {
	if exitWeight[b] > exitWeight[a] {
		return b
	}
	return a
}

// A problem is one error as it is told: what it is, its exit code, and what to
// do about it.
type problem struct {
	err  error
	code int
	text string
	hint hint.Hint // none if there is nothing to say
	then hint.Hint // what to do after the hint, which has shown something; mostly none
}

// explain returns the problems of an error, one for each of those it joins; none if it
// is nil.
func (c *cli) explain(err error) []problem {
	if err == nil {
		return nil
	}
	if errs, ok := err.(packsfile.Errors); ok && !errs.OnlyUnpinned() {
		problems := c.explain(errors.Join(errs.Unwrap()...))
		for i := range problems {
			if !isOfNewer(problems[i].err) {
				problems[i].hint = hint.Hint{} // what adds a pin refuses the rest of the file
			}
		}
		return problems
	}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var all []problem
		for _, e := range joined.Unwrap() {
			all = append(all, c.explain(e)...)
		}
		return withoutVain(all)
	}
	return []problem{{
		err: err, code: exitCode(err), text: textOf(err) + c.certificateAdvice(err) + c.lockAdvice(err),
		hint: c.say.hintFor(err), then: c.say.secondHintFor(err),
	}}
}

// withoutVain takes away hints that are vain while there are other problems: to add
// another version of a pack would fail with them, and so would the same with network.
func withoutVain(problems []problem) []problem {
	for i := range problems {
		if len(problems) > 1 && isAny(problems[i].err, []any{new(*vendorer.NoVersionError), new(*vendorer.NetworkOffError)}) {
			problems[i].hint = hint.Hint{}
		}
	}
	return problems
}

// lockAdvice says in CI that its hint is for elsewhere; "" if err is not about a lock
// that would change.
func (c *cli) lockAdvice(err error) string {
	if !c.inCI() || !isAny(err, []any{new(*vendorer.LockedError)}) {
		return ""
	}
	return "\n\tit must not in CI: run this on your own machine, and commit what it writes"
}

// textOf is an error in words, where it has better ones than its own.
func textOf(err error) string {
	var pack *vendorer.PackError
	var registry *packfetch.RegistryError
	var off *vendorer.NetworkOffError
	switch {
	case exitCode(err) == exitInterrupted:
		return "interrupted"
	case errors.As(err, &off):
		return off.Work + " needs the network (--offline is set)"
	case errors.As(err, &pack) && errors.As(err, &registry) && isGone(pack, registry):
		gone := *pack
		gone.Err = fmt.Errorf("what is locked is gone from the registry\n\t%w", registry)
		return gone.Error()
	}
	return err.Error()
}

// exitCode returns the exit code of a single error.
func exitCode(err error) int {
	switch {
	case errors.Is(err, context.Canceled):
		return exitInterrupted
	case errors.Is(err, syscall.EMFILE), errors.Is(err, syscall.ENFILE): // whatever it was that needed a descriptor
		return exitStorage
	case isAny(err, []any{
		new(*vendorer.InconsistentError), new(*vendorer.RetagError), new(*packfetch.DigestMismatchError),
		new(*packfetch.CorruptCacheError), new(*packfetch.ManifestError), new(*packfetch.ProtocolError),
	}):
		return exitIntegrity
	case isVendored(err):
		return vendoredCode(err)
	case isAny(err, []any{new(*packfetch.StorageError)}):
		return exitStorage
	case isAny(err, []any{new(*packfetch.RegistryError), new(*packfetch.OfflineError)}):
		return exitNetwork
	case isAny(err, []any{
		new(*vendorer.LockedError), new(*vendorer.GeneratedError), new(*vendorer.EmbedError),
		new(*vendorer.OverrideError), new(*vendorer.TagMismatchError),
	}):
		return exitDrift
	case isAny(err, []any{
		new(*usageError), new(*packsfile.SyntaxError), new(*packsfile.Error), new(*lockfile.Error),
		new(*vendorer.NoProjectError), new(*vendorer.NoModuleError), new(*vendorer.PlaceError), new(*vendorer.LongFileError),
		new(*vendorer.NoVersionError), new(*vendorer.RangeError), new(*vendorer.TakenError),
		new(*vendorer.GoNameError), new(*vendorer.UsageError),
		new(*vendorer.InitError), new(*vendorer.RevisionError),
		new(*vendorer.KeepError), new(*gtpack.NotPackError), new(*gtpack.MalformedError),
		new(*vendorer.PackageNameError), new(*vendorer.ClashError), new(*vendorer.UnknownPackError),
		new(*vendorer.EditError), new(*packfetch.InvalidReferenceError),
		new(*packfetch.TagDisallowedError), new(*packfetch.NoPackError), new(*packfetch.IndexError),
		new(*packfetch.OptionError),
	}):
		return exitUsage
	}
	return exitStorage
}

// isAny tells whether err is of the type of one of targets, which are as for
// errors.As.
func isAny(err error, targets []any) bool {
	for _, target := range targets {
		if errors.As(err, target) {
			return true
		}
	}
	return false
}

func isVendored(err error) bool { return isAny(err, []any{new(*vendorer.VendoredError)}) }

// vendoredCode: a missing file is drift, other bytes are not.
func vendoredCode(err error) int {
	var vendored *vendorer.VendoredError
	if errors.As(err, &vendored) && vendored.IsMissing() {
		return exitDrift
	}
	return exitIntegrity
}
