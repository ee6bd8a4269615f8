package vendorer

import (
	"io"
	"slices"

	"github.com/greenticai/packvendor/embedgen"
	"github.com/greenticai/packvendor/internal/marker"
)

// takeSample takes the sample of the staged bytes.
func (t *task) takeSample(staged io.ReaderAt) error {
	first := make([]byte, min(marker.PartSize, t.entry.Size))
	if n, err := staged.ReadAt(first, 0); n < len(first) {
		return err
	}
	t.sample = marker.SampleOf(first)
	return nil
}

// sampled returns the sample of the bytes that are vendored after the run.
func (t *task) sampled() marker.Sample {
	if t.mustWrite() {
		return t.sample
	}
	return t.Vendored.Sample
}

// takeSamplesFrom takes the samples of packs whose bytes are not there from the markers in the
// generated file, so that the rest of that file can be compared. Only a marker with the locked
// layer digest counts. A false sample is found later: the bytes are verified when they are
// restored, and before they are used, and from then on the sample is theirs.
func takeSamplesFrom(tasks []*task, source []byte) {
	if !slices.ContainsFunc(tasks, (*task).mustWrite) {
		return
	}
	found := map[string]marker.Marker{}
	for _, text := range embedgen.Markers(source) {
		if m, err := marker.Parse(text); err == nil {
			found[m.Name] = m
		}
	}
	for _, t := range tasks {
		if m := found[t.entry.Name]; t.mustWrite() && m.LayerDigest == t.entry.LayerDigest {
			t.sample = m.Sample
		}
	}
}
