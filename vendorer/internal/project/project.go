// Package project reads and changes the files of one packs.toml's project.
package project

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"unicode"

	"github.com/greenticai/packvendor/embedgen"
	"github.com/greenticai/packvendor/internal/atomicfile"
	"github.com/greenticai/packvendor/internal/evidence"
	"github.com/greenticai/packvendor/internal/names"
	"github.com/greenticai/packvendor/internal/regularfile"
	"github.com/greenticai/packvendor/lockfile"
	"github.com/greenticai/packvendor/packsfile"
	"github.com/greenticai/packvendor/vendorer/internal/git"
)

// LockName is the lock file's name; the file is beside packs.toml.
const LockName = "packs.lock"

// GoMod is the name of a module's file.
const GoMod = "go.mod"

// MaxSource bounds any file but packs.toml and packs.lock, in bytes.
const MaxSource = 64 << 20

// A Project holds the files of one packs.toml. All its paths are slash-separated and
// below the module's root; it writes only through Root, which no path leaves.
type Project struct {
	Root   *os.Root
	Module string // the root's absolute path
	// ModulePath is the module's path; "" if go.mod does not name it. Open sets it.
	ModulePath string
	shown      string // the prefix of a shown path below Base
	Base       string // directory of packs.toml

	TOMLFile, LockFile string
	GoFile, StubFile   string // StubFile is for [embed] stub
	Dir, DataDir       string

	TOML   []byte
	Config *packsfile.File
	Lock   *lockfile.Lock // never nil
	// LockBytes are packs.lock's with LF line ends, nil if there is none.
	LockBytes []byte

	mutex *Mutex
}

// Open reads the project of packs.toml at file; lock is its lock. With tolerant set, a
// pack without a pin is no error. The caller must call Close.
func Open(file string, lock *Mutex, tolerant bool) (*Project, error) {
	p, err := At(file, lock)
	if err != nil {
		return nil, err
	}
	err = p.Read(file, tolerant)
	if err == nil {
		err = p.readGoMod()
	}
	if err != nil {
		p.Close()
		return nil, err
	}
	return p, nil
}

// At returns the project of packs.toml at file without reading it; the file may be
// missing. The caller must call Close.
func At(file string, lock *Mutex) (*Project, error) {
	p := &Project{mutex: lock}
	if err := p.locate(file); err != nil {
		lock.unlock()
		return nil, err
	}
	return p, nil
}

// From returns the project with the root dir, which is the module's or a directory above
// it. Its paths are below dir; only that of packs.toml is set. The caller must close the
// Root, not the project: the lock is p's.
func (p *Project) From(dir string) (*Project, error) {
	below, err := filepath.Rel(dir, p.Module)
	if err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	below = filepath.ToSlash(below)
	base := path.Join(below, p.Base)
	return &Project{Root: root, Module: dir, shown: p.shown, Base: base, TOMLFile: path.Join(base, path.Base(p.TOMLFile))}, nil
}

func (p *Project) Close() {
	p.Root.Close()
	p.mutex.unlock()
}

// Unlock unlocks the project before Close: the caller may no longer depend on its
// files.
func (p *Project) Unlock() { p.mutex.unlock() }

// locate finds the module around packs.toml.
func (p *Project) locate(file string) error {
	abs, err := filepath.Abs(file)
	if err != nil {
		return err
	}
	dir := filepath.Dir(abs)
	module, err := ModuleRoot(dir)
	if err != nil {
		return err
	}
	below, err := filepath.Rel(module, dir)
	if err != nil {
		return err
	}
	p.Module, p.Base, p.shown = module, filepath.ToSlash(below), filepath.Dir(file)
	p.TOMLFile = path.Join(p.Base, filepath.Base(abs))
	p.LockFile = path.Join(p.Base, LockName)
	p.Root, err = os.OpenRoot(module)
	return err
}

// ModuleRoot returns the nearest directory, dir or above it, with a go.mod.
func ModuleRoot(dir string) (string, error) {
	for at := dir; ; at = filepath.Dir(at) {
		if info, err := os.Stat(filepath.Join(at, GoMod)); err == nil && !info.IsDir() {
			return at, nil
		}
		if at == filepath.Dir(at) {
			return "", noModule(dir)
		}
	}
}

// Read reads packs.toml at file and packs.lock. With tolerant set, a pack without a pin
// is no error.
func (p *Project) Read(file string, tolerant bool) error {
	if err := p.ReadConfig(file, tolerant); err != nil {
		return err
	}
	return p.ReadLock()
}

// ReadConfig is the part of Read that is about packs.toml.
func (p *Project) ReadConfig(file string, tolerant bool) error {
	if err := p.CheckDirs(p.Base); err != nil {
		return err
	}
	if err := p.CheckFile(p.TOMLFile); err != nil {
		return err
	}
	data, err := p.ReadFile(p.TOMLFile, packsfile.MaxSize)
	if errors.Is(err, fs.ErrNotExist) {
		return &NoProjectError{File: file}
	}
	if err != nil {
		return err
	}
	config, err := packsfile.Parse(file, data)
	var errs packsfile.Errors
	if err != nil && !(tolerant && errors.As(err, &errs) && errs.OnlyUnpinned()) {
		return err
	}
	p.TOML = data
	return p.Configure(config)
}

// Above returns the nearest packs.toml in a directory above, as a path below the root;
// "" if the module has none.
func (p *Project) Above() string {
	for dir := p.Base; dir != "."; {
		dir = path.Dir(dir)
		name := path.Join(dir, path.Base(p.TOMLFile))
		if info, err := p.Root.Lstat(name); err == nil && info.Mode().IsRegular() {
			return name
		}
	}
	return ""
}

// Configure sets the paths that config names and checks them.
func (p *Project) Configure(config *packsfile.File) error {
	p.Config = config
	p.Dir = path.Join(p.Base, config.Embed.Dir)
	p.DataDir = path.Join(p.Dir, config.Embed.Data)
	p.GoFile = path.Join(p.Dir, config.Embed.File)
	p.StubFile = path.Join(p.Dir, names.Stub(config.Embed.File))
	return p.checkPlaces()
}

// ReadLock is the part of Read that is about packs.lock.
func (p *Project) ReadLock() error {
	p.Lock = &lockfile.Lock{}
	data, err := p.ReadFile(p.LockFile, lockfile.MaxSize)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	p.LockBytes = WithoutCR(data)
	p.Lock, err = lockfile.Parse(p.Show(p.LockFile), data)
	var fault *lockfile.Error
	if errors.As(err, &fault) && fault.Conflict {
		merging := git.IsMerging(filepath.Join(p.Module, filepath.FromSlash(p.Base)))
		return &ConflictError{File: fault.File, Merging: merging && !fault.Merged, Err: err}
	}
	return err
}

// ReadFile reads a file below the root. A file over limit bytes is a *LongFileError.
func (p *Project) ReadFile(name string, limit int64) ([]byte, error) {
	data, err := regularfile.Read(p.Root, name, limit)
	return data, p.located(name, err)
}

// readHead reads the first n bytes of a file below the root.
func (p *Project) readHead(name string, n int64) ([]byte, error) {
	file, _, err := regularfile.Open(p.Root, name)
	if err != nil {
		return nil, p.located(name, err)
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, n))
	return data, p.located(name, err)
}

// located puts the shown path into an error about a file below the root.
func (p *Project) located(name string, err error) error {
	var pathErr *fs.PathError
	var place *PlaceError
	var long *LongFileError
	switch {
	case errors.As(err, &place):
		return &PlaceError{Path: p.Show(name), Reason: place.Reason}
	case errors.As(err, &long):
		return &LongFileError{File: p.Show(name), Limit: long.Limit}
	case errors.As(err, &pathErr):
		op, at := strings.CutSuffix(pathErr.Op, "at") // a Root's "mkdirat" is mkdir
		if !at || op == "st" || op == "lst" {
			op = pathErr.Op
		}
		return &fs.PathError{Op: op, Path: p.Show(name), Err: pathErr.Err}
	}
	return err
}

// Show returns a path below the root as the user would write it, relative to the named
// packs.toml.
func (p *Project) Show(name string) string {
	below, err := filepath.Rel(filepath.FromSlash(p.Base), filepath.FromSlash(name))
	if err != nil {
		return filepath.Join(p.Module, filepath.FromSlash(name))
	}
	return visible(filepath.Join(p.shown, below))
}

// visible keeps a path in one line: it escapes control characters as in Go, since they
// could begin a line that looks like packvendor's own.
func visible(name string) string {
	if !strings.ContainsFunc(name, unicode.IsControl) {
		return name
	}
	quoted := strconv.QuoteToASCII(name)
	return quoted[1 : len(quoted)-1]
}

// PackFile returns the path of the vendored pack name.
func (p *Project) PackFile(name string) string {
	return path.Join(p.DataDir, embedgen.FileName(name))
}

// EvidenceFile returns the path of the evidence of the pack name.
func (p *Project) EvidenceFile(name string) string { return path.Join(p.DataDir, name+".evidence") }

// keysDir is the folder of public keys, beside packs.toml.
const keysDir = "keys"

// KeyName is how packs.toml names the file that packvendor writes for the key of a signer.
func KeyName(signer string) string { return path.Join(keysDir, signer+".pub") }

// KeyFile returns the path of the file that packvendor writes for the key of a signer.
func (p *Project) KeyFile(signer string) string { return path.Join(p.Base, KeyName(signer)) }

// ReadEvidence reads the evidence of the pack name. It refuses links.
func (p *Project) ReadEvidence(name string) ([]byte, error) {
	file := p.EvidenceFile(name)
	if err := p.CheckFile(file); err != nil {
		return nil, err
	}
	data, err := regularfile.ReadSeen(p.Root, file, evidence.MaxFile+2) // CRLF
	return data, p.located(file, err)
}

// CreatePack begins to write the pack name.
func (p *Project) CreatePack(name string) (*atomicfile.File, error) {
	return atomicfile.Create(p.Root, p.PackFile(name))
}

// Sweep removes the temporary files of killed runs, unless a live run may own them.
func (p *Project) Sweep() {
	if !p.mutex.isHeld() {
		return
	}
	for _, dir := range []string{p.Base, p.Dir, p.DataDir} {
		atomicfile.Sweep(p.Root, dir)
	}
}

// WithoutCR returns data with LF line ends; it returns data itself if it has no others.
func WithoutCR(data []byte) []byte {
	if !bytes.Contains(data, []byte("\r\n")) {
		return data
	}
	return bytes.ReplaceAll(data, []byte("\r\n"), []byte("\n"))
}
