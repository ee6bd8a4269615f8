package vendorer

import (
	"os"

	"github.com/greenticai/packvendor/internal/atomicfile"
)

// A staging is a pack's file that is made when its first bytes come: what the
// registry has no manifest for leaves no trace in the project, not even for a
// moment.
type staging struct {
	root    *os.Root
	name    string
	makeDir func() error     // makes the directory, for whoever comes first
	file    *atomicfile.File // nil until there are bytes
}

func (s *staging) open() error {
	if s.file != nil {
		return nil
	}
	if err := s.makeDir(); err != nil {
		return err
	}
	var err error
	s.file, err = atomicfile.Create(s.root, s.name)
	return err
}

func (s *staging) Write(p []byte) (int, error) {
	if err := s.open(); err != nil {
		return 0, err
	}
	return s.file.Write(p)
}

// Reset forgets all bytes written so far.
func (s *staging) Reset() error {
	if s.file == nil {
		return nil
	}
	return s.file.Reset()
}

func (s *staging) discard() {
	if s.file != nil {
		s.file.Discard()
	}
}
