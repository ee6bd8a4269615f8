package fetch_test

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/greenticai/packvendor/internal/fetch"
	"github.com/greenticai/packvendor/internal/outputfile"
	"github.com/greenticai/packvendor/internal/packtest"
	"github.com/greenticai/packvendor/internal/packtest/fault"
	"github.com/greenticai/packvendor/internal/verified"
)

// resolve finds the pack by digest.
func (b *fixture) resolve(t *testing.T, f *fetch.Fetcher) *fetch.Resolved {
	t.Helper()
	p, err := f.Resolve(context.Background(), parse(b.byDigest()), "")
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestOpen(t *testing.T) {
	b := newFixture(t, packtest.Options{})
	f := b.fetcher(t)
	file, err := f.Open(context.Background(), b.resolve(t, f))
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(file.Reader())
	if err != nil || file.Size() != int64(len(b.data)) {
		t.Errorf("got size %d, %v", file.Size(), err)
	}
	wantBytes(t, got, b.data)
	if err := file.Close(); err != nil {
		t.Error(err)
	}
	b.wantWhole(t)
}

func TestToFile(t *testing.T) {
	b := newFixture(t, packtest.Options{})
	path := filepath.Join(t.TempDir(), "a.gtpack")
	for _, fetched := range []bool{true, false} {
		out, err := outputfile.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer out.Close()
		f := b.fetcher(t)
		result, err := f.ToFile(context.Background(), b.resolve(t, f), out)
		if err != nil || result.Path != path || result.FetchedFromNetwork != fetched {
			t.Errorf("got %+v, %v", result, err)
		}
		wantBytes(t, read(t, path), b.data)
	}
}

// What fails leaves no file behind, nor another one than was there.
func TestToFileFails(t *testing.T) {
	b := newFixture(t, packtest.Options{})
	f := b.fetcher(t)
	p := b.resolve(t, f)
	b.reg.Inject(fault.WrongBlob(""))
	path := filepath.Join(t.TempDir(), "a.gtpack")
	write(t, path, []byte("before"))
	out, err := outputfile.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	_, err = f.ToFile(context.Background(), p, out)
	as[*verified.MismatchError](t, err)
	wantBytes(t, read(t, path), []byte("before"))
	if names, err := os.ReadDir(filepath.Dir(path)); err != nil || len(names) != 1 {
		t.Errorf("got %v, %v, want one file", names, err)
	}
}
