package fetch

import (
	"bytes"
	"slices"

	"github.com/greenticai/packvendor/internal/printable"
)

// Doubt tells whether the layer that the rules selected may not be the pack: it
// is markdown, and others are there; it does not start as a zip archive does; or
// other clients select another layer or none. head are the first bytes of the
// pack, nil if they are not known.
func (f *Fetcher) Doubt(p *Pack, head []byte) (Doubtful, bool) {
	d := Doubtful{Reference: p.Reference.Text(), Layer: p.Layer, NotZip: head != nil && !isZip(head)}
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

// ranksAs tells whether no rule prefers one of two accepted layers: the Rust client
// takes the one that arrives first.
func ranksAs(a, b Layer) bool {
	return rank(a.MediaType) == rank(b.MediaType)
}

// rank is a media type's place among the preferred ones, the number of these for
// the others that are accepted by default, and one more for those that are not.
func rank(mediaType string) int {
	if i := slices.Index(preferredTypes, mediaType); i >= 0 {
		return i
	}
	if acceptsByDefault(mediaType) {
		return len(preferredTypes)
	}
	return len(preferredTypes) + 1
}

// unknownTypes returns the media types of layers that are accepted by no list, each
// once and as it can be printed, and no more than a message names: for one of these
// the Rust client refuses the artifact.
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

// isZip tells whether a file that begins with head is a zip archive, which
// begins with an entry or with the end of an empty one:
// https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT, 4.3.
func isZip(head []byte) bool {
	return bytes.HasPrefix(head, []byte("PK\x03\x04")) || bytes.HasPrefix(head, []byte("PK\x05\x06"))
}
