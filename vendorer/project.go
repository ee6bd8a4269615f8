// Package vendorer plans and carries out the vendoring of packs into a Go
// package: plan, fetch, stage, commit.
package vendorer

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/greenticai/packvendor/embedgen"
	"github.com/greenticai/packvendor/internal/atomicfile"
	"github.com/greenticai/packvendor/lockfile"
	"github.com/greenticai/packvendor/packsfile"
)

// lockName is the lock file's name; it stands beside packs.toml.
const lockName = "packs.lock"

// maxSource bounds the files that are read besides packs.toml and packs.lock, in
// bytes.
const maxSource = 64 << 20

// A project is everything that one packs.toml governs, as it stands on disk.
// All its paths are slash-separated and below the module's root; nothing is
// written but through root, which no path leaves.
type project struct {
	root   *os.Root
	module string // the root's absolute path
	shown  string // what precedes a path below base where it is shown
	base   string // directory of packs.toml

	tomlFile, lockFile, goFile string
	dir, dataDir               string

	toml   []byte
	config *packsfile.File
	lock   *lockfile.Lock // never nil
	// lockBytes are packs.lock's with LF line ends, nil if there is none.
	lockBytes []byte

	lockedBy *projectLock
}

// open reads the project of packs.toml at file, which lock is of. With tolerant set,
// packs that only lack a pin are no error. The caller must call close.
func open(file string, lock *projectLock, tolerant bool) (*project, error) {
	p := &project{lockedBy: lock}
	if err := p.locate(file); err != nil {
		lock.unlock()
		return nil, err
	}
	if err := p.read(file, tolerant); err != nil {
		p.close()
		return nil, err
	}
	return p, nil
}

func (p *project) close() {
	p.root.Close()
	p.lockedBy.unlock()
}

// locate finds the module around packs.toml.
func (p *project) locate(file string) error {
	abs, err := filepath.Abs(file)
	if err != nil {
		return err
	}
	dir := filepath.Dir(abs)
	module, err := moduleRoot(dir)
	if err != nil {
		return err
	}
	below, err := filepath.Rel(module, dir)
	if err != nil {
		return err
	}
	p.module, p.base, p.shown = module, filepath.ToSlash(below), filepath.Dir(file)
	p.tomlFile = path.Join(p.base, filepath.Base(abs))
	p.lockFile = path.Join(p.base, lockName)
	p.root, err = os.OpenRoot(module)
	return err
}

// moduleRoot returns the nearest directory, dir or above it, with a go.mod.
func moduleRoot(dir string) (string, error) {
	for at := dir; ; at = filepath.Dir(at) {
		if info, err := os.Stat(filepath.Join(at, goMod)); err == nil && !info.IsDir() {
			return at, nil
		}
		if at == filepath.Dir(at) {
			return "", &NoModuleError{Dir: dir}
		}
	}
}

func (p *project) read(file string, tolerant bool) error {
	if err := p.checkDirs(p.base); err != nil {
		return err
	}
	if err := p.checkFile(p.tomlFile); err != nil {
		return err
	}
	data, err := p.readFile(p.tomlFile, packsfile.MaxSize)
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
	p.toml = data
	if err := p.configure(config); err != nil {
		return err
	}
	return p.readLock()
}

// above returns the nearest packs.toml in a directory above, as a path below the
// root; "" if there is none in the module.
func (p *project) above() string {
	for dir := p.base; dir != "."; {
		dir = path.Dir(dir)
		name := path.Join(dir, path.Base(p.tomlFile))
		if info, err := p.root.Lstat(name); err == nil && info.Mode().IsRegular() {
			return name
		}
	}
	return ""
}

// configure takes the places that config names and checks them.
func (p *project) configure(config *packsfile.File) error {
	p.config = config
	p.dir = path.Join(p.base, config.Embed.Dir)
	p.dataDir = path.Join(p.dir, config.Embed.Data)
	p.goFile = path.Join(p.dir, config.Embed.File)
	return p.checkPlaces()
}

func (p *project) readLock() error {
	p.lock = &lockfile.Lock{}
	data, err := p.readFile(p.lockFile, lockfile.MaxSize)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	p.lockBytes = withoutCR(data)
	p.lock, err = lockfile.Parse(p.show(p.lockFile), data)
	var fault *lockfile.Error
	if errors.As(err, &fault) && fault.Conflict {
		return &ConflictError{File: fault.File, Merging: isMerging(filepath.Join(p.module, filepath.FromSlash(p.base))), Err: err}
	}
	return err
}

// readFile reads a file below the root. One of more than limit bytes is a
// *LongFileError. It waits for no FIFO's writer.
func (p *project) readFile(name string, limit int64) (data []byte, err error) {
	err = p.openFile(name, func(file *os.File, size int64) (err error) {
		data, err = readWhole(p.show(name), file, size, limit)
		return err
	})
	return data, err
}

// readHead reads the first n bytes of a file below the root.
func (p *project) readHead(name string, n int64) (data []byte, err error) {
	err = p.openFile(name, func(file *os.File, _ int64) (err error) {
		data, err = io.ReadAll(io.LimitReader(file, n))
		return err
	})
	return data, err
}

// openFile has use read a regular file below the root.
func (p *project) openFile(name string, use func(file *os.File, size int64) error) error {
	var size int64
	if info, err := p.root.Stat(name); err == nil && !info.Mode().IsRegular() {
		return &PlaceError{Path: p.show(name), Reason: "is not a regular file"}
	} else if err == nil {
		size = info.Size()
	}
	file, err := p.root.Open(name)
	if err != nil {
		return p.located(name, err)
	}
	defer file.Close()
	return p.located(name, use(file, size))
}

// readWhole reads r, which is the file name, to its end, or refuses it: no part of a
// file is taken for the whole. size is how large it seems to be.
func readWhole(name string, r io.Reader, size, limit int64) ([]byte, error) {
	var data bytes.Buffer
	data.Grow(int(min(size, limit)) + bytes.MinRead) // what ReadFrom wants
	n, err := data.ReadFrom(io.LimitReader(r, limit+1))
	switch {
	case err != nil:
		return nil, err
	case n > limit:
		return nil, &LongFileError{File: name, Limit: limit}
	}
	return data.Bytes(), nil
}

// located says in the user's words which path an error of root's is about.
func (p *project) located(name string, err error) error {
	var pathErr *fs.PathError
	if errors.As(err, &pathErr) {
		op, at := strings.CutSuffix(pathErr.Op, "at") // a Root's "mkdirat" is mkdir
		if !at || op == "st" || op == "lst" {
			op = pathErr.Op
		}
		return &fs.PathError{Op: op, Path: p.show(name), Err: pathErr.Err}
	}
	return err
}

// show returns a path below the root as the user would write it, from where
// packs.toml was named.
func (p *project) show(name string) string {
	below, err := filepath.Rel(filepath.FromSlash(p.base), filepath.FromSlash(name))
	if err != nil {
		return filepath.Join(p.module, filepath.FromSlash(name))
	}
	return visible(filepath.Join(p.shown, below))
}

// visible is a path in one line: a control character of a folder's name is shown as in
// Go, for it could begin a line that looks like one of packvendor's own.
func visible(name string) string {
	if !strings.ContainsFunc(name, unicode.IsControl) {
		return name
	}
	quoted := strconv.QuoteToASCII(name)
	return quoted[1 : len(quoted)-1]
}

// packFile returns where a pack of that name is vendored.
func (p *project) packFile(name string) string {
	return path.Join(p.dataDir, embedgen.FileName(name))
}

// sweep removes what killed runs left where files are staged, unless they may
// be a living run's.
func (p *project) sweep() {
	if !p.lockedBy.held {
		return
	}
	for _, dir := range []string{p.base, p.dir, p.dataDir} {
		atomicfile.Sweep(p.root, dir)
	}
}

// checkPlaces sees that what will be written stays in the module, passes
// through no symbolic link, and replaces nothing that is not packvendor's.
func (p *project) checkPlaces() error {
	for _, name := range []string{p.dataDir, p.goFile} {
		if name == ".." || strings.HasPrefix(name, "../") {
			return &PlaceError{Path: p.show(name), Reason: "is outside the module " + p.module}
		}
	}
	if err := p.checkDirs(p.dataDir); err != nil {
		return err
	}
	for _, name := range []string{p.goFile, p.lockFile} {
		if err := p.checkFile(name); err != nil {
			return err
		}
	}
	own := []string{p.tomlFile, p.lockFile, p.goFile}
	if slices.Contains(own, p.dataDir) {
		return &PlaceError{Path: p.show(p.dataDir), Reason: "is packvendor's own file, and the place of the packs"}
	}
	for _, pack := range p.config.Packs {
		name := p.packFile(pack.Name)
		if slices.Contains(own, name) {
			return &PlaceError{Path: p.show(name), Reason: "is packvendor's own file, and the place of packs." + pack.Name}
		}
		if err := p.checkFile(name); err != nil {
			return err
		}
	}
	return p.checkGenerated()
}

// checkDirs looks at every directory from the root down to dir, as far as
// they exist.
func (p *project) checkDirs(dir string) error {
	at := "."
	for part := range strings.SplitSeq(dir, "/") {
		at = path.Join(at, part)
		info, err := p.root.Lstat(at)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return p.located(at, err)
		}
		if err := p.checkDir(at, info); err != nil {
			return err
		}
	}
	return nil
}

func (p *project) checkDir(dir string, info fs.FileInfo) error {
	if info.Mode()&fs.ModeSymlink != 0 {
		return &PlaceError{Path: p.show(dir), Reason: "is a symbolic link"}
	}
	if !info.IsDir() {
		return &PlaceError{Path: p.show(dir), Reason: "is not a directory"}
	}
	if dir == "." || strings.HasPrefix(p.base+"/", dir+"/") {
		return nil // at or above packs.toml, whose module is the nearest
	}
	if _, err := p.root.Lstat(path.Join(dir, goMod)); err == nil {
		return &PlaceError{Path: p.show(dir), Reason: "belongs to another module"}
	}
	return nil
}

// checkFile sees that name is a regular file or nothing.
func (p *project) checkFile(name string) error {
	info, err := p.root.Lstat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return p.located(name, err)
	}
	if reason := irregular(info); reason != "" {
		return &PlaceError{Path: p.show(name), Reason: reason}
	}
	return nil
}

// irregular says what is not a regular file, and "" of one that is.
func irregular(info fs.FileInfo) string {
	switch {
	case info.Mode()&fs.ModeSymlink != 0:
		return "is a symbolic link"
	case info.IsDir():
		return "is a directory"
	case !info.Mode().IsRegular():
		return "is not a regular file"
	}
	return ""
}

// checkGenerated sees that the generated file takes no other file's place.
func (p *project) checkGenerated() error {
	source, err := p.readHead(p.goFile, int64(len(embedgen.Header)+len("\r\n")))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if !embedgen.IsGenerated(source) {
		return &PlaceError{Path: p.show(p.goFile), Reason: "was not generated by packvendor"}
	}
	return nil
}

// withoutCR returns data with LF line ends; it is data itself if it has no others.
func withoutCR(data []byte) []byte {
	if !bytes.Contains(data, []byte("\r\n")) {
		return data
	}
	return bytes.ReplaceAll(data, []byte("\r\n"), []byte("\n"))
}

// A NoProjectError reports that there is no packs.toml.
type NoProjectError struct{ File string }

func (e *NoProjectError) Error() string { return fmt.Sprintf("%s: no such file", e.File) }

// A NoModuleError reports a packs.toml outside any Go module.
type NoModuleError struct{ Dir string }

func (e *NoModuleError) Error() string {
	return e.Dir + " is in no Go module: there is no go.mod in it or above it"
}

// A LongFileError reports a file that is too large to be read.
type LongFileError struct {
	File  string
	Limit int64 // bytes
}

func (e *LongFileError) Error() string {
	return fmt.Sprintf("%s: the file is larger than %d bytes", e.File, e.Limit)
}

// A PlaceError reports that a path which packvendor would write is not its to
// write.
type PlaceError struct{ Path, Reason string }

func (e *PlaceError) Error() string { return e.Path + " " + e.Reason }
