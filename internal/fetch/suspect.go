package fetch

import (
	"io"
	"slices"

	"github.com/greenticai/packvendor/internal/printable"
)

// Suspect tells whether the selected layer may not be the pack: it is markdown beside
// other layers, its bytes do not start like a zip archive, or other clients select another
// layer or none. bytes are the pack's; nil if unknown.
func (f *Fetcher) Suspect(p *Resolved, bytes io.ReaderAt) (SuspectLayer, bool) {
	d := SuspectLayer{Reference: p.Reference.Text(), Layer: p.Layer, NotZip: bytes != nil && !isZip(bytes)}
	for _, layer := range p.Layers {
		if layer.Digest != p.Layer.Digest && Accepts(layer.MediaType, f.accept) && checkLayer(layer) == nil {
			d.Others = append(d.Others, layer)
		}
	}
	if !p.byRules {
		return d, d.NotZip
	}
	d.FirstOfSeveral = slices.ContainsFunc(d.Others, func(l Layer) bool { return ranksAs(l, p.Layer) })
	d.Unknown = f.unknownTypes(p.Layers)
	markdown := p.Layer.MediaType == markdownType && len(d.Others) > 0
	return d, d.NotZip || markdown || d.FirstOfSeveral || len(d.Unknown) > 0
}

// warnIfSuspect sends SuspectLayer if the layer may not be the pack.
func (f *Fetcher) warnIfSuspect(p *Resolved, bytes io.ReaderAt) {
	if d, suspect := f.Suspect(p, bytes); suspect {
		f.events(d)
	}
}

// ranksAs tells whether no rule prefers one of two accepted layers. The Rust client then
// takes the first to arrive.
func ranksAs(a, b Layer) bool {
	return rank(a.MediaType) == rank(b.MediaType)
}

// rank returns the index of a preferred media type. Other types that are accepted by
// default come next, all others last.
func rank(mediaType string) int {
	if i := slices.Index(preferredTypes, mediaType); i >= 0 {
		return i
	}
	if acceptsByDefault(mediaType) {
		return len(preferredTypes)
	}
	return len(preferredTypes) + 1
}

// unknownTypes returns, printable and each once, the media types of layers that no list
// accepts, at most maxShown. For one of these the Rust client refuses the artifact.
func (f *Fetcher) unknownTypes(layers []Layer) []string {
	var unknown []string
	for _, l := range layers {
		if len(unknown) == maxShown {
			break
		}
		if shown := printable.Phrase(l.MediaType, maxQuoted); !Accepts(l.MediaType, f.accept) && !slices.Contains(unknown, shown) {
			unknown = append(unknown, shown)
		}
	}
	return unknown
}

// zipMagic is the length of a zip archive's signature, in bytes.
const zipMagic = 4

// isZip tells whether bytes start like a zip archive: with an entry, or with the end of
// an empty archive: https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT, 4.3.
func isZip(bytes io.ReaderAt) bool {
	var head [zipMagic]byte
	n, _ := bytes.ReadAt(head[:], 0)
	return string(head[:n]) == "PK\x03\x04" || string(head[:n]) == "PK\x05\x06"
}
