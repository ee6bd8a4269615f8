package vendorer_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/packtest"
	"github.com/greenticai/packvendor/lockfile"
	"github.com/greenticai/packvendor/packfetch"
	"github.com/greenticai/packvendor/vendorer"
)

// newWide returns a project of so many tiny packs, vendored and locked, of a registry
// that gets no request.
func newWide(t *testing.T, packs int) *project {
	t.Helper()
	p := newProject(t)
	p.must(os.MkdirAll(filepath.Join(p.mod, "app", "packs"), 0o777))
	lock := &lockfile.Lock{}
	var lines []string
	for n := range packs {
		name := fmt.Sprintf("pack-%d", n)
		digest := ociref.DigestOf([]byte("manifest of " + name))
		ref := "registry.example/greentic/packs/" + name + "@" + string(digest)
		lines = append(lines, fmt.Sprintf("%s = %q", name, ref))
		lock.Entries = append(lock.Entries, lockfile.Entry{
			Name: name, Ref: ref, ManifestDigest: digest, LayerDigest: ociref.DigestOf([]byte(name)),
			Size: int64(len(name)), MediaType: packtest.PackMediaType,
		})
		p.must(os.WriteFile(filepath.Join(p.mod, "app", "packs", name+".gtpack"), []byte(name), 0o666))
	}
	p.packs(lines...)
	p.write("app/packs.lock", string(lockfile.Format(lock)))
	return p
}

// wideLimit bounds TestWide, which takes ten seconds: any time quadratic in the packs
// would take hours.
const wideLimit = 5 * time.Minute

// TestWide runs every command on ten thousand packs.
func TestWide(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes 10 s")
	}
	const packs = 10_000
	p := newWide(t, packs)
	p.options.Offline = true
	began := time.Now()
	for _, step := range []struct {
		name string
		do   func() error
	}{
		{"the first run", func() error { _, err := p.run(); return err }},
		{"nothing to do", func() error {
			report, err := p.run()
			if err == nil && len(report.Packs) != packs {
				t.Errorf("%d packs", len(report.Packs))
			}
			return err
		}},
		{"list", func() error { _, err := vendorer.List(t.Context(), p.options); return err }},
		{"verify", func() error {
			v, err := vendorer.Verify(t.Context(), p.options, false)
			if err == nil {
				err = errors.Join(v.Findings...)
			}
			return err
		}},
		{"remove", func() error {
			_, err := vendorer.Remove(t.Context(), p.options, vendorer.RemoveOptions{Names: []string{"pack-0", "pack-77", "pack-9999"}})
			return err
		}},
		{"the registry is out of reach", func() error {
			p.remove("app/packs.lock")
			_, err := p.run()
			var offline *packfetch.OfflineError
			if joined, ok := err.(interface{ Unwrap() []error }); !ok || len(joined.Unwrap()) != packs-3 || !errors.As(err, &offline) {
				t.Errorf("error %.300v", err)
			}
			return nil
		}},
	} {
		if err := step.do(); err != nil {
			t.Errorf("%s: %.300v", step.name, err)
		}
		if took := time.Since(began); took > wideLimit {
			t.Fatalf("%s: after %s", step.name, took)
		}
	}
}
