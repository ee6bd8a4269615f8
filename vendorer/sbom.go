package vendorer

import (
	"context"
	"errors"
	"fmt"

	"github.com/greenticai/packvendor/internal/cyclonedx"
	"github.com/greenticai/packvendor/internal/scratch"
)

// SBOMOptions select what WriteSBOM writes, and where.
type SBOMOptions struct {
	// Program is an executable; "" is packs.lock.
	Program string
	// Merge is an SBOM of another program, to which the packs are added; "" makes a new one.
	Merge string
	// Output is the file to write; "" writes none.
	Output string
}

// A WrittenSBOM is an SBOM with packs.
type WrittenSBOM struct {
	Text  []byte
	Packs []SBOMPack // in the order of the SBOM
	// Added is how many of them the SBOM of SBOMOptions.Merge did not have.
	Added int
}

// An SBOMPack is a pack in an SBOM.
type SBOMPack struct {
	Name, PURL string
	Components int // that its own manifest names
}

// An SBOMMergeError reports an SBOM to which no packs can be added.
type SBOMMergeError struct {
	File string
	Err  error
}

func (e *SBOMMergeError) Error() string {
	return fmt.Sprintf("cannot add packs to %s: %v", e.File, e.Err)
}

func (e *SBOMMergeError) Unwrap() error { return e.Err }

// WriteSBOM writes packs into an SBOM, with the components that their own manifests name. Of a
// project these are the locked packs: it reads the vendored ones, and takes those that are missing
// from where Run would. packs.lock must agree with packs.toml: else the error is a *LockedError.
// Of a program these are the packs whose bytes it has, and no project is read. Only the packs,
// packs.lock or the program, and the merged SBOM decide the bytes of the SBOM.
//
// Other errors: *SBOMMergeError, *InputError, *PlaceError, *LongFileError, *VendoredError,
// *NoMarkerError, *MalformedMarkersError, *LinkError, *SBOMLimitError, and those of Run.
func WriteSBOM(ctx context.Context, o Options, so SBOMOptions) (*WrittenSBOM, error) {
	w, err := openSBOMWriter(so)
	if err != nil {
		return nil, err
	}
	defer w.close()
	if so.Program != "" {
		return writeProgramSBOM(ctx, o, w)
	}
	o.Jobs = min(o.jobs(), maxChecked) // each pack has a copy on disk
	s, err := open(ctx, o, false)
	if err != nil {
		return nil, err
	}
	defer s.close()
	packs, err := s.sbomPacks(ctx, &w.contents)
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
func (s *session) sbomPacks(ctx context.Context, contents *contentsReader) ([]cyclonedx.Pack, error) {
	plan := makePlan(s.p.Config.Packs, s.p.Lock, nil, nil, nil)
	if err := s.lockedError(plan); err != nil {
		return nil, err
	}
	if err := errors.Join(s.limitErrors(plan.tasks())...); err != nil {
		return nil, err
	}
	s.p.Unlock() // what changes meanwhile is found out by its digest
	packs := make([]cyclonedx.Pack, len(plan.Steps))
	err := eachPack(ctx, s.client, PhaseVerifying, indices(len(packs)), func(ctx context.Context, i int) (err error) {
		step := plan.Steps[i]
		if packs[i], err = s.sbomPack(ctx, step, contents); err != nil {
			return s.packError(step.Pack, Restore, &step.Locked, err)
		}
		return nil
	})
	return packs, err
}

// sbomPack reads one pack.
func (s *session) sbomPack(ctx context.Context, step Step, contents *contentsReader) (cyclonedx.Pack, error) {
	entry := step.Locked
	p := cyclonedx.Pack{
		Name: entry.Name, Reference: entry.Reference(), Tag: entry.AnyTag(), Path: entry.Path,
		ManifestDigest: entry.ManifestDigest, LayerDigest: entry.LayerDigest, Size: entry.Size, Signer: entry.Signer,
	}
	if contents.isFull() {
		return p, nil // there will be no SBOM
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
	err = contents.read(ctx, &p, bytes, s.events)
	return p, err
}
