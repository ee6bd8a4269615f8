package vendorer

import (
	"context"
	"io"
	"io/fs"
	"path/filepath"
	"runtime/debug"

	"github.com/greenticai/packvendor/internal/marker"
	"github.com/greenticai/packvendor/internal/program"
	"github.com/greenticai/packvendor/lockfile"
	"github.com/greenticai/packvendor/vendorer/internal/project"
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
}

type (
	// A LinkedPack is a pack that a program names by a marker.
	LinkedPack = program.Pack
	// A Marker is what a program says of a pack.
	Marker = marker.Marker
	// A BytesState says whether the bytes that a marker names are in the program.
	BytesState = program.State
	// A FormatError says why a file cannot be read as a program.
	FormatError = program.FormatError
	// A MarkerLimitError reports a program with more markers than are read.
	MarkerLimitError = program.LimitError
	// A MarkerVersionError reports a marker that a newer packvendor wrote.
	MarkerVersionError = program.VersionError
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

// openProgram returns the packs of a program, which it compares with locks.
func openProgram(ctx context.Context, path string, file io.ReaderAt, size int64, locks []namedLock) (*Program, error) {
	f, err := program.New(file, size)
	if err != nil {
		return nil, about(path, err)
	}
	packs, _, err := f.Packs(ctx)
	if err != nil {
		return nil, about(path, err)
	}
	p := &Program{Path: path, Format: string(f.Format), Architectures: f.Architectures(), HasMarkers: len(packs) > 0}
	p.Build, p.NoBuild = f.BuildInfo()
	for _, lock := range locks {
		p.Locks = append(p.Locks, lock.file)
	}
	p.Packs = matchLocks(path, packs, locks)
	return p, nil
}

// A namedLock is a packs.lock with which a program is compared.
type namedLock struct {
	*lockfile.Lock
	file string // as the user names it
	// importPath is that of the package that embeds its packs; "" if it is unknown, and then the
	// packs may be of any package.
	importPath string
}

// lockOfProject reads the packs.lock of a project.
func (o Options) lockOfProject(ctx context.Context) (namedLock, error) {
	mutex, err := o.rlock(ctx)
	if err != nil {
		return namedLock{}, err
	}
	p, err := project.Open(o.file(), mutex, true)
	if err != nil {
		return namedLock{}, err
	}
	defer p.Close()
	shown := p.Show(p.LockFile)
	if p.LockBytes == nil {
		return namedLock{}, &InputError{File: shown, Err: fs.ErrNotExist}
	}
	return namedLock{Lock: p.Lock, file: shown, importPath: p.ImportPath()}, nil
}

// lockOfFile reads any packs.lock. If it is that of a project, the import path is known.
func (o Options) lockOfFile(ctx context.Context, file string) (namedLock, error) {
	toml := filepath.Join(filepath.Dir(file), tomlName)
	if filepath.Base(file) == project.LockName && hasFile(toml) && hasFile(file) {
		o.File = toml
		return o.lockOfProject(ctx)
	}
	lock, err := readLock(file, project.LockName)
	return namedLock{Lock: lock, file: file}, err
}

// readLocks reads the packs.lock of each project, and others.
func (o Options) readLocks(ctx context.Context, projects, files []string) ([]namedLock, error) {
	var locks []namedLock
	seen := map[string]bool{}
	add := func(lock namedLock, err error) error {
		if err != nil {
			return err
		}
		abs, err := filepath.Abs(lock.file)
		if err == nil && !seen[abs] {
			seen[abs] = true
			locks = append(locks, lock)
		}
		return err
	}
	for _, file := range projects {
		o.File = file
		if err := add(o.lockOfProject(ctx)); err != nil {
			return nil, err
		}
	}
	for _, file := range files {
		if err := add(o.lockOfFile(ctx, file)); err != nil {
			return nil, err
		}
	}
	return locks, nil
}

// inspectProgram returns the packs of a program, compared with the given locks, or else with that
// of the project at hand.
func (o Options) inspectProgram(ctx context.Context, path string, file io.ReaderAt, size int64, files []string) (*Program, error) {
	var projects []string
	if len(files) == 0 && hasFile(o.file()) {
		projects = []string{o.file()}
	}
	locks, uncompared := o.readLocks(ctx, projects, files)
	if uncompared != nil && (len(files) > 0 || ctx.Err() != nil) {
		return nil, uncompared
	}
	p, err := openProgram(ctx, path, file, size, locks)
	if err != nil {
		return nil, err
	}
	p.Uncompared = uncompared
	return p, nil
}
