// Package verified copies bytes and proves their size and digest as they pass.
package verified

import (
	"context"
	"crypto/sha256"
	"fmt"
	"hash"
	"io"
	"sync"

	"github.com/greenticai/packvendor/internal/ociref"
)

// ReadSize is the size of one read, in bytes: large enough to make system calls cheap, small
// enough for the bytes to stay in the processor's cache until they are hashed and
// written, once or twice.
const ReadSize = 32 << 10

// Content is the digest and the size of a stream of bytes.
type Content struct {
	Digest ociref.Digest
	Size   int64 // bytes
}

// IsZero tells whether c is the zero value. Empty content has a digest, so it is not
// zero.
func (c Content) IsZero() bool { return c == Content{} }

// A MismatchError reports bytes with another digest or size than expected.
type MismatchError struct {
	Want Content
	Got  Content // without Digest if the size differs
	Over bool    // there were more bytes than Want.Size; Got.Size does not count them all
}

// Error is one line, and below it got and want, aligned.
func (e *MismatchError) Error() string {
	switch {
	case e.Over:
		return fmt.Sprintf("size mismatch\n\tgot:  more than %d bytes\n\twant: %[1]d bytes", e.Want.Size)
	case e.Got.Size != e.Want.Size:
		return "size mismatch\n" + Difference(e.Got, e.Want)
	}
	return "digest mismatch\n" + Difference(e.Got, e.Want)
}

// Difference is two lines, got and want, aligned: the sizes if these differ, else the
// digests.
func Difference(got, want Content) string {
	if got.Size != want.Size {
		return fmt.Sprintf("\tgot:  %d bytes\n\twant: %d bytes", got.Size, want.Size)
	}
	return fmt.Sprintf("\tgot:  %s\n\twant: %s", got.Digest, want.Digest)
}

// A ReadError reports a source that failed after N of Size bytes.
type ReadError struct {
	N, Size int64
	Err     error
}

func (e *ReadError) Error() string {
	return fmt.Sprintf("%d of %d bytes: %v", e.N, e.Size, e.Err)
}

func (e *ReadError) Unwrap() error { return e.Err }

// A WriteError reports a destination that failed.
type WriteError struct{ Err error }

func (e *WriteError) Error() string { return e.Err.Error() }
func (e *WriteError) Unwrap() error { return e.Err }

// Copy copies src to dst and returns nil only if src ended after exactly want.Size bytes
// that hash to want.Digest. It never writes more than want.Size bytes and never reads
// more than one byte beyond them. After an error the bytes in dst prove nothing. It
// stops reading when ctx ends, with a *ReadError of the cause.
//
// Errors: *MismatchError, *ReadError, *WriteError.
func Copy(ctx context.Context, dst io.Writer, src io.Reader, want Content) error {
	return NewStream(dst, want).Append(ctx, src)
}

// Reader returns a reader of src that fails with the cause once ctx has ended. It does
// not interrupt a blocked read.
func Reader(ctx context.Context, src io.Reader) io.Reader { return &reader{ctx, src} }

type reader struct {
	ctx context.Context
	src io.Reader
}

func (r *reader) Read(p []byte) (int, error) {
	if r.ctx.Err() != nil {
		return 0, context.Cause(r.ctx)
	}
	return r.src.Read(p)
}

// A Stream copies content from several sources, each of which continues where the last
// one failed.
type Stream struct {
	dst  io.Writer
	want Content
	hash hash.Hash
	n    int64
}

// NewStream returns an empty Stream.
func NewStream(dst io.Writer, want Content) *Stream {
	return &Stream{dst: dst, want: want, hash: sha256.New()}
}

// N returns the number of copied bytes.
func (s *Stream) N() int64 { return s.n }

// Append is [Copy] of the rest. After a *ReadError another source may be appended; after
// any other error the Stream is useless. A source may fail after the last byte.
func (s *Stream) Append(ctx context.Context, src io.Reader) error {
	if s.want.Size < 0 {
		return &MismatchError{Want: s.want}
	}
	buf := buffers.Get().(*[]byte)
	defer buffers.Put(buf)
	for ctx.Err() == nil {
		chunk := *buf
		if due := s.want.Size - s.n; due < int64(len(chunk)) {
			chunk = chunk[:due+1] // one byte more detects a source that does not end
		}
		m, readErr := src.Read(chunk)
		if n := s.n + int64(m); n > s.want.Size {
			return &MismatchError{Want: s.want, Got: Content{Size: n}, Over: true}
		}
		if m > 0 {
			s.hash.Write(chunk[:m])
			if err := write(s.dst, chunk[:m]); err != nil {
				return &WriteError{Err: err}
			}
			s.n += int64(m)
		}
		switch {
		case readErr == nil:
		case readErr == io.EOF, s.n == s.want.Size:
			return check(s.want, Content{Digest: ociref.DigestFromSum([sha256.Size]byte(s.hash.Sum(nil))), Size: s.n})
		default:
			return &ReadError{N: s.n, Size: s.want.Size, Err: readErr}
		}
	}
	return &ReadError{N: s.n, Size: s.want.Size, Err: context.Cause(ctx)}
}

// write is dst.Write with an error for a short write.
func write(dst io.Writer, p []byte) error {
	n, err := dst.Write(p)
	if err == nil && n < len(p) {
		err = io.ErrShortWrite
	}
	return err
}

func check(want, got Content) error {
	if got.Size != want.Size {
		return &MismatchError{Want: want, Got: Content{Size: got.Size}}
	}
	if got.Digest != want.Digest {
		return &MismatchError{Want: want, Got: got}
	}
	return nil
}

// Sized compares size with want's: its error is the *MismatchError of bytes that need
// not be read.
func Sized(size int64, want Content) error {
	if size == want.Size {
		return nil
	}
	return &MismatchError{Want: want, Got: Content{Size: size}}
}

// Bytes checks b against want; its error is *MismatchError.
func Bytes(b []byte, want ociref.Digest) error {
	got := Content{Digest: ociref.DigestOf(b), Size: int64(len(b))}
	return check(Content{Digest: want, Size: got.Size}, got)
}

// Measure reads src to its end and returns its digest and size. The error is src's, or
// the cause of ctx's end.
func Measure(ctx context.Context, src io.Reader) (Content, error) {
	_, content, err := MeasurePart(ctx, src, 0)
	return content, err
}

// MeasurePart is Measure, and also returns the digest of the first n bytes of src, or of all
// if there are fewer.
func MeasurePart(ctx context.Context, src io.Reader, n int64) (part ociref.Digest, all Content, err error) {
	buf := buffers.Get().(*[]byte)
	defer buffers.Put(buf)
	src = Reader(ctx, src)
	hash := sha256.New()
	digest := func() ociref.Digest { return ociref.DigestFromSum([sha256.Size]byte(hash.Sum(nil))) }
	first, err := io.CopyBuffer(struct{ io.Writer }{hash}, io.LimitReader(src, n), *buf)
	if err != nil {
		return "", Content{}, err
	}
	part = digest()
	rest, err := io.CopyBuffer(struct{ io.Writer }{hash}, src, *buf)
	if err != nil {
		return "", Content{}, err
	}
	return part, Content{Digest: digest(), Size: first + rest}, nil
}

// buffers are reused: a run may copy thousands of packs.
var buffers = sync.Pool{New: func() any {
	b := make([]byte, ReadSize)
	return &b
}}
