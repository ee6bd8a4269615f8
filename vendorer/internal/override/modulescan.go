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
	local  string // what it is called there; "" in assembly
	symbol string // "" if that is left to the compiler
}

// A Scan looks through the Go and assembly files of a module for symbols that
// they name, while other things are done: most files name none, so what it takes
// is to open and read them all.
type Scan struct {
	module string // its root
	cancel context.CancelFunc
	group  errgroup.Group

	mu   sync.Mutex
	uses []symbolUse
	long []string // files that are too large to be read
	mods []string // the go.mod of other modules in it
}

// StartScan begins to scan. The caller must call stop.
func StartScan(ctx context.Context, module string) *Scan {
	s := &Scan{module: module}
	ctx, s.cancel = context.WithCancel(ctx)
	s.group.SetLimit(max(1, runtime.GOMAXPROCS(0)/2)) // the rest is for the Go toolchain
	s.group.Go(func() error { return s.scan(ctx, module, &sourceReader{}) })
	return s
}

// wait returns what was found, in order, once all is read. The error is a
// *LongFileError: no part of a file is taken for the whole.
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

// Stop ends the scan, wherever it is.
func (s *Scan) Stop() {
	s.cancel()
	s.group.Wait()
}

// scan looks through a directory and what is below. What cannot be read is passed
// over: the go command, of the same user, cannot read it either.
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

// isScanned tells whether packages of the module can be in the directory name of dir, or
// below. What only "./..." passes over, such as testdata, can be imported by its path,
// and so can a vendor folder, but nothing in it. No commit leads into .git. Another
// module begins where the go command sees a go.mod: a link that leads to no file is none.
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
	isGo := strings.HasSuffix(name, ".go") && !strings.HasSuffix(name, "_test.go") // which is in no program
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

// isAssembly tells whether a file is assembly, by its name as go/build has it.
func isAssembly(name string) bool {
	switch filepath.Ext(name) {
	case ".s", ".S", ".sx":
		return true
	}
	return false
}

// A sourceReader reads files into one buffer. Its zero value is ready.
type sourceReader struct{ buffer []byte }

// read returns what is in a file, until the next call; nothing if it cannot be read, or
// need not be for what its first bytes are. Errors are regularfile.Read's.
func (r *sourceReader) read(name string, enough func(head []byte) bool) ([]byte, error) {
	if r.buffer == nil {
		r.buffer = make([]byte, 256<<10)
	}
	if n, ok := readFile(name, r.buffer, enough); ok {
		return r.buffer[:n], nil
	}
	return regularfile.Read(nil, name, project.MaxSource)
}
