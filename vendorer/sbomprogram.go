package vendorer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"runtime/debug"
	"strings"

	"github.com/greenticai/packvendor/internal/cyclonedx"
	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/program"
	"github.com/greenticai/packvendor/internal/regularfile"
)

// A ProgramSBOMError reports a program that does not tell which packs it has.
type ProgramSBOMError struct {
	Program string
	Name    string // of a pack whose bytes are wrong or unknown; "" if there is no marker at all
	Unknown bool   // whether it has the bytes could not be found out
}

func (e *ProgramSBOMError) Error() string {
	switch {
	case e.Name == "":
		return e.Program + " names no packs: it has no markers"
	case e.Unknown:
		return fmt.Sprintf("%s: it could not be found out whether the bytes of %s are there: there are too many places where they could be", e.Program, e.Name)
	}
	return fmt.Sprintf("%s: the bytes of %s are not those that the program names", e.Program, e.Name)
}

// makeProgramSBOM is MakeSBOM of a program.
func makeProgramSBOM(ctx context.Context, o Options, w *sbomWriter) (*MadeSBOM, error) {
	file, err := program.Open(w.Program)
	if errors.As(err, new(*regularfile.PlaceError)) {
		return nil, err
	}
	if err != nil {
		return nil, &InputError{File: w.Program, Err: err}
	}
	defer file.Close()
	linked, _, err := file.Packs(ctx)
	switch {
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case err != nil:
		return nil, &InputError{File: w.Program, Err: err}
	case len(linked) == 0:
		return nil, &ProgramSBOMError{Program: w.Program}
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
			errs = append(errs, &ProgramSBOMError{Program: w.Program, Name: l.Name, Unknown: l.State == program.Unknown})
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
	if l.Bytes == nil { // shorter than any pack
		l.Bytes = io.NewSectionReader(strings.NewReader(""), 0, 0)
	}
	return p, w.contents.read(ctx, &p, l.Bytes, events)
}
