package vendorer

import (
	"context"
	"errors"
	"io/fs"
	"runtime/debug"

	"github.com/greenticai/packvendor/internal/marker"
	"github.com/greenticai/packvendor/internal/program"
	"github.com/greenticai/packvendor/internal/regularfile"
	"github.com/greenticai/packvendor/lockfile"
)

// A Program is an executable, or an archive of -buildmode=c-archive, and the packs in it.
type Program struct {
	Path          string
	Format        string
	Architectures []string // of a universal Mach-O file; nil for others
	// Build is what the go command recorded; nil if there is nothing, and NoBuild says why.
	Build   *debug.BuildInfo
	NoBuild error
	// Locks are the files packs.lock with which the program was compared.
	Locks []string
	// Uncompared is why it was not compared with the packs.lock of the project at hand; nil if it
	// was, or if there is no project.
	Uncompared error
	// Packs are those of the program and of the locks: by import path and name, those of a lock
	// together.
	Packs []ProgramPack
	// HasMarkers tells whether the program names any pack.
	HasMarkers bool
	// MalformedMarkers is how many different markers it has that no release of packvendor writes.
	MalformedMarkers int
}

type (
	// A LinkedPack is a pack that a program names by a marker.
	LinkedPack = program.Pack
	// A Marker is what a program says of a pack.
	Marker = marker.Marker
	// A BytesState says whether the bytes that a marker names are in the program.
	BytesState = program.State
	// A ProgramFormatError says why a file cannot be read as a program.
	ProgramFormatError = program.FormatError
	// A MarkerLimitError reports a program with more markers than are read.
	MarkerLimitError = program.LimitError
	// A MarkerVersionError reports a marker that a newer packvendor wrote.
	MarkerVersionError = marker.VersionError
)

// The states of the bytes of a pack in a program.
const (
	BytesPresent = program.Present
	BytesAbsent  = program.Absent
	BytesUnknown = program.Unknown
	BytesOther   = program.Other
)

// A ProgramPack is a pack of a program, of a packs.lock, or of both.
type ProgramPack struct {
	Package string // the import path of its Go package; "" if it is unknown
	Name    string
	Linked  *LinkedPack    // nil if the program does not have it
	Lock    string         // the packs.lock that has it; "" if none has
	Locked  lockfile.Entry // the entry there
	Err     error          // a *LinkError if the bytes, or what is locked, are something else
}

// Reference returns the reference of a pack, or "file:" and a path: as its marker has it, or else
// packs.lock.
func (p ProgramPack) Reference() string {
	if p.Linked != nil {
		return p.Linked.Ref
	}
	return markerRef(p.Locked)
}

// openProgram opens a program. The caller must close it. If there is no file, the error is an
// *InputError.
func openProgram(path string) (*program.File, error) {
	f, err := program.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &InputError{File: path, Err: err}
	}
	return f, aboutProgram(path, err)
}

// aboutProgram names a program in an error that does not do so itself.
func aboutProgram(path string, err error) error {
	if errors.As(err, new(*fs.PathError)) || errors.As(err, new(*regularfile.PlaceError)) {
		return err
	}
	return about(path, err)
}

// linkedPacks returns the packs that a program names.
func linkedPacks(ctx context.Context, path string, f *program.File) ([]LinkedPack, int, error) {
	packs, malformed, err := f.Packs(ctx)
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	} else {
		err = aboutProgram(path, err)
	}
	return packs, malformed, err
}

// readProgram returns the packs of a program, which it compares with locks.
func readProgram(ctx context.Context, path string, f *program.File, locks []namedLock) (*Program, error) {
	packs, malformed, err := linkedPacks(ctx, path, f)
	if err != nil {
		return nil, err
	}
	p := &Program{
		Path: path, Format: string(f.Format), Architectures: f.Architectures(),
		HasMarkers: len(packs) > 0, MalformedMarkers: malformed,
	}
	p.Build, p.NoBuild = f.BuildInfo()
	for _, lock := range locks {
		p.Locks = append(p.Locks, lock.file)
	}
	p.Packs = matchLocks(path, packs, locks)
	return p, nil
}

// inspectProgram returns the packs of a program, compared with the given locks, or else with that
// of the project at hand.
func (o Options) inspectProgram(ctx context.Context, path string, f *program.File, files []string) (*Program, error) {
	var projects []string
	if len(files) == 0 && hasFile(o.file()) {
		projects = []string{o.file()}
	}
	locks, uncompared := o.readLocks(ctx, projects, files)
	if uncompared != nil && (len(files) > 0 || ctx.Err() != nil) {
		return nil, uncompared
	}
	p, err := readProgram(ctx, path, f, locks)
	if err != nil {
		return nil, err
	}
	p.Uncompared = uncompared
	return p, nil
}
