package vendorer_test

import (
	"errors"
	"testing"

	"github.com/greenticai/packvendor/internal/packtest"
	"github.com/greenticai/packvendor/vendorer"
)

// pushClaim stores a pack whose manifest claims a size that its blob does not have.
func (p *project) pushClaim(name, repository string, size int64) {
	p.t.Helper()
	p.pushArtifact(name, repository, packtest.Artifact{Layers: []packtest.Layer{{Data: packtest.Zip(repository, "1", 0), Size: &size}}})
}

func TestTooLarge(t *testing.T) {
	for _, test := range []struct {
		name   string
		a, b   int64
		want   string
		events []string
	}{
		{"one", 2_000_000_001, 5, "$DIR/packs.toml:2: packs.a: the pack has 2000000001 bytes: more than 2000000000 cannot be linked into a Go program", nil},
		{"each", 1 << 62, 1 << 62, "$DIR/packs.toml:2: packs.a: the pack has 4611686018427387904 bytes: more than 2000000000 cannot be linked into a Go program\n" +
			"$DIR/packs.toml:3: packs.b: the pack has 4611686018427387904 bytes: more than 2000000000 cannot be linked into a Go program", nil},
		{"together", 1_999_999_999, 2, "all packs of $DIR/packs.toml together have 2000000001 bytes: more than 2000000000 cannot be linked into a Go program",
			[]string{"vendorer.Large{Name:a Size:1999999999}"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := newProject(t)
			p.pushClaim("A", "a", test.a)
			p.pushClaim("B", "b", test.b)
			p.packs(`a = "$REG/a@$A"`, `b = "$REG/b@$B"`)
			err := p.fails(p.runs(), test.want)
			var large *vendorer.UsageError
			if !errors.As(err, &large) {
				t.Errorf("error is a %T", err)
			}
			p.wantEvents(test.events...)
			p.wantRequests("GET /v2/a/manifests/$A", "GET /v2/b/manifests/$B") // and no blob
		})
	}
}

// Offline, nothing contradicts the size in packs.lock.
func TestTooLargeLocked(t *testing.T) {
	p := newVendored(t)
	p.coldCache()
	p.remove("app/packs")
	p.replace("app/packs.lock", "size = $A_SIZE", "size = 2000000001")
	p.options.Offline = true
	p.fails(p.runs(), "$DIR/packs.toml:2: packs.a: the pack has 2000000001 bytes: more than 2000000000 cannot be linked into a Go program")
}

// The blobs have other sizes than the warnings claim, so these runs fail after the
// warnings.
func TestLarge(t *testing.T) {
	for _, test := range []struct {
		name   string
		a, b   int64
		events []string
	}{
		{"just not", 100_000_000, 5, nil},
		{"one", 100_000_001, 5, []string{"vendorer.Large{Name:a Size:100000001}"}},
		{"both", 100_000_001, 100_000_002, []string{"vendorer.Large{Name:a Size:100000001}", "vendorer.Large{Name:b Size:100000002}"}},
		{"just not together", 500<<20 - 5, 5, []string{"vendorer.Large{Name:a Size:524287995}"}},
		{"together", 500<<20 - 5, 6, []string{"vendorer.LargeTotal{Size:524288001}", "vendorer.Large{Name:a Size:524287995}"}},
		{"most", 1_999_999_999, 1, []string{"vendorer.LargeTotal{Size:2000000000}", "vendorer.Large{Name:a Size:1999999999}"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := newProject(t)
			p.pushClaim("A", "a", test.a)
			p.pushClaim("B", "b", test.b)
			p.packs(`a = "$REG/a@$A"`, `b = "$REG/b@$B"`)
			before := p.snapshot(false)
			if _, err := p.run(); err == nil {
				t.Error("blobs of other sizes passed")
			}
			p.wantEvents(test.events...)
			if p.snapshot(false) != before {
				t.Error("files changed")
			}
		})
	}
}
