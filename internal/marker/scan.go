package marker

import (
	"bytes"
	"io"
)

// Scan calls found for every marker in r, of any version, in their order: at is the position
// of its first byte, and text is for Parse. It ends with the first error of r or found. It
// keeps at most two times MaxSize in memory, and looks at each byte a bounded number of times.
func Scan(r io.Reader, found func(at int64, text string) error) error {
	s := scanner{start: Start(), found: found, buf: make([]byte, 0, 2*MaxSize)}
	for {
		n, err := io.ReadFull(r, s.buf[len(s.buf):cap(s.buf)])
		s.buf = s.buf[:len(s.buf)+n]
		if err := s.scan(err != nil); err != nil {
			return err
		}
		if err == io.EOF || err == io.ErrUnexpectedEOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

type scanner struct {
	start []byte
	found func(at int64, text string) error
	buf   []byte // what is still to be looked at
	at    int64  // the position of buf
}

// scan looks at buf, and keeps of it what may be the beginning of a marker; nothing follows
// if last is set.
func (s *scanner) scan(last bool) error {
	rest := s.buf
	for {
		i := bytes.Index(rest, s.start)
		if i < 0 {
			rest = rest[max(0, len(rest)-len(s.start)+1):]
			break
		}
		rest = rest[i:]
		end := len(s.start) + lineLength(rest[len(s.start):min(len(rest), MaxSize)])
		if end == len(rest) && end < MaxSize && !last {
			break
		}
		if end == len(rest) || end == MaxSize || rest[end] != etx {
			rest = rest[len(s.start):]
			continue
		}
		if err := s.found(s.at+int64(len(s.buf)-len(rest)), string(rest[:end+1])); err != nil {
			return err
		}
		rest = rest[end+1:]
	}
	s.at += int64(len(s.buf) - len(rest))
	s.buf = s.buf[:copy(s.buf[:cap(s.buf)], rest)]
	return nil
}
