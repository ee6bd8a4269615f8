package vendorer

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/greenticai/packvendor/internal/fetch"
	"github.com/greenticai/packvendor/lockfile"
	"github.com/greenticai/packvendor/packfetch"
)

// checkEntry sees that an entry of packs.lock contradicts neither itself nor
// packs.toml.
func (s *session) checkEntry(t *task) error {
	if err := t.Locked.Check(); err != nil {
		return err
	}
	if t.Pack.Layer == "" && !fetch.Accepts(t.Locked.MediaType, s.p.Config.AcceptMediaTypes) {
		return &InconsistentError{Name: t.Locked.Name, Field: "media_type", Got: t.Locked.MediaType, By: "no pack layer may have that type"}
	}
	return nil
}

// compare sees that an entry says of its manifest's pack what is true.
func compare(entry lockfile.Entry, pack *fetch.Resolved) error {
	if pack.ManifestDigest != entry.ManifestDigest {
		return &InconsistentError{
			Name: entry.Name, Field: "manifest_digest", Got: string(entry.ManifestDigest),
			By: "its index leads to", Want: string(pack.ManifestDigest),
		}
	}
	for _, field := range []struct{ name, locked, true string }{
		{"layer_digest", string(entry.LayerDigest), pack.Layer.Digest},
		{"size", fmt.Sprint(entry.Size), fmt.Sprint(pack.Layer.Size)},
		{"media_type", entry.MediaType, pack.Layer.MediaType},
	} {
		if field.locked != field.true {
			return &InconsistentError{Name: entry.Name, Field: field.name, Got: field.locked, By: "the manifest has", Want: field.true}
		}
	}
	return nil
}

// asInconsistent turns the error of a locked manifest that holds no pack into
// what it means: the lock lies.
func asInconsistent(entry lockfile.Entry, err error) error {
	var none *packfetch.NoPackError
	var index *packfetch.IndexError
	if errors.As(err, &none) || errors.As(err, &index) {
		return &InconsistentError{Name: entry.Name, Field: "manifest_digest", Got: string(entry.ManifestDigest), By: "that manifest holds no pack"}
	}
	return err
}

func isNotCached(err error) bool { return errors.Is(err, fs.ErrNotExist) }

func lockedLayer(entry lockfile.Entry) fetch.Layer {
	return fetch.Layer{MediaType: entry.MediaType, Digest: string(entry.LayerDigest), Size: entry.Size}
}

// checkLocked sees that the entry of a pack that stays as it is does not lie, as far
// as can be told without network. proven tells that its manifest was at hand.
func (s *session) checkLocked(t *task) (proven bool, err error) {
	if err := s.checkEntry(t); err != nil {
		return false, err
	}
	pack, err := s.ResolveCached(t.Pack.Reference.WithDigest(t.Locked.ManifestDigest), t.Locked.ManifestDigest, t.Pack.Layer)
	switch {
	case isNotCached(err):
		return false, nil
	case err != nil:
		return false, asInconsistent(t.Locked, err)
	}
	return true, compare(t.Locked, pack)
}
