package vendorer

import (
	"context"
	"errors"
	"path/filepath"
	"runtime/debug"

	"github.com/greenticai/packvendor/internal/cyclonedx"
	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/program"
)

// writeProgramSBOM is WriteSBOM of a program.
func writeProgramSBOM(ctx context.Context, o Options, w *sbomWriter) (*WrittenSBOM, error) {
	file, err := openProgram(w.Program)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	linked, malformed, err := linkedPacks(ctx, w.Program, file)
	switch {
	case err != nil:
		return nil, err
	case malformed > 0: // the SBOM would lack packs
		return nil, &MalformedMarkersError{Program: w.Program, Count: malformed}
	case len(linked) == 0:
		return nil, &NoMarkerError{Program: w.Program}
	}
	events := &orderedEvents{tell: o.Events}
	defer events.flush()
	packs, err := w.heldPacks(ctx, linked, events)
	if err != nil {
		return nil, err
	}
	info, _ := file.BuildInfo() // a program without it is known by its file
	return w.write(programComponent(w.Program, info), packs, events)
}

// programComponent is the component of a program. info may be nil.
func programComponent(path string, info *debug.BuildInfo) *cyclonedx.Component {
	if info == nil || info.Path == "" {
		return cyclonedx.Program(filepath.Base(path), "")
	}
	version := info.Main.Version
	if version == "(devel)" { // what the go command writes where it knows none
		version = ""
	}
	return cyclonedx.Program(info.Path, version)
}

// heldPacks reads the packs whose bytes a program has.
func (w *sbomWriter) heldPacks(ctx context.Context, linked []program.Pack, events *orderedEvents) ([]cyclonedx.Pack, error) {
	var packs []cyclonedx.Pack
	var errs []error
	for _, l := range linked {
		switch l.State {
		case program.Absent:
			events.event(LeftOutOfSBOM{Program: w.Program, Name: l.Name})
			continue
		case program.Other, program.Unknown:
			errs = append(errs, ProgramPack{Package: l.Package, Name: l.Name, Linked: &l}.fault(w.Program))
			continue
		}
		p, err := w.heldPack(ctx, l, events)
		if err != nil {
			return nil, err
		}
		packs = append(packs, p)
	}
	return packs, errors.Join(errs...)
}

// heldPack reads one pack. A program does not say who signed its packs.
func (w *sbomWriter) heldPack(ctx context.Context, l program.Pack, events *orderedEvents) (cyclonedx.Pack, error) {
	p := cyclonedx.Pack{Name: l.Name, ManifestDigest: l.ManifestDigest, LayerDigest: l.LayerDigest, Size: l.Size}
	if path, ok := l.File(); ok {
		p.Path = path
	} else {
		ref, err := ociref.Parse(l.Ref)
		if err != nil {
			return p, &InputError{File: w.Program, Err: err}
		}
		p.Reference, p.Tag = ref, ref.Tag
	}
	err := w.contents.read(ctx, &p, l.Bytes, events)
	return p, err
}
