package packfetch_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/greenticai/packvendor/internal/packcache"
	"github.com/greenticai/packvendor/internal/packtest"
	"github.com/greenticai/packvendor/packfetch"
)

// A library is a registry that holds one pack, and a cache.
type library struct {
	reg       *packtest.Registry
	data      []byte
	reference string // by digest
	tag       string
	options   packfetch.Options
}

func newLibrary(t *testing.T) *library {
	t.Helper()
	reg := packtest.StartRegistry(t, packtest.Options{})
	data := packtest.Zip("pack", "1.0.0", 1000)
	pushed := packtest.MustPush(t, reg, "greenticai/pack", "1.0", packtest.Pack(data, "pack.gtpack"))
	transport := reg.Transport()
	t.Cleanup(transport.CloseIdleConnections)
	name := reg.Host() + "/greenticai/pack"
	return &library{
		reg: reg, data: data, reference: name + "@" + pushed.ManifestDigest.String(), tag: name + ":1.0",
		options: packfetch.Options{CacheDir: filepath.Join(t.TempDir(), "cache"), Transport: transport},
	}
}

func (l *library) fetcher(t *testing.T) *packfetch.Fetcher {
	t.Helper()
	f, err := packfetch.New(l.options)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestFetch(t *testing.T) {
	l := newLibrary(t)
	got, err := l.fetcher(t).Fetch(context.Background(), l.reference)
	if err != nil || !bytes.Equal(got, l.data) {
		t.Errorf("got %d bytes, %v", len(got), err)
	}
}

func TestFetchToCache(t *testing.T) {
	l := newLibrary(t)
	l.options.AllowTags = true
	for _, reference := range []string{l.reference, l.tag, "oci://" + l.tag} {
		result, err := l.fetcher(t).FetchToCache(context.Background(), reference)
		if err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(result.Path)
		if err != nil || !bytes.Equal(got, l.data) {
			t.Errorf("got %d bytes, %v", len(got), err)
		}
		if result.OriginalReference != reference || !strings.HasSuffix(l.reference, "@"+result.ResolvedDigest) {
			t.Errorf("got %+v", result)
		}
	}
}

// The zero Options find the cache by the environment and trust the system.
func TestZeroOptions(t *testing.T) {
	l := newLibrary(t)
	if _, err := l.fetcher(t).FetchToCache(context.Background(), l.reference); err != nil {
		t.Fatal(err)
	}
	l.reg.ResetRequests()
	t.Setenv("GREENTIC_PACK_CACHE_DIR", l.options.CacheDir)
	t.Setenv("NO_PROXY", "*")
	got, err := packfetch.Fetch(context.Background(), l.reference)
	if err != nil || !bytes.Equal(got, l.data) {
		t.Errorf("got %d bytes, %v", len(got), err)
	}
	if n := len(l.reg.Requests()); n != 0 {
		t.Errorf("%d requests were sent, want none", n)
	}

	t.Setenv("GREENTIC_PACK_CACHE_DIR", filepath.Join(l.options.CacheDir, "another"))
	_, err = packfetch.Fetch(context.Background(), l.reference)
	var registry *packfetch.RegistryError
	if !errors.As(err, &registry) || !strings.Contains(err.Error(), "certificate signed by unknown authority") {
		t.Errorf("got %v", err)
	}
}

func TestDefaultCacheDir(t *testing.T) {
	env := map[string]string{"GREENTIC_PACK_CACHE_DIR": "/some/where"}
	if got := packfetch.DefaultCacheDir(func(key string) string { return env[key] }, "p"); got != "/some/where" {
		t.Errorf("got %q", got)
	}
	if got, want := packfetch.DefaultCacheDir(func(string) string { return "" }, "p"), packcache.DefaultRoot(func(string) string { return "" }, "p"); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestInvalidReferences(t *testing.T) {
	l := newLibrary(t)
	l.options.AllowTags = true
	f := l.fetcher(t)
	for _, reference := range []string{"", "pack", "library/pack:1", "http://x.example/pack:1", "x.example/../pack:1", "x.example/pack@sha512:00", "x.example/pack"} {
		_, fetch := f.Fetch(context.Background(), reference)
		_, toCache := f.FetchToCache(context.Background(), reference)
		for _, err := range []error{fetch, toCache} {
			var e *packfetch.InvalidReferenceError
			if !errors.As(err, &e) || e.Reference != reference {
				t.Errorf("%q: got %v", reference, err)
			}
		}
	}
	if n := len(l.reg.Requests()); n != 0 {
		t.Errorf("%d requests were sent, want none", n)
	}
}

func TestOptionError(t *testing.T) {
	_, err := packfetch.New(packfetch.Options{AcceptMediaTypes: []string{"no type"}})
	var option *packfetch.OptionError
	if !errors.As(err, &option) {
		t.Errorf("got %v", err)
	}
}

// A program reads registries.conf only if it says so.
func TestMirrors(t *testing.T) {
	l := newLibrary(t)
	mirror := packtest.StartRegistry(t, packtest.Options{CA: l.reg.CA()})
	packtest.MustPush(t, mirror, "proxy/greenticai/pack", "1.0", packtest.Pack(l.data, "pack.gtpack"))
	file := filepath.Join(t.TempDir(), "registries.conf")
	conf := "[[registry]]\nlocation = \"" + l.reg.Host() + "\"\n[[registry.mirror]]\nlocation = \"" + mirror.Host() + "/proxy\"\n"
	if err := os.WriteFile(file, []byte(conf), 0o666); err != nil {
		t.Fatal(err)
	}
	t.Setenv("CONTAINERS_REGISTRIES_CONF", file)
	for _, mirrors := range []*packfetch.Mirrors{nil, packfetch.UserMirrors(os.Getenv)} {
		l.options.Mirrors, l.options.CacheDir = mirrors, filepath.Join(t.TempDir(), "cache")
		got, err := l.fetcher(t).FetchToCache(context.Background(), l.reference)
		want := ""
		if mirrors != nil {
			want = mirror.Host() + "/proxy/greenticai/pack"
		}
		if err != nil || got.Source != want || !got.FetchedFromNetwork {
			t.Errorf("got %+v, %v, want source %q", got, err, want)
		}
		if n := len(mirror.Requests()); n > 0 != (mirrors != nil) {
			t.Errorf("%d requests to the mirror", n)
		}
	}
	mirror.Stop()
	l.reg.Stop()
	l.options.Sleep = func(context.Context, time.Duration) error { return nil }
	l.options.CacheDir = filepath.Join(t.TempDir(), "cache")
	_, err := l.fetcher(t).Fetch(context.Background(), l.reference)
	var all *packfetch.SourcesError
	var last *packfetch.RegistryError
	if !errors.As(err, &all) || len(all.Attempts) != 2 || !errors.As(err, &last) || last.Host != l.reg.Host() {
		t.Errorf("got %v", err)
	}
}
