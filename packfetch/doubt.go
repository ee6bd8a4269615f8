package packfetch

import "bytes"

// Doubt tells whether the layer that the rules selected may not be the pack:
// it is markdown, and others are there, or it does not start as a zip archive
// does. head are the first bytes of the pack, nil if they are not known.
func (f *Fetcher) Doubt(p *Pack, head []byte) (Doubtful, bool) {
	d := Doubtful{Reference: p.Reference, Layer: p.Layer, NotZip: head != nil && !isZip(head)}
	for _, layer := range p.Layers {
		if layer.Digest != p.Layer.Digest && Accepts(layer.MediaType, f.accept) && checkLayer(layer) == nil {
			d.Others = append(d.Others, layer)
		}
	}
	markdown := p.byRules && p.Layer.MediaType == markdownType && len(d.Others) > 0
	return d, d.NotZip || markdown
}

// isZip tells whether a file that begins with head is a zip archive, which
// begins with an entry or with the end of an empty one:
// https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT, 4.3.
func isZip(head []byte) bool {
	return bytes.HasPrefix(head, []byte("PK\x03\x04")) || bytes.HasPrefix(head, []byte("PK\x05\x06"))
}
