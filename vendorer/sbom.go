package vendorer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"github.com/greenticai/packvendor/internal/cyclonedx"
	"github.com/greenticai/packvendor/internal/fetch"
	"github.com/greenticai/packvendor/internal/gtpack"
	"github.com/greenticai/packvendor/internal/regularfile"
	"github.com/greenticai/packvendor/internal/scratch"
	"github.com/greenticai/packvendor/internal/verified"
	"github.com/greenticai/packvendor/lockfile"
	"github.com/greenticai/packvendor/packsfile"
	"github.com/greenticai/packvendor/vendorer/internal/project"
)

// SBOMOptions select what MakeSBOM writes, and where.
type SBOMOptions struct {
	// Merge is an SBOM of another program, to which the packs are added; "" makes a new one.
	Merge string
	// Output is the file to write; "" writes none.
	Output string
}

// A MadeSBOM is an SBOM with packs.
type MadeSBOM struct {
	Text  []byte
	Packs []SBOMPack // by name
	// Added is how many of them the SBOM of SBOMOptions.Merge did not have.
	Added int
}

// An SBOMPack is a pack in an SBOM.
type SBOMPack struct {
	Name, PURL string
	Components int // that its own manifest names
}

// A MergeError reports an SBOM to which no packs can be added.
type MergeError struct {
	File string
	Err  error
}

func (e *MergeError) Error() string { return fmt.Sprintf("cannot add packs to %s: %v", e.File, e.Err) }

func (e *MergeError) Unwrap() error { return e.Err }

// MakeSBOM writes the locked packs into an SBOM, with the components that their own manifests
// name: it reads the vendored packs, and takes those that are missing from where Run would. Its
// bytes depend on the packs, packs.lock and the SBOM to merge into alone. packs.lock must agree
// with packs.toml: else the error is a *LockedError.
//
// Other errors: *MergeError, *InputError, *PlaceError, *LongFileError, *VendoredError, and those
// of Run.
func MakeSBOM(ctx context.Context, o Options, so SBOMOptions) (*MadeSBOM, error) {
	w, err := openSBOMWriter(so)
	if err != nil {
		return nil, err
	}
	defer w.close()
	o.Jobs = min(o.jobs(), maxChecked) // each pack has a copy on disk
	s, err := open(ctx, o, false)
	if err != nil {
		return nil, err
	}
	defer s.close()
	packs, err := s.sbomPacks(ctx)
	if err != nil {
		return nil, err
	}
	var owner *cyclonedx.Component
	if importPath := s.p.ImportPath(); importPath != "" {
		owner = cyclonedx.Owner(importPath)
	}
	return w.write(owner, packs, s.events)
}

// sbomPacks reads the locked packs, by name.
func (s *session) sbomPacks(ctx context.Context) ([]cyclonedx.Pack, error) {
	plan := makePlan(s.p.Config.Packs, s.p.Lock, nil, nil, nil)
	if err := s.lockedError(plan); err != nil {
		return nil, err
	}
	s.p.Unlock() // what changes meanwhile is found out by its digest
	packs := make([]cyclonedx.Pack, len(plan.Steps))
	places := make([]int, len(packs))
	for i := range places {
		places[i] = i
	}
	err := eachPack(ctx, s.client, PhaseVerifying, places, func(ctx context.Context, i int) (err error) {
		step := plan.Steps[i]
		if packs[i], err = s.sbomPack(ctx, step); err != nil {
			return s.packError(step.Pack, Restore, &step.Locked, err)
		}
		return nil
	})
	return packs, err
}

// sbomPack reads one pack.
func (s *session) sbomPack(ctx context.Context, step Step) (cyclonedx.Pack, error) {
	entry := step.Locked
	p := cyclonedx.Pack{
		Name: entry.Name, Reference: entry.Reference(), Tag: entry.AnyTag(), Path: entry.Path,
		ManifestDigest: entry.ManifestDigest, LayerDigest: entry.LayerDigest, Size: entry.Size, Signer: entry.Signer,
	}
	if err := s.checkEntry(&task{Step: step}); err != nil {
		return p, err
	}
	bytes, err := scratch.New()
	if err != nil {
		return p, err
	}
	defer bytes.Close()
	if err := s.copyLocked(ctx, step.Pack, entry, bytes); err != nil {
		return p, err
	}
	switch pack, err := gtpack.Read(ctx, bytes); {
	case errors.As(err, new(*gtpack.NotPackError)), errors.As(err, new(*gtpack.MalformedError)):
		s.events.event(UnreadComponents{Name: entry.Name, Err: err})
		p.Unread = true
	case err != nil:
		return p, err
	default:
		p.Contents = pack.Components
	}
	return p, nil
}

// copyLocked copies the bytes of a locked pack: of the vendored file or, if there is none, of
// the local file, a bundle, the cache or the registry.
func (s *session) copyLocked(ctx context.Context, pack packsfile.Pack, entry lockfile.Entry, to *scratch.File) error {
	is, err := s.p.Look(ctx, entry.Name)
	switch {
	case err != nil:
		return err
	case !is.IsZero() && !is.LFS:
		return s.copyVendored(ctx, entry, to)
	case entry.Path != "":
		err := s.p.CopyLocalFile(ctx, pack.Path, project.ContentOf(entry), to)
		if errors.As(err, new(*ChangedError)) {
			return &LockedError{File: s.p.Show(s.p.LockFile), Stale: []string{entry.Name}}
		}
		return err
	}
	found, err := s.Resolve(ctx, pack.Reference.WithDigest(entry.ManifestDigest), pack.Layer)
	if err != nil {
		return asInconsistent(entry, err)
	}
	if err := compare(entry, found); err != nil {
		return err
	}
	_, err = s.Copy(ctx, found, to)
	return err
}

// copyVendored copies a vendored pack, which must be the locked one.
func (s *session) copyVendored(ctx context.Context, entry lockfile.Entry, to io.Writer) error {
	err := s.p.Copy(ctx, entry, to)
	if !errors.As(err, new(*verified.MismatchError)) {
		return err
	}
	is, err := s.p.Measure(ctx, s.p.PackFile(entry.Name), entry.Size)
	if err != nil {
		return err
	}
	return s.vendoredError(entry, is)
}

// An sbomWriter writes one SBOM.
type sbomWriter struct {
	SBOMOptions
	into   []byte // of Merge
	output *fetch.Output
}

// openSBOMWriter reads the SBOM to merge into, and opens the place to write to.
func openSBOMWriter(so SBOMOptions) (*sbomWriter, error) {
	w := &sbomWriter{SBOMOptions: so}
	var err error
	if so.Merge != "" {
		if w.into, err = regularfile.Read(nil, so.Merge, cyclonedx.MaxSize); errors.As(err, new(*fs.PathError)) {
			err = &InputError{File: so.Merge, Err: err}
		}
		if err != nil {
			return nil, err
		}
		if _, err := w.merge(nil); err != nil { // before any pack is read
			return nil, err
		}
	}
	if so.Output != "" {
		w.output, err = fetch.OpenOutput(so.Output)
	}
	return w, err
}

func (w *sbomWriter) close() {
	if w.output != nil {
		w.output.Close()
	}
}

// write writes the packs.
func (w *sbomWriter) write(owner *cyclonedx.Component, packs []cyclonedx.Pack, events *orderedEvents) (*MadeSBOM, error) {
	made := &MadeSBOM{Added: len(packs)}
	var components []cyclonedx.Component
	for _, pack := range packs {
		c := pack.Component()
		components = append(components, c)
		made.Packs = append(made.Packs, SBOMPack{Name: c.Name, PURL: c.PURL, Components: len(c.Components)})
	}
	if w.Merge == "" {
		made.Text = cyclonedx.New(owner, components).Text()
	} else {
		merged, err := w.merge(components)
		if err != nil {
			return nil, err
		}
		if made.Text, made.Added = merged.Text, merged.Added; merged.Orphaned && len(packs) > 0 {
			events.event(NothingDepends{File: w.Merge})
		}
	}
	if w.output == nil {
		return made, nil
	}
	return made, w.output.Write(func(to io.Writer) error {
		_, err := to.Write(made.Text)
		return err
	})
}

func (w *sbomWriter) merge(packs []cyclonedx.Component) (*cyclonedx.Merged, error) {
	merged, err := cyclonedx.Merge(w.into, packs)
	if err != nil {
		return nil, &MergeError{File: w.Merge, Err: err}
	}
	return merged, nil
}
