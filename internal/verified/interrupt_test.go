package verified

import (
	"context"
	"errors"
	"io"
	"math"
	"strings"
	"testing"
)

var errSignal = errors.New("signal received")

// A hurried reader has its context end at the first read.
type hurried struct {
	io.Reader
	end func(error)
}

func (h hurried) Read(p []byte) (int, error) {
	h.end(errSignal)
	return h.Reader.Read(p)
}

// TestFault59_Interrupt interrupts what would never end: nothing more is read.
func TestFault59_Interrupt(t *testing.T) {
	want := contentOf(pattern(9))
	want.Size = math.MaxInt64 - 1
	for name, do := range map[string]func(context.Context, io.Reader) error{
		"Copy": func(ctx context.Context, src io.Reader) error { return Copy(ctx, io.Discard, src, want) },
		"Measure": func(ctx context.Context, src io.Reader) error {
			_, err := Measure(ctx, src)
			return err
		},
		"Reader": func(ctx context.Context, src io.Reader) error {
			_, err := io.Copy(io.Discard, Reader(ctx, src))
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancelCause(t.Context())
			src := &counted{Reader: hurried{zeros{}, cancel}}
			if err := do(ctx, src); !errors.Is(err, errSignal) {
				t.Errorf("error %v, want %v", err, errSignal)
			}
			if src.n > ReadSize {
				t.Errorf("%d bytes were read, of at most %d", src.n, ReadSize)
			}
			first := src.n
			if err := do(ctx, src); !errors.Is(err, errSignal) || src.n != first {
				t.Errorf("error %v, want %v; %d more bytes were read", err, errSignal, src.n-first)
			}
		})
	}
}

func TestFault59_Sized(t *testing.T) {
	want := contentOf(pattern(9))
	if err := Sized(9, want); err != nil {
		t.Error(err)
	}
	var mismatch *MismatchError
	err := Sized(1<<40, want)
	if !errors.As(err, &mismatch) || err.Error() != "size mismatch\n\tgot:  1099511627776 bytes\n\twant: 9 bytes" {
		t.Errorf("error %v", err)
	}
}

func TestDifference(t *testing.T) {
	a, b := contentOf(pattern(9)), contentOf(pattern(8))
	if got := Difference(a, b); got != "\tgot:  9 bytes\n\twant: 8 bytes" {
		t.Errorf("of sizes: %s", got)
	}
	b.Size = a.Size
	if got := Difference(a, b); !strings.Contains(got, string(a.Digest)) || !strings.Contains(got, string(b.Digest)) {
		t.Errorf("of digests: %s", got)
	}
}
