package vendorer_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"testing"

	"github.com/greenticai/packvendor/internal/packtest"
	"github.com/greenticai/packvendor/packfetch"
	"github.com/greenticai/packvendor/vendorer"
)

// Packs are streamed into bundles and out of them: what that allocates does not depend on their
// size.
func TestBundlesAllocateLittle(t *testing.T) {
	const size, limit = 8 << 20, 1 << 20
	p := newMany(t, packtest.Options{}, 1, size)
	archive, folder := filepath.Join(t.TempDir(), "bundle.tar"), filepath.Join(t.TempDir(), "bundle")
	for _, test := range []struct {
		name    string
		prepare func()
		do      func() error
	}{
		{"export to an archive", func() {}, p.exports(archive)},
		{"export to a folder from the cache", func() { p.remove("app/packs") }, p.exports(folder)},
		{"from an archive", p.coldCache, p.runsFrom(archive)},
		{"from a folder", func() { p.remove("app/packs") }, p.runsFrom(folder)},
		{"import of an archive", func() {}, p.imports(archive)},
		{"import of a folder", p.coldCache, p.imports(folder)},
		{"import of what is cached", func() {}, p.imports(folder)},
	} {
		test.prepare()
		p.reg.ResetRequests()
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		err := test.do()
		runtime.ReadMemStats(&after)
		if err != nil {
			t.Fatalf("%s: %v", test.name, err)
		}
		if allocated := after.TotalAlloc - before.TotalAlloc; allocated > limit {
			t.Errorf("%s: allocated %d bytes for %d, want at most %d", test.name, allocated, size, limit)
		}
		p.wantRequests()
	}
}

func (p *project) exports(output string) func() error {
	return func() error {
		_, err := vendorer.Export(p.t.Context(), p.options, vendorer.ExportOptions{Output: output})
		return err
	}
}

func (p *project) imports(bundle string) func() error {
	return func() error {
		_, err := vendorer.Import(p.t.Context(), p.options, vendorer.ImportOptions{Bundles: []string{bundle}})
		return err
	}
}

// runsFrom runs with a bundle and no network.
func (p *project) runsFrom(bundle string) func() error {
	return func() error {
		o := p.options
		o.Offline, o.Locked, o.Bundles = true, true, []string{bundle}
		_, err := vendorer.Run(p.t.Context(), o)
		return err
	}
}

// The bytes of an export and an import are counted, wherever they come from.
func TestBundleProgress(t *testing.T) {
	p := newVendored(t)
	size, err := strconv.Atoi(p.names["A_SIZE"])
	p.must(err)
	p.names["ALL"] = strconv.Itoa(size + len("{}")) // the manifest's empty configuration
	bundle := filepath.Join(t.TempDir(), "bundle.tar")
	export := func(o vendorer.Options) error {
		_, err := vendorer.Export(t.Context(), o, vendorer.ExportOptions{Output: bundle})
		return err
	}
	imports := func(o vendorer.Options) error {
		_, err := vendorer.Import(t.Context(), o, vendorer.ImportOptions{Bundles: []string{bundle}})
		return err
	}
	for _, test := range []struct {
		name   string
		before func()
		do     func(vendorer.Options) error
		want   []string
	}{
		{"export from the registry", func() { p.remove("app/packs"); p.coldCache() }, export, []string{
			"resolving 0/1 0/0", "resolving 1/1 0/0", "fetching 0/1 $A_SIZE/$A_SIZE", "fetching 1/1 $A_SIZE/$A_SIZE",
			"exporting 0/1 $ALL/$ALL", "exporting 1/1 $ALL/$ALL",
		}},
		{"export from the cache", func() {}, export, []string{
			"resolving 0/1 0/0", "resolving 1/1 0/0", "fetching 0/0 0/0", "exporting 0/1 $ALL/$ALL", "exporting 1/1 $ALL/$ALL",
		}},
		{"import of what is cached", func() {}, imports, []string{"verifying 0/1 0/0", "verifying 1/1 0/0", "importing 0/0 0/0"}},
		{"import", p.coldCache, imports, []string{
			"verifying 0/1 0/0", "verifying 1/1 0/0", "importing 0/1 $A_SIZE/$A_SIZE", "importing 1/1 $A_SIZE/$A_SIZE",
		}},
	} {
		test.before()
		var want []string
		for _, step := range test.want {
			want = append(want, p.expand(step))
		}
		if got := p.steps(test.do); !slices.Equal(got, want) {
			t.Errorf("%s:\n got: %q\nwant: %q", test.name, got, want)
		}
	}
}

// A bundle that changes while its packs are copied is wrong: nothing of it is vendored, and
// nothing of it is in the cache.
func TestFault66f_BundleChanges(t *testing.T) {
	p := newMany(t, packtest.Options{}, 1, 1<<20)
	good := filepath.Join(t.TempDir(), "good")
	p.must(p.exports(good)())
	p.must(p.exports(good + ".tar")())
	p.remove("app/packs")
	p.coldCache()
	before := p.snapshot(false)
	for place, change := range map[string]func(*os.File, int64) error{
		"overwritten": func(f *os.File, size int64) error { _, err := f.WriteAt(make([]byte, size/2), size/2); return err },
		"cut off":     func(f *os.File, size int64) error { return f.Truncate(size / 2) },
	} {
		for kind, bundle := range map[string]string{"archive": "bundle.tar", "folder": "bundle"} {
			for name, do := range map[string]func(*project, string) func() error{"run": (*project).runsFrom, "import": (*project).imports} {
				t.Run(place+" "+kind+" "+name, func(t *testing.T) {
					bundle := filepath.Join(t.TempDir(), bundle)
					copyBundle(t, bundle, good+filepath.Ext(bundle))
					p.options.Progress = onceCopying(func() { p.must(changeFile(largestOf(t, bundle), change)) })
					defer func() { p.options.Progress = nil }()
					if err := do(p, bundle)(); !errors.As(err, new(*packfetch.DigestMismatchError)) {
						t.Errorf("got %T %v", err, err)
					}
					if got := p.snapshot(false); got != before {
						t.Errorf("the project changed:\n%s\nwas:\n%s", got, before)
					}
					if packs, err := filepath.Glob(filepath.Join(p.options.CacheDir, "[0-9a-f]*", "*")); err != nil || len(packs) > 0 {
						t.Errorf("the cache has %v, %v", packs, err)
					}
				})
			}
		}
	}
}

// onceCopying calls change once, when the first bytes of a pack are copied.
func onceCopying(change func()) func(vendorer.Progress) {
	changed := false
	return func(p vendorer.Progress) {
		if p.BytesDone > 0 && !changed {
			changed = true
			change()
		}
	}
}

func changeFile(path string, change func(*os.File, int64) error) error {
	file, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return err
	}
	return change(file, info.Size())
}

// copyBundle copies a folder or a file.
func copyBundle(t *testing.T, to, from string) {
	t.Helper()
	info, err := os.Stat(from)
	if err == nil && info.IsDir() {
		err = os.CopyFS(to, os.DirFS(from))
	} else if err == nil {
		var data []byte
		if data, err = os.ReadFile(from); err == nil {
			err = os.WriteFile(to, data, 0o666)
		}
	}
	if err != nil {
		t.Fatal(err)
	}
}

// largestOf returns the largest file of a bundle, which has the layer.
func largestOf(t *testing.T, bundle string) (largest string) {
	t.Helper()
	var most int64
	err := filepath.WalkDir(bundle, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		info, err := entry.Info()
		if err == nil && info.Size() > most {
			largest, most = path, info.Size()
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return largest
}
