package verified

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"runtime"
	"testing"
	"testing/iotest"

	"github.com/greenticai/packvendor/internal/ociref"
)

var errCable = errors.New("cable cut")

// contentOf is what data is, as a manifest would say it.
func contentOf(data []byte) Content {
	return Content{Digest: ociref.DigestOf(data), Size: int64(len(data))}
}

// pattern returns n bytes of which no two buffers are alike.
func pattern(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i ^ i>>8 ^ i>>16)
	}
	return b
}

// sizes are those around the borders of the buffer, in bytes.
var sizes = []int{0, 1, ReadSize - 1, ReadSize, ReadSize + 1, 2*ReadSize + 7}

// readers are the ways in which a correct io.Reader may hand over its bytes.
var readers = map[string]func(io.Reader) io.Reader{
	"plain":   func(r io.Reader) io.Reader { return r },
	"onebyte": iotest.OneByteReader,
	"half":    iotest.HalfReader,
	"dataerr": iotest.DataErrReader,
	"both":    func(r io.Reader) io.Reader { return iotest.DataErrReader(iotest.OneByteReader(r)) },
}

func TestCopyExact(t *testing.T) {
	for name, wrap := range readers {
		for _, size := range sizes {
			t.Run(fmt.Sprintf("%s/%d", name, size), func(t *testing.T) {
				data := pattern(size)
				var dst bytes.Buffer
				if err := Copy(t.Context(), &dst, wrap(bytes.NewReader(data)), contentOf(data)); err != nil {
					t.Fatal(err)
				}
				if !bytes.Equal(dst.Bytes(), data) {
					t.Errorf("%d bytes were written, which are not the source's", dst.Len())
				}
				got, err := Measure(t.Context(), wrap(bytes.NewReader(data)))
				if err != nil || got != contentOf(data) {
					t.Errorf("Measure = %+v, %v, want %+v", got, err, contentOf(data))
				}
				for _, n := range sizes {
					part, got, err := MeasurePart(t.Context(), wrap(bytes.NewReader(data)), int64(n))
					if err != nil || got != contentOf(data) || part != ociref.DigestOf(data[:min(n, size)]) {
						t.Errorf("MeasurePart of %d bytes = %s, %+v, %v", n, part, got, err)
					}
				}
			})
		}
	}
}

// A counted reader tells how many bytes were taken from it.
type counted struct {
	io.Reader
	n int64
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.n += int64(n)
	return n, err
}

// zeros never ends.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

func TestCopyMismatch(t *testing.T) {
	data := pattern(ReadSize + 5)
	want := contentOf(data)
	flipped := bytes.Clone(data)
	flipped[ReadSize] ^= 1
	short, digest := len(data)-3, ociref.DigestOf(flipped)
	of := func(b []byte) func() io.Reader { return func() io.Reader { return bytes.NewReader(b) } }
	for _, test := range []struct {
		name string
		src  func() io.Reader
		got  Content
		over bool
		text string
	}{
		{"bit flipped", of(flipped), contentOf(flipped), false,
			fmt.Sprintf("digest mismatch\n\tgot:  %s\n\twant: %s", digest, want.Digest)},
		{"short", of(data[:short]), Content{Size: int64(short)}, false,
			fmt.Sprintf("size mismatch\n\tgot:  %d bytes\n\twant: %d bytes", short, len(data))},
		{"empty", of(nil), Content{}, false,
			fmt.Sprintf("size mismatch\n\tgot:  0 bytes\n\twant: %d bytes", len(data))},
		{"one byte long", of(append(bytes.Clone(data), 0)), Content{Size: want.Size + 1}, true,
			fmt.Sprintf("size mismatch\n\tgot:  more than %d bytes\n\twant: %[1]d bytes", len(data))},
		{"endless", func() io.Reader { return io.MultiReader(bytes.NewReader(data), zeros{}) }, Content{Size: want.Size + 1}, true,
			fmt.Sprintf("size mismatch\n\tgot:  more than %d bytes\n\twant: %[1]d bytes", len(data))},
	} {
		for wrapped, wrap := range readers {
			t.Run(test.name+"/"+wrapped, func(t *testing.T) {
				src := &counted{Reader: wrap(test.src())}
				var dst bytes.Buffer
				err := Copy(t.Context(), &dst, src, want)
				var mismatch *MismatchError
				if !errors.As(err, &mismatch) {
					t.Fatalf("error %#v, want *MismatchError", err)
				}
				if *mismatch != (MismatchError{Want: want, Got: test.got, Over: test.over}) {
					t.Errorf("error %+v, want Got %+v, Over %t", *mismatch, test.got, test.over)
				}
				if err.Error() != test.text {
					t.Errorf("message\n got: %s\nwant: %s", err, test.text)
				}
				if int64(dst.Len()) > want.Size {
					t.Errorf("%d bytes were written, of at most %d", dst.Len(), want.Size)
				}
				if src.n > want.Size+1 {
					t.Errorf("%d bytes were read, of at most %d", src.n, want.Size+1)
				}
			})
		}
	}
}

// TestCopyNothing is about packs of no bytes: they end at once.
func TestCopyNothing(t *testing.T) {
	if err := Copy(t.Context(), io.Discard, bytes.NewReader(nil), contentOf(nil)); err != nil {
		t.Error(err)
	}
	err := Copy(t.Context(), io.Discard, bytes.NewReader([]byte{1}), contentOf(nil))
	if want := "size mismatch\n\tgot:  more than 0 bytes\n\twant: 0 bytes"; err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
	err = Copy(t.Context(), io.Discard, bytes.NewReader(nil), Content{Digest: ociref.DigestOf([]byte{1})})
	if want := fmt.Sprintf("digest mismatch\n\tgot:  %s\n\twant: %s", ociref.DigestOf(nil), ociref.DigestOf([]byte{1})); err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
}

// TestCopyAbsurdSize is about sizes that no caller should hand over, as long
// as nothing but that mistake is wrong: no panic, and not one byte too many.
func TestCopyAbsurdSize(t *testing.T) {
	data := pattern(10)
	for _, size := range []int64{-1, -2, math.MinInt64, math.MaxInt64 - 1, math.MaxInt64} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			defer func() {
				if r := recover(); r != nil {
					t.Errorf("panic: %v", r)
				}
			}()
			var dst bytes.Buffer
			err := Copy(t.Context(), &dst, bytes.NewReader(data), Content{Digest: ociref.DigestOf(data), Size: size})
			var mismatch *MismatchError
			if !errors.As(err, &mismatch) {
				t.Errorf("error %v, want *MismatchError", err)
			}
			if int64(dst.Len()) > max(0, size) {
				t.Errorf("%d bytes were written, of at most %d", dst.Len(), size)
			}
		})
	}
}

func TestCopyReadError(t *testing.T) {
	data := pattern(3*ReadSize + 9)
	for _, n := range []int{0, 1, ReadSize - 1, ReadSize, ReadSize + 5, 2*ReadSize + 5, len(data) - 1} {
		for name, wrap := range readers {
			t.Run(fmt.Sprintf("%s/%d", name, n), func(t *testing.T) {
				src := wrap(io.MultiReader(bytes.NewReader(data[:n]), iotest.ErrReader(errCable)))
				var dst bytes.Buffer
				err := Copy(t.Context(), &dst, src, contentOf(data))
				var broken *ReadError
				if !errors.As(err, &broken) || !errors.Is(err, errCable) {
					t.Fatalf("error %#v, want *ReadError of the reader's own", err)
				}
				if broken.N != int64(n) || broken.Size != int64(len(data)) {
					t.Errorf("%d of %d, want %d of %d", broken.N, broken.Size, n, len(data))
				}
				if want := fmt.Sprintf("%d of %d bytes: cable cut", n, len(data)); err.Error() != want {
					t.Errorf("message %q, want %q", err, want)
				}
				if !bytes.Equal(dst.Bytes(), data[:n]) {
					t.Errorf("%d bytes were written, want the %d that came", dst.Len(), n)
				}
			})
		}
	}
}

// TestCopyUnexpectedEOF is about bodies that break off as net/http tells it:
// that is not the end of the bytes.
func TestCopyUnexpectedEOF(t *testing.T) {
	data := pattern(100)
	err := Copy(t.Context(), io.Discard, io.MultiReader(bytes.NewReader(data[:99]), iotest.ErrReader(io.ErrUnexpectedEOF)), contentOf(data))
	var broken *ReadError
	if !errors.As(err, &broken) || !errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		t.Errorf("error %#v, want *ReadError", err)
	}
}

func TestCopyTimeout(t *testing.T) {
	data := pattern(3)
	err := Copy(t.Context(), io.Discard, iotest.TimeoutReader(iotest.OneByteReader(bytes.NewReader(data))), contentOf(data))
	if want := "1 of 3 bytes: timeout"; err == nil || err.Error() != want || !errors.Is(err, iotest.ErrTimeout) {
		t.Errorf("error %v, want %s", err, want)
	}
}

// A full writer takes so many bytes and no more.
type full struct{ room int }

func (f *full) Write(p []byte) (int, error) {
	n := min(len(p), f.room)
	f.room -= n
	if n < len(p) {
		return n, errCable
	}
	return n, nil
}

func TestCopyWriteError(t *testing.T) {
	data := pattern(2 * ReadSize)
	for _, room := range []int{0, 1, ReadSize, len(data) - 1} {
		src := &counted{Reader: bytes.NewReader(data)}
		err := Copy(t.Context(), &full{room}, src, contentOf(data))
		var write *WriteError
		if !errors.As(err, &write) || !errors.Is(err, errCable) || err.Error() != "cable cut" {
			t.Errorf("room for %d: error %#v, want *WriteError of the writer's own", room, err)
		}
		if src.n > int64(room+ReadSize) {
			t.Errorf("room for %d: %d bytes were read", room, src.n)
		}
	}
}

// TestCopyMemory copies 64 MiB and bounds what is allocated meanwhile, in all.
func TestCopyMemory(t *testing.T) {
	const size, bound = 64 << 20, 1 << 20
	content, err := Measure(t.Context(), io.LimitReader(zeros{}, size))
	if err != nil {
		t.Fatal(err)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if err := Copy(t.Context(), io.Discard, io.LimitReader(zeros{}, size), content); err != nil {
		t.Error(err)
	}
	if got, err := Measure(t.Context(), io.LimitReader(zeros{}, size)); err != nil || got != content {
		t.Errorf("Measure = %+v, %v", got, err)
	}
	runtime.ReadMemStats(&after)
	if allocated := after.TotalAlloc - before.TotalAlloc; allocated > bound {
		t.Errorf("%d bytes allocated for %d, of at most %d", allocated, size, bound)
	}
}

func TestMeasureReadError(t *testing.T) {
	got, err := Measure(t.Context(), io.MultiReader(bytes.NewReader(pattern(9)), iotest.ErrReader(errCable)))
	if err != errCable || got != (Content{}) {
		t.Errorf("Measure = %+v, %v, want nothing and the reader's error", got, err)
	}
	part, got, err := MeasurePart(t.Context(), io.MultiReader(bytes.NewReader(pattern(9)), iotest.ErrReader(errCable)), 9)
	if err != errCable || got != (Content{}) || part != "" {
		t.Errorf("MeasurePart = %s, %+v, %v, want nothing and the reader's error", part, got, err)
	}
}

func TestBytes(t *testing.T) {
	data := pattern(10)
	if err := Bytes(data, ociref.DigestOf(data)); err != nil {
		t.Error(err)
	}
	err := Bytes(data[:9], ociref.DigestOf(data))
	want := fmt.Sprintf("digest mismatch\n\tgot:  %s\n\twant: %s", ociref.DigestOf(data[:9]), ociref.DigestOf(data))
	var mismatch *MismatchError
	if !errors.As(err, &mismatch) || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
}

// TestCopyAtOnce copies in many goroutines: the buffers they share must not
// mix their bytes.
func TestCopyAtOnce(t *testing.T) {
	errs := make(chan error)
	const copies = 32
	for i := range copies {
		go func() {
			data := bytes.Repeat([]byte{byte(i)}, ReadSize+i)
			var dst bytes.Buffer
			err := Copy(t.Context(), &dst, iotest.HalfReader(bytes.NewReader(data)), contentOf(data))
			if err == nil && !bytes.Equal(dst.Bytes(), data) {
				err = fmt.Errorf("copy %d holds bytes that are not its own", i)
			}
			errs <- err
		}()
	}
	for range copies {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
}

// A shortWriter takes less than it is given, and says nothing.
type shortWriter struct{}

func (shortWriter) Write(p []byte) (int, error) { return len(p) / 2, nil }

func TestCopyShortWrite(t *testing.T) {
	data := pattern(10)
	err := Copy(t.Context(), shortWriter{}, bytes.NewReader(data), contentOf(data))
	var writeErr *WriteError
	if !errors.As(err, &writeErr) || !errors.Is(err, io.ErrShortWrite) {
		t.Errorf("error %v, want a *WriteError of io.ErrShortWrite", err)
	}
}
