package fetch_test

import (
	"context"
	"os"
	"runtime"
	"testing"

	"github.com/greenticai/packvendor/internal/fetch"
	"github.com/greenticai/packvendor/internal/packtest"
	"github.com/greenticai/packvendor/internal/packtest/fault"
	"github.com/greenticai/packvendor/internal/verified"
)

// wantWithoutCache wants fetches to work, and to say that the cache does not.
func wantWithoutCache(t *testing.T, b *fixture) {
	t.Helper()
	b.fetch(t, b.fetcher(t))
	b.wantUnusable(t)
	b.wantRequests(t, "GET /v2/", b.manifestLine(), b.blobLine())

	b.events.list = nil
	b.reg.ResetRequests()
	result := b.fetchToCache(t, b.fetcher(t))
	if !result.FetchedFromNetwork {
		t.Errorf("got %+v", result)
	}
	b.wantTemporary(t, result.Path)
	b.wantUnusable(t)
	b.wantRequests(t, "GET /v2/", b.manifestLine(), b.blobLine()) // one manifest and one blob request
}

// wantUnusable wants CacheUnusable events and no others.
func (b *fixture) wantUnusable(t *testing.T) {
	t.Helper()
	all := b.events.all()
	if len(all) == 0 {
		t.Error("got no event")
	}
	for _, event := range all {
		if e, ok := event.(fetch.CacheUnusable); !ok || e.Reference != b.byDigest() || e.Err == nil {
			t.Errorf("got event %+v", event)
		}
	}
}

func TestCacheRootIsAFile(t *testing.T) {
	b := newFixture(t, packtest.Options{})
	write(t, b.dir, []byte("not a cache"))
	wantWithoutCache(t, b)
	wantBytes(t, read(t, b.dir), []byte("not a cache"))
}

func TestFault42_CacheRootIsReadOnly(t *testing.T) {
	if os.Geteuid() == 0 || runtime.GOOS == "windows" {
		t.Skip("permissions do not bind this user")
	}
	b := newFixture(t, packtest.Options{})
	if err := os.Mkdir(b.dir, 0o555); err != nil {
		t.Fatal(err)
	}
	wantWithoutCache(t, b)
}

func TestFault42_ReadOnlyCacheHits(t *testing.T) {
	if os.Geteuid() == 0 || runtime.GOOS == "windows" {
		t.Skip("permissions do not bind this user")
	}
	b := newFixture(t, packtest.Options{})
	b.fill(t)
	for _, dir := range []string{b.file(""), b.dir} {
		if err := os.Chmod(dir, 0o555); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { os.Chmod(dir, 0o777) })
	}
	b.fetch(t, b.fetcher(t))
	b.wantRequests(t)
	b.events.wantNone(t)
}

// What could not be verified does not stay in a temporary file either.
func TestFailedTemporaryIsRemoved(t *testing.T) {
	b := newFixture(t, packtest.Options{})
	write(t, b.dir, []byte("not a cache"))
	temporaries := t.TempDir()
	t.Setenv("TMPDIR", temporaries)
	t.Setenv("TMP", temporaries)
	b.reg.Inject(fault.WrongBlob(""))
	_, err := fetchToCache(context.Background(), b.fetcher(t), b.byDigest())
	as[*verified.MismatchError](t, err)
	left, err := os.ReadDir(temporaries)
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestFault38_CacheRootMayBeALink(t *testing.T) {
	b := newFixture(t, packtest.Options{})
	real := t.TempDir()
	if err := os.Symlink(real, b.dir); err != nil {
		t.Skip("no symbolic links here: ", err)
	}
	b.fetch(t, b.fetcher(t))
	b.wantWhole(t)
}
