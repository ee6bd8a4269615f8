package vendorer

import (
	"io"

	"github.com/greenticai/packvendor/embedgen"
	"github.com/greenticai/packvendor/internal/marker"
	"github.com/greenticai/packvendor/internal/ociref"
)

// A sample is what the marker in the generated file says about the first bytes of a pack.
type sample struct {
	head string
	part ociref.Digest
}

// takeSample takes the sample of the staged bytes.
func (t *task) takeSample(staged io.ReaderAt) error {
	first := make([]byte, min(marker.PartSize, t.entry.Size))
	if n, err := staged.ReadAt(first, 0); n < len(first) {
		return err
	}
	t.sample.head, t.sample.part = marker.Sample(first)
	return nil
}

// sampled returns the sample of the bytes that are vendored after the run.
func (t *task) sampled() sample {
	if t.mustWrite() {
		return t.sample
	}
	return sample{t.Vendored.Head, t.Vendored.Part}
}

// believeSamples takes the samples of packs whose bytes are not there from the generated file.
func believeSamples(tasks []*task, source []byte) {
	believed := map[string]marker.Marker{}
	for _, text := range embedgen.Markers(source) {
		if m, err := marker.Parse(text); err == nil {
			believed[m.Name] = m
		}
	}
	for _, t := range tasks {
		if m := believed[t.entry.Name]; t.mustWrite() && m.LayerDigest == t.entry.LayerDigest {
			t.sample = sample{m.Head, m.Part}
		}
	}
}
