package registry_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"testing"

	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/packtest"
	"github.com/greenticai/packvendor/internal/packtest/fault"
	"github.com/greenticai/packvendor/internal/registry"
	"github.com/greenticai/packvendor/internal/verified"
)

func TestBlob(t *testing.T) {
	onEachProtocol(t, packtest.Options{}, func(t *testing.T, b *fixture) {
		got, err := b.blob()
		if err != nil || !bytes.Equal(got, b.data) {
			t.Errorf("got %d bytes, %v, want %d", len(got), err, len(b.data))
		}
		wantRequests(t, b.reg, "GET /v2/", "GET "+b.blobPath())
	})
}

func TestBlobEmpty(t *testing.T) {
	b := newFixture(t, packtest.Options{})
	want := verified.Content{Digest: b.reg.PutBlob(repository, nil)}
	if err := b.client.Blob(context.Background(), b.byDigest(), want, discard, nil); err != nil {
		t.Error(err)
	}
}

func TestFault01_WrongBlob(t *testing.T) {
	onEachProtocol(t, packtest.Options{}, func(t *testing.T, b *fixture) {
		b.reg.Inject(fault.WrongBlob(""))
		got, err := b.blob()
		wantText(t, err, fmt.Sprintf("digest mismatch\n\tgot:  %s\n\twant: %s", ociref.DigestOf(got), b.pushed.Layers[0]))
		as[*verified.MismatchError](t, err)
		if n := count(b.reg, b.blobPath()); n != 1 {
			t.Errorf("%d requests: an integrity failure is never retried", n)
		}
	})
}

func TestFault03_BlobTooShortOrTooLong(t *testing.T) {
	size := len(packtest.Zip("bed", "1.0.0", 1000))
	for name, test := range map[string]struct {
		fault packtest.Fault
		got   string
		n     int // bytes that may have been written
	}{
		"short": {fault.ShortBlob("", 3), fmt.Sprintf("%d bytes", size-3), size - 3},
		"empty": {fault.ShortBlob("", size), "0 bytes", 0},
		"long":  {fault.LongBlob("", 1), fmt.Sprintf("more than %d bytes", size), size},
	} {
		t.Run(name, func(t *testing.T) {
			onEachProtocol(t, packtest.Options{}, func(t *testing.T, b *fixture) {
				b.reg.Inject(test.fault)
				got, err := b.blob()
				wantText(t, err, fmt.Sprintf("size mismatch\n\tgot:  %s\n\twant: %d bytes", test.got, size))
				as[*verified.MismatchError](t, err)
				if len(got) > test.n {
					t.Errorf("%d bytes were written, want at most %d", len(got), test.n)
				}
				if n := count(b.reg, b.blobPath()); n != 1 {
					t.Errorf("%d requests: an integrity failure is never retried", n)
				}
			})
		})
	}
}

// A Content-Length that is wrong shows before a byte is read.
func TestFault03_ContentLengthDisagrees(t *testing.T) {
	for _, delta := range []int{-1, 1, 1 << 30} {
		b := newFixture(t, packtest.Options{})
		promised := len(b.data) + delta
		b.reg.Intercept(func(w http.ResponseWriter, r *http.Request) bool {
			if r.URL.Path != b.blobPath() {
				return false
			}
			w.Header().Set("Content-Length", fmt.Sprint(promised))
			w.WriteHeader(http.StatusOK)
			w.Write(b.data[:min(promised, len(b.data))])
			return true
		})
		got, err := b.blob()
		wantText(t, err, fmt.Sprintf("size mismatch\n\tgot:  %d bytes\n\twant: %d bytes", promised, len(b.data)))
		as[*verified.MismatchError](t, err)
		if len(got) != 0 {
			t.Errorf("%d bytes were written", len(got))
		}
	}
}

func TestFault04_EndlessBlob(t *testing.T) {
	onEachProtocol(t, packtest.Options{}, func(t *testing.T, b *fixture) {
		b.reg.Inject(fault.EndlessBlob(""))
		got, err := b.blob()
		wantText(t, err, fmt.Sprintf("size mismatch\n\tgot:  more than %[1]d bytes\n\twant: %[1]d bytes", len(b.data)))
		as[*verified.MismatchError](t, err)
		if len(got) > len(b.data) {
			t.Errorf("%d bytes were written of %d", len(got), len(b.data))
		}
	})
}

// The manifest may claim the largest size there is.
func TestFault20_AbsurdSize(t *testing.T) {
	defer func() {
		if r := recover(); r != nil {
			t.Errorf("panic: %v", r)
		}
	}()
	b := newFixture(t, packtest.Options{})
	b.reg.Inject(fault.LongBlob("", 0)) // without a Content-Length
	want := verified.Content{Digest: b.pushed.Layers[0], Size: math.MaxInt64}
	err := b.client.Blob(context.Background(), b.byDigest(), want, discard, nil)
	wantText(t, err, fmt.Sprintf("size mismatch\n\tgot:  %d bytes\n\twant: %d bytes", len(b.data), int64(math.MaxInt64)))
}

func TestBlobWriteError(t *testing.T) {
	b := newFixture(t, packtest.Options{})
	full := errors.New("no space left on device")
	err := b.client.Blob(context.Background(), b.byDigest(), b.content(), writerFunc(func([]byte) (int, error) { return 0, full }), nil)
	as[*verified.WriteError](t, err)
	if !errors.Is(err, full) {
		t.Errorf("got %v, want one that is %v", err, full)
	}
}

func TestFault06_ContentEncodingIsRefused(t *testing.T) {
	for name, injected := range map[string]packtest.Fault{
		"honest": fault.GzipBlob(""),
		"bomb":   fault.GzipBomb("", 1<<20),
	} {
		t.Run(name, func(t *testing.T) {
			onEachProtocol(t, packtest.Options{}, func(t *testing.T, b *fixture) {
				b.reg.Inject(injected)
				got, err := b.blob()
				wantText(t, err, `the registry sent Content-Encoding "gzip", which was not asked for`)
				as[*registry.ProtocolError](t, err)
				if len(got) != 0 {
					t.Errorf("%d bytes were written", len(got))
				}
			})
		})
	}
}

// It holds with any transport that is handed in, not only with NewTransport's.
func TestFault06_CompressionIsNeverRequested(t *testing.T) {
	onEachProtocol(t, packtest.Options{Token: true}, func(t *testing.T, b *fixture) {
		if err := b.manifest(); err != nil {
			t.Fatal(err)
		}
		if _, err := b.blob(); err != nil {
			t.Fatal(err)
		}
		for _, r := range b.reg.Requests() {
			if got := r.Header.Get("Accept-Encoding"); got != "" && got != "identity" {
				t.Errorf("%s: Accept-Encoding %q", r, got)
			}
		}
	})
}

func TestContentEncodingIdentityIsFine(t *testing.T) {
	b := newFixture(t, packtest.Options{})
	b.reg.Intercept(func(w http.ResponseWriter, _ *http.Request) bool {
		w.Header().Set("Content-Encoding", "identity")
		return false
	})
	if got, err := b.blob(); err != nil || !bytes.Equal(got, b.data) {
		t.Errorf("got %d bytes, %v", len(got), err)
	}
}
