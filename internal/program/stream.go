package program

import (
	"context"
	"io"
)

// A stream reads the bytes of a space in their order, and passes over long gaps. It fails with
// the cause once ctx has ended.
type stream struct {
	ctx   context.Context
	space addressSpace
	at    int64 // of the next byte
}

func (s *stream) Read(p []byte) (int, error) {
	if s.ctx.Err() != nil {
		return 0, context.Cause(s.ctx)
	}
	s.at = s.space.NextData(s.at)
	n, err := s.space.ReadAt(p, s.at)
	s.at += int64(n)
	if n > 0 && err == io.EOF {
		err = nil
	}
	return n, err
}

// chunkSize is how much eachChunk reads at once.
const chunkSize = 256 << 10

// eachChunk calls do with all bytes of a space, in their order, and with the position of the
// first one. Of each chunk the last overlap bytes come again, so that nothing of that length
// and one byte more is cut.
func eachChunk(ctx context.Context, space addressSpace, overlap int, do func(at int64, chunk []byte) error) error {
	buf := make([]byte, chunkSize+overlap)
	s := &stream{ctx: ctx, space: space}
	kept := 0
	for {
		before := s.at
		n, err := s.Read(buf[kept:])
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if s.at != before+int64(n) { // there was a gap
			copy(buf, buf[kept:kept+n])
			kept = 0
		}
		chunk := buf[:kept+n]
		if err := do(s.at-int64(len(chunk)), chunk); err != nil {
			return err
		}
		kept = copy(buf, chunk[max(0, len(chunk)-overlap):])
	}
}
