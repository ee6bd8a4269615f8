package vendorer

import (
	"errors"
	"io/fs"

	"github.com/greenticai/packvendor/internal/cyclonedx"
	"github.com/greenticai/packvendor/internal/outputfile"
	"github.com/greenticai/packvendor/internal/regularfile"
)

// An sbomWriter writes one SBOM.
type sbomWriter struct {
	SBOMOptions
	into     []byte // of Merge
	output   *outputfile.File
	contents contentsReader
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
		w.output, err = openSBOMFile(so.Output)
	}
	return w, err
}

// openSBOMFile opens the place of an SBOM. A file that is there is replaced only if it is empty or
// an SBOM: the name may be that of the program, or of packs.toml.
func openSBOMFile(name string) (*outputfile.File, error) {
	output, err := outputfile.Open(name)
	if err != nil {
		return nil, err
	}
	there, err := regularfile.Read(nil, name, cyclonedx.MaxSize)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return output, nil
	case errors.As(err, new(*regularfile.LongError)), err == nil && len(there) > 0 && !cyclonedx.IsSBOM(there):
		err = &PlaceError{Path: name, Reason: "is there already, and is no CycloneDX SBOM"}
	}
	if err != nil {
		output.Close()
		return nil, err
	}
	return output, nil
}

func (w *sbomWriter) close() {
	if w.output != nil {
		w.output.Close()
	}
}

// write writes the packs.
func (w *sbomWriter) write(owner *cyclonedx.Component, packs []cyclonedx.Pack, events *orderedEvents) (*WrittenSBOM, error) {
	if w.contents.isFull() {
		return nil, &SBOMLimitError{}
	}
	var components []cyclonedx.Component
	for _, pack := range packs {
		components = append(components, pack.Component())
	}
	written := &WrittenSBOM{}
	if w.Merge == "" {
		document := cyclonedx.New(owner, components)
		components = document.Components
		written.Text, written.Added = document.Text(), len(components)
	} else {
		merged, err := w.merge(components)
		if err != nil {
			return nil, err
		}
		components = merged.Packs
		if written.Text, written.Added = merged.Text, merged.Added; merged.Orphaned && len(packs) > 0 {
			events.event(NothingDepends{File: w.Merge})
		}
	}
	for _, c := range components {
		written.Packs = append(written.Packs, SBOMPack{Name: c.Name, PURL: c.PURL, Components: len(c.Components)})
	}
	if w.output == nil {
		return written, nil
	}
	return written, w.output.WriteBytes(written.Text)
}

func (w *sbomWriter) merge(packs []cyclonedx.Component) (*cyclonedx.Merged, error) {
	merged, err := cyclonedx.Merge(w.into, packs)
	if err != nil {
		return nil, &SBOMMergeError{File: w.Merge, Err: err}
	}
	return merged, nil
}
