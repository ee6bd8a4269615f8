package vendorer

import (
	"errors"
	"fmt"
	"strings"

	"github.com/greenticai/packvendor/internal/verified"
	"github.com/greenticai/packvendor/lockfile"
	"github.com/greenticai/packvendor/packfetch"
	"github.com/greenticai/packvendor/vendorer/internal/git"
	"github.com/greenticai/packvendor/vendorer/internal/override"
	"github.com/greenticai/packvendor/vendorer/internal/project"
	"github.com/greenticai/packvendor/vendorer/internal/tagpolicy"
)

// Sizes, in bytes: the Go linker's limit for one string and for all together; the size
// above which code hosts refuse a file; and the go command's limit for a module's zip
// (https://go.dev/ref/mod#zip-path-size-constraints).
const (
	maxEmbedded   = 2_000_000_000
	largePack     = 100_000_000
	largeTogether = 500 << 20
)

// A LockedError reports that the run would change packs.lock.
type LockedError struct {
	File                    string   // packs.lock
	Missing, Stale, Surplus []string // names of packs, sorted
	Unsigned                []string // names of packs, sorted, that lack a signature which a rule demands
	NoFile                  bool     // there is no packs.lock, nor packs to lock
	Format                  bool     // its entries are right, but not in canonical form
	// Place and Line locate the first of the packs: in packs.toml, or in packs.lock for
	// surplus packs. Line is 0 if the error is about no pack.
	Place string
	Line  int
}

func (e *LockedError) Error() string {
	var parts []string
	for _, part := range []struct {
		what  string
		names []string
	}{{"missing", e.Missing}, {"stale", e.Stale}, {"surplus", e.Surplus}, {"no signature locked", e.Unsigned}} {
		if len(part.names) > 0 {
			parts = append(parts, part.what+": "+strings.Join(part.names, ", "))
		}
	}
	if e.NoFile {
		return e.File + " does not exist yet"
	}
	if e.Format {
		parts = append(parts, "it is not in canonical form")
	}
	return fmt.Sprintf("%s would change (%s)", e.File, strings.Join(parts, "; "))
}

// A PackError reports an error about one pack.
type PackError struct {
	File string // packs.toml, as the user named it
	Line int    // of the pack in File; 0 if the pack is new
	Name string
	Ref  string // as packs.toml has it
	// Insecure are the insecure_registries of packs.toml.
	Insecure []string
	// Locked is the pack's entry if the run followed it.
	Locked *lockfile.Entry
	Err    error
}

func (e *PackError) Error() string {
	var inconsistent *InconsistentError
	switch {
	case errors.As(e.Err, &inconsistent):
		return e.Err.Error() // it names packs.lock already
	case e.Line == 0:
		return fmt.Sprintf("%s: %v", e.Name, e.Err)
	}
	return fmt.Sprintf("%s:%d: packs.%s: %v", e.File, e.Line, e.Name, e.Err)
}
func (e *PackError) Unwrap() error { return e.Err }

// An InconsistentError reports a contradictory entry of packs.lock.
type InconsistentError = lockfile.InconsistentError

// An UnknownPackError reports a name that packs.toml does not have.
type UnknownPackError struct {
	File, Name, Near string // Near is a similar name, "" if none
}

func (e *UnknownPackError) Error() string {
	s := fmt.Sprintf("%s has no pack %+q", e.File, e.Name)
	if e.Near != "" {
		s += fmt.Sprintf(", did you mean %q?", e.Near)
	}
	return s
}

// An EditError reports a packs.toml that could not be edited as text.
type EditError struct {
	File string
	Err  error
}

func (e *EditError) Error() string {
	return fmt.Sprintf("%s: %v", e.File, e.Err)
}

func (e *EditError) Unwrap() error { return e.Err }

// A VendoredError reports a vendored file that differs from packs.lock.
type VendoredError struct {
	Name, Path string
	Got, Want  verified.Content // Got is the zero value if there is no file; its Digest is "" if the size alone differs
	LFS        bool             // the file is a Git LFS pointer
	// Lost tells that no run can restore the file: the pack is another file, which is not there.
	Lost bool
}

// IsMissing tells whether there is no file.
func (e *VendoredError) IsMissing() bool { return e.Got.IsZero() }

func (e *VendoredError) Error() string {
	switch {
	case e.IsMissing():
		return fmt.Sprintf("%s is missing", e.Path)
	case e.LFS:
		return fmt.Sprintf("%s is a Git LFS pointer, not the pack", e.Path)
	}
	return fmt.Sprintf("%s is not the pack that is locked\n%s", e.Path, verified.Difference(e.Got, e.Want))
}

// A GeneratedError reports a missing, changed or surplus generated file.
type GeneratedError struct {
	Path    string
	Diff    string // unified, from the present text to the right one; "" if the file is missing
	Surplus bool   // the file is a stub, and packs.toml asks for none
}

func (e *GeneratedError) Error() string {
	switch {
	case e.Surplus:
		return e.Path + " is a stub, and packs.toml asks for none"
	case e.Diff == "":
		return e.Path + " is missing"
	}
	return e.Path + " is not what packvendor generates"
}

// A RevisionError reports that git could not read a project's revision.
type RevisionError = git.RevisionError

// An OverrideError reports a setting or file that can give a program other bytes than
// the vendored ones, although every file of packvendor is right.
type OverrideError = override.Error

// Errors about the project on disk.
type (
	// A NoProjectError reports that there is no packs.toml.
	NoProjectError = project.NoProjectError
	// A GoModError reports a go.mod that the go command would not read either.
	GoModError = project.GoModError
	// A NoModuleError reports a packs.toml outside any Go module.
	NoModuleError = project.NoModuleError
	// A ConflictError reports a packs.lock that holds both sides of a merge.
	ConflictError = project.ConflictError
	// A LongFileError reports a file that is too large to read.
	LongFileError = project.LongFileError
	// A PlaceError reports a path that packvendor may not write.
	PlaceError = project.PlaceError
	// A NoLocalFileError reports that the local file of a pack does not exist.
	NoLocalFileError = project.NoLocalFileError
	// A ClashError reports names that both the generated file and another file of the
	// package declare.
	ClashError = project.ClashError
	// A PackageNameError reports that the Go package has no known name.
	PackageNameError = project.PackageNameError
	// A BusyError reports a project that another run keeps locked.
	BusyError = project.BusyError
	// A ChangedError reports a file that changed while packvendor ran.
	ChangedError = project.ChangedError
)

// Errors about the tags of a repository.
type (
	// A NoVersionError reports a range without a matching version tag.
	NoVersionError = tagpolicy.NoVersionError
	// A RangeError reports a tag that was given for a pack which follows a range.
	RangeError = tagpolicy.RangeError
	// A NoTagError reports a tag that the repository does not have.
	NoTagError = tagpolicy.NoTagError
)

// A UsageError reports an unusable argument, and the reason.
type UsageError struct{ Subject, Reason string }

func (e *UsageError) Error() string { return e.Subject + " " + e.Reason }

// tooLarge refuses packs that no Go program can embed; holder begins the message.
func tooLarge(holder string, size int64) error {
	return &UsageError{Subject: holder, Reason: fmt.Sprintf("%d bytes: more than %d cannot be linked into a Go program", size, int64(maxEmbedded))}
}

// A NetworkOffError reports work that needs a registry's tags while Options.Offline is
// set.
type NetworkOffError struct {
	Work string // "update" or "outdated"
	Err  error  // *packfetch.OfflineError, for the first pack that has a tag
}

func (e *NetworkOffError) Error() string { return e.Work + " needs the network, which is off" }
func (e *NetworkOffError) Unwrap() error { return e.Err }

// mergeTagErrors merges the joined errors about tags that are unknown offline into one:
// they have one cause.
func mergeTagErrors(work string, err error) error {
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return err
	}
	var all []error
	told := false
	for _, e := range joined.Unwrap() {
		var offline *packfetch.OfflineError
		if !errors.As(e, &offline) || !offline.Tag && !offline.Tags {
			all = append(all, e)
		} else if !told {
			all, told = append(all, &NetworkOffError{Work: work, Err: offline}), true
		}
	}
	return errors.Join(all...)
}
