package vendorer

import (
	"context"

	"github.com/greenticai/packvendor/internal/ociref"
)

// A State is the state of a pack's bytes in one place.
type State string

const (
	Present State = "yes"
	Absent  State = "no"
	Altered State = "changed" // other bytes are there
	Unknown State = "-"       // the pack is not locked: nothing to compare with
)

// A Listed is a pack of packs.toml, with its state on this machine.
type Listed struct {
	Name    string
	Ref     string // as packs.toml has it
	Version string // likewise; "" without a range
	Tag     string // of the reference, or the followed one; "" if none
	Digest  ociref.Digest
	Path    string // of the file that the pack is, as packs.toml has it; Tag and Digest are then ""
	// ManifestVersion is the version of the manifest in the cache if it differs from
	// Tag; else, or if Tag is no version, "".
	ManifestVersion string
	Size            int64 // bytes; -1 if the pack is not locked
	// Signer is who signed the pack as packs.lock has it; "" if nobody, or it is not locked.
	// SignerName is the signer's name in packs.toml; "" if it has none.
	Signer, SignerName string
	// MayBeUnsigned tells that the pack's rule in [trust.rules] is an exception.
	MayBeUnsigned bool
	// Vendored and Cached are about the bytes that packs.lock names; List hashes them.
	Vendored, Cached State
}

// List lists the packs of packs.toml by name, without network. A stale entry of
// packs.lock counts as not locked.
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
	files, err := s.p.MeasureLocalFiles(ctx, maxEmbedded)
	if err != nil {
		return nil, err
	}
	plan := makePlan(s.p.Config.Packs, s.p.Lock, vendored, files, nil)
	policy := s.shownTable()
	names := signerNames(policy)
	s.tellUnaskedSigners(policy, s.p.Config.Packs...)
	list := make([]Listed, len(plan.Steps))
	err = eachPack(ctx, s.client, PhaseVerifying, indices(len(list)), func(ctx context.Context, i int) (err error) {
		list[i], err = s.listed(ctx, plan.Steps[i])
		list[i].SignerName = names[list[i].Signer]
		list[i].MayBeUnsigned = s.mayBeUnsigned(policy, plan.Steps[i].Pack)
		return err
	})
	return list, err
}

// listed returns one pack's state; the error is the cause of ctx's end.
func (s *session) listed(ctx context.Context, step Step) (Listed, error) {
	l := Listed{
		Name: step.Pack.Name, Ref: step.Pack.Ref, Version: step.Pack.Version,
		Tag: step.Pack.Reference.Tag, Digest: step.Pack.Reference.Digest,
		Size: -1, Vendored: Unknown, Cached: Unknown,
	}
	if l.Path = step.Pack.Path; l.Path != "" {
		l.Tag, l.Digest = "", ""
	}
	if step.Action == Resolve {
		l.ManifestVersion = s.versionBeside(l.Tag, l.Digest)
		return l, nil
	}
	entry := step.Locked
	l.ManifestVersion = s.manifestVersion(entry)
	l.Digest, l.Size, l.Signer = entry.Digest(), entry.Size, entry.Signer
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
	if l.Path != "" { // the cache has no files
		return l, nil
	}
	l.Cached = Absent
	cached, err := s.IsCached(ctx, entry.ManifestDigest, lockedLayer(entry))
	if cached {
		l.Cached = Present
	}
	return l, err
}
