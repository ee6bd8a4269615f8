package vendorer

import (
	"context"

	"github.com/greenticai/packvendor/internal/ociref"
)

// A State is what is known of a pack's bytes in some place.
type State string

const (
	Present State = "yes"
	Absent  State = "no"
	Altered State = "changed" // something else stands there
	Unknown State = "-"       // the pack is not locked: nobody knows what to look for
)

// A Listed is a pack of packs.toml, and what there is of it on this machine.
type Listed struct {
	Name    string
	Ref     string // in packs.toml's words
	Version string // likewise; "" if no range is followed
	Tag     string // of the reference, or the one that was followed; "" if there is none
	Digest  ociref.Digest
	// ManifestVersion is the version that the manifest in the cache gives where that is
	// not Tag; "" if it gives none or the same, Tag is no version, or it is not there.
	ManifestVersion string
	Size            int64 // bytes; -1 if the pack is not locked
	// Vendored and Cached tell of the bytes that packs.lock names: they are hashed.
	Vendored, Cached State
}

// List lists the packs of packs.toml by name, without any network. What is stale
// in packs.lock counts as not locked.
func List(ctx context.Context, o Options) ([]Listed, error) {
	o.Offline = true
	s, err := open(ctx, o, true)
	if err != nil {
		return nil, err
	}
	defer s.close()
	vendored, err := s.p.MeasureAll(ctx)
	if err != nil {
		return nil, err
	}
	plan := MakePlan(s.p.Config.Packs, s.p.Lock, vendored, nil)
	list := make([]Listed, len(plan.Steps))
	places := make([]int, len(list))
	for i := range places {
		places[i] = i
	}
	err = eachPack(ctx, s.client, PhaseVerifying, places, func(ctx context.Context, i int) (err error) {
		list[i], err = s.listed(ctx, plan.Steps[i])
		return err
	})
	return list, err
}

// listed returns what there is of a pack; the error is the cause of ctx's end.
func (s *session) listed(ctx context.Context, step Step) (Listed, error) {
	l := Listed{
		Name: step.Pack.Name, Ref: step.Pack.Ref, Version: step.Pack.Version,
		Tag: step.Pack.Reference.Tag, Digest: step.Pack.Reference.Digest,
		Size: -1, Vendored: Unknown, Cached: Unknown,
	}
	if step.Action == Resolve {
		l.ManifestVersion = s.versionBeside(l.Tag, l.Digest)
		return l, nil
	}
	entry := step.Locked
	l.ManifestVersion = s.manifestVersion(entry)
	l.Digest, l.Size = entry.Digest(), entry.Size
	if l.Tag == "" {
		l.Tag = entry.Tag
	}
	switch {
	case step.Action == Keep:
		l.Vendored = Present
	case step.Reason == Missing:
		l.Vendored = Absent
	default:
		l.Vendored = Altered
	}
	l.Cached = Absent
	cached, err := s.IsCached(ctx, entry.ManifestDigest, lockedLayer(entry))
	if cached {
		l.Cached = Present
	}
	return l, err
}
