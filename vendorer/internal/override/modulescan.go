package override

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/greenticai/packvendor/embedgen"
	"github.com/greenticai/packvendor/internal/regularfile"
	"github.com/greenticai/packvendor/vendorer/internal/project"
)

// A symbolUse is a place in a source file that names a symbol of the linker.
type symbolUse struct {
	file   string // absolute
	line   int
	local  string // its local name; "" in assembly
	symbol string // "" if the compiler chooses it
}

// A Scan looks for linker symbols in the Go and assembly files of a module, in the
// background: most files name none, but all must be opened and read.
type Scan struct {
	module string // its root
	cancel context.CancelFunc
	group  errgroup.Group

	mu   sync.Mutex
	uses []symbolUse
	long []string // files that are too large to read
	mods []string // the go.mod files of modules below
}

// StartScan begins to scan. The caller must call Stop.
func StartScan(ctx context.Context, module string) *Scan {
	s := &Scan{module: module}
	ctx, s.cancel = context.WithCancel(ctx)
	s.group.SetLimit(max(1, runtime.GOMAXPROCS(0)/2)) // the Go toolchain needs the rest
	s.group.Go(func() error { return s.scan(ctx, module, &sourceReader{}) })
	return s
}

// wait returns the uses, in order, when all files are read. The error is a
// *LongFileError: a part of a file does not do for the whole.
func (s *Scan) wait() ([]symbolUse, error) {
	s.group.Wait()
	if len(s.long) > 0 {
		return nil, &project.LongFileError{File: slices.Min(s.long), Limit: project.MaxSource}
	}
	slices.SortFunc(s.uses, func(a, b symbolUse) int {
		return cmp.Or(strings.Compare(a.file, b.file), cmp.Compare(a.line, b.line))
	})
	return s.uses, nil
}

// Stop ends the scan.
func (s *Scan) Stop() {
	s.cancel()
	s.group.Wait()
}

// scan looks through a directory and all below. It skips unreadable files: the go
// command, run by the same user, cannot read them either.
func (s *Scan) scan(ctx context.Context, dir string, reader *sourceReader) error {
	entries := readDir(dir)
	for _, entry := range entries {
		if err := ctx.Err(); err != nil {
			return err
		}
		name := dir + string(filepath.Separator) + entry.Name()
		switch {
		case !entry.IsDir() && entry.Name()[0] != '_' && entry.Name()[0] != '.':
			s.look(name, entry.Type(), reader)
		case entry.IsDir() && s.isScanned(dir, entry.Name()):
			below := func() error { return s.scan(ctx, name, &sourceReader{}) }
			if s.group.TryGo(below) {
				continue
			}
			if err := s.scan(ctx, name, reader); err != nil {
				return err
			}
		}
	}
	return nil
}

func readDir(dir string) []fs.DirEntry {
	file, err := os.Open(dir)
	if err != nil {
		return nil
	}
	defer file.Close()
	entries, _ := file.ReadDir(-1)
	return entries
}

// isScanned tells whether packages of the module can be in the directory name of dir,
// or below. Directories that only "./..." skips, such as testdata, can be imported by
// path; so can a vendor folder, but nothing in it. No commit leads into .git. A go.mod
// begins another module, as the go command sees it: a link without a target is none.
func (s *Scan) isScanned(dir, name string) bool {
	if dir != s.module && filepath.Base(dir) == "vendor" || name == ".git" {
		return false
	}
	mod := filepath.Join(dir, name, project.GoMod)
	if info, err := os.Stat(mod); err != nil || info.IsDir() {
		return true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mods = append(s.mods, mod)
	return false
}

func (s *Scan) look(name string, mode fs.FileMode, reader *sourceReader) {
	isGo := strings.HasSuffix(name, ".go") && !strings.HasSuffix(name, "_test.go") // no program contains tests
	if !isGo && !isAssembly(name) {
		return
	}
	if !mode.IsRegular() {
		if info, err := os.Stat(name); err != nil || !info.Mode().IsRegular() {
			return
		}
	}
	source, err := reader.read(name, func(head []byte) bool { return isGo && !embedgen.MayLink(head) })
	if errors.As(err, new(*project.LongFileError)) {
		s.mu.Lock()
		s.long = append(s.long, name)
		s.mu.Unlock()
		return
	}
	var uses []symbolUse
	if isGo {
		for _, l := range embedgen.Linknames(source) {
			uses = append(uses, symbolUse{file: name, line: l.Line, local: l.Local, symbol: l.Symbol})
		}
	} else {
		for _, m := range embedgen.Symbols(source) {
			uses = append(uses, symbolUse{file: name, line: m.Line, symbol: m.Name})
		}
	}
	if len(uses) > 0 {
		s.mu.Lock()
		s.uses = append(s.uses, uses...)
		s.mu.Unlock()
	}
}

// isAssembly tells whether a file is assembly, by its name as in go/build.
func isAssembly(name string) bool {
	switch filepath.Ext(name) {
	case ".s", ".S", ".sx":
		return true
	}
	return false
}

// A sourceReader reads files into one buffer. Its zero value is ready.
type sourceReader struct{ buffer []byte }

// read returns a file's bytes, valid until the next call; nothing if the file is
// unreadable, or if its first bytes are enough. Errors are regularfile.Read's.
func (r *sourceReader) read(name string, enough func(head []byte) bool) ([]byte, error) {
	if r.buffer == nil {
		r.buffer = make([]byte, 256<<10)
	}
	if n, ok := readFile(name, r.buffer, enough); ok {
		return r.buffer[:n], nil
	}
	return regularfile.Read(nil, name, project.MaxSource)
}
