package vendorer

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/greenticai/packvendor/internal/evidence"
	"github.com/greenticai/packvendor/internal/layout"
	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/regularfile"
	"github.com/greenticai/packvendor/lockfile"
	"github.com/greenticai/packvendor/packsfile"
	"github.com/greenticai/packvendor/vendorer/internal/project"
)

// A since is what the receiver of a bundle has already: nothing, the packs of a packs.lock, or
// an earlier bundle.
type since struct {
	lock   *lockfile.Lock
	bundle *layout.Layout
}

// openSince opens a packs.lock or a bundle; "" is nothing.
func openSince(path string) (*since, error) {
	if path == "" {
		return &since{}, nil
	}
	info, err := os.Stat(path)
	if err == nil && (info.IsDir() || IsArchive(path)) {
		bundle, err := openBundle(path)
		return &since{bundle: bundle}, err
	}
	lock, err := readLock(path, "packs.lock or a bundle")
	return &since{lock: lock}, err
}

// openBundle opens a bundle. Errors: *InputError, *BundleError, *PlaceError.
func openBundle(path string) (*layout.Layout, error) {
	l, err := layout.Open(path)
	var at *fs.PathError
	if errors.As(err, &at) {
		return nil, &InputError{File: path, Err: at}
	}
	return l, err
}

// readLock reads a packs.lock of no project. wanted says what the file may be.
func readLock(path, wanted string) (*lockfile.Lock, error) {
	data, err := regularfile.Read(nil, path, lockfile.MaxSize)
	if err != nil {
		return nil, &InputError{File: path, Err: err}
	}
	return parseLock(path, data, wanted)
}

// parseLock is lockfile.Parse for a file of no project. wanted says what the file may be, for the
// *InputError about packs.toml.
func parseLock(path string, data []byte, wanted string) (*lockfile.Lock, error) {
	lock, err := lockfile.Parse(path, data)
	if err != nil && isTOML(path, data) {
		return nil, &InputError{File: path, Err: fmt.Errorf("it is packs.toml, not %s", wanted)}
	}
	return lock, err
}

// missingLock is the error of a project without packs.lock, where a command reads nothing else.
func missingLock(p *project.Project) *InputError {
	return &InputError{File: p.Show(p.LockFile), Err: fs.ErrNotExist}
}

// isTOML reports whether a file that is no packs.lock is packs.toml, by its name or because it
// names packs as packs.toml does.
func isTOML(path string, data []byte) bool {
	if filepath.Base(path) == tomlName {
		return true
	}
	config, _ := packsfile.Parse(path, data)
	return config != nil && len(config.Packs) > 0
}

// An InputError reports a packs.lock, a bundle or an SBOM, named by the user, that cannot be
// read.
type InputError struct {
	File string
	Err  error
}

func (e *InputError) Error() string {
	cause := e.Err
	var at *fs.PathError
	if errors.As(cause, &at) {
		cause = at.Err
	}
	return fmt.Sprintf("cannot read %s: %v", e.File, cause)
}

func (e *InputError) Unwrap() error { return e.Err }

// A BundleError reports a file or a folder that is no bundle, or one that is not safe to read.
type BundleError = layout.FormatError

func (s *since) close() {
	if s.bundle != nil {
		s.bundle.Close()
	}
}

// locks reports whether the packs.lock has a pack with the same manifests and evidence.
func (s *since) locks(entry lockfile.Entry) bool {
	if s.lock == nil {
		return false
	}
	for _, e := range s.lock.Entries {
		isSame := e.ManifestDigest == entry.ManifestDigest && e.IndexDigest == entry.IndexDigest
		if isSame && (entry.Evidence == "" || e.Name == entry.Name && e.Evidence == entry.Evidence) {
			return true
		}
	}
	return false
}

// manifest returns a manifest of the bundle; nil if it does not have it.
func (s *since) manifest(digest ociref.Digest) []byte {
	if s.bundle == nil {
		return nil
	}
	body, err := s.bundle.Manifest(digest)
	if err != nil {
		return nil
	}
	return body
}

// has reports whether the bundle has all of a pack: its manifests, its blobs by digest and size,
// and its evidence.
func (s *since) has(t *exportTask) bool {
	if s.bundle == nil {
		return false
	}
	for _, m := range t.artifact.Manifests {
		if s.manifest(m.Digest) == nil {
			return false
		}
	}
	for _, b := range t.artifact.Blobs {
		if !s.bundle.HasContent(b.Content) {
			return false
		}
	}
	if t.entry.Evidence == "" {
		return true
	}
	data, err := s.bundle.File(evidenceName(t.entry.Name), evidence.MaxFile+2)
	return err == nil && evidence.Digest(data) == t.entry.Evidence
}
