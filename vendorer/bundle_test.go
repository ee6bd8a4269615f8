package vendorer_test

import (
	"path/filepath"
	"runtime"
	"testing"

	"github.com/greenticai/packvendor/internal/packtest"
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
