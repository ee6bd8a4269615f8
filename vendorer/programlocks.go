package vendorer

import (
	"context"
	"path/filepath"

	"github.com/greenticai/packvendor/lockfile"
	"github.com/greenticai/packvendor/vendorer/internal/project"
)

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
	if p.LockBytes == nil {
		return namedLock{}, missingLock(p)
	}
	return namedLock{Lock: p.Lock, file: p.Show(p.LockFile), importPath: p.ImportPath()}, nil
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
