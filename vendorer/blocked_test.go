package vendorer_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/greenticai/packvendor/packfetch"
	"github.com/greenticai/packvendor/vendorer"
)

// With a pack that registries.conf blocks, the run ends before its first request. What
// packs.lock has against itself is told with it, and is graver.
func TestBlockedAndInconsistent(t *testing.T) {
	p := newLocked(t)
	p.remove("app/packs")
	p.must(os.RemoveAll(p.options.CacheDir))
	conf := filepath.Join(t.TempDir(), "registries.conf")
	p.must(os.WriteFile(conf, []byte("[[registry]]\nlocation = \""+p.reg.Host()+"\"\nblocked = true\n"), 0o666))
	p.options.Fetch.Mirrors = packfetch.UserMirrors(func(name string) string {
		return map[string]string{"CONTAINERS_REGISTRIES_CONF": conf}[name]
	})
	p.replaceIn("a", `manifest_digest = "$A"`, `manifest_digest = "$OTHER"`)
	p.reg.ResetRequests()
	_, err := vendorer.Run(t.Context(), p.options)
	var blocked *packfetch.BlockedError
	var inconsistent *vendorer.InconsistentError
	if !errors.As(err, &blocked) || !errors.As(err, &inconsistent) {
		t.Errorf("%v", err)
	}
	if requests := p.reg.Requests(); len(requests) > 0 {
		t.Errorf("%v", requests)
	}
}
