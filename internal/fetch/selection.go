package fetch

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/printable"
)

// A selection is the pack's layer in a manifest.
type selection struct {
	layer Layer
	// shared says that the rules without an override select this layer too: the
	// manifest's cache entry holds it.
	shared bool
}

// selectPack finds the pack among a manifest's layers: by override, a media type or a
// layer digest; else by the rules of the Rust client's select_layer. Media types that only
// accept lists count if the default list accepts no layer. The error is *NoPackError or
// *ManifestError.
func selectPack(layers []Layer, accept []string, override string) (selection, error) {
	index := defaultLayer(layers, accept)
	sel := selection{shared: true}
	if override != "" {
		named, err := namedLayer(layers, override)
		if err != nil {
			return selection{}, err
		}
		sel.shared = index >= 0 && layers[index].Digest == layers[named].Digest
		index = named
	}
	if index < 0 {
		return selection{}, &NoPackError{Layers: layers}
	}
	sel.layer = layers[index]
	return sel, checkLayer(sel.layer)
}

// defaultLayer returns the index of the layer that the rules select, -1 if
// none.
func defaultLayer(layers []Layer, accept []string) int {
	for _, preferred := range preferredTypes {
		if i := slices.IndexFunc(layers, func(l Layer) bool { return l.MediaType == preferred }); i >= 0 {
			return i
		}
	}
	if i := slices.IndexFunc(layers, func(l Layer) bool { return acceptsByDefault(l.MediaType) }); i >= 0 {
		return i
	}
	return slices.IndexFunc(layers, func(l Layer) bool { return Accepts(l.MediaType, accept) })
}

// namedLayer returns the index of the one layer that override names.
func namedLayer(layers []Layer, override string) (int, error) {
	_, digestErr := ociref.ParseDigest(override)
	found := -1
	for i, l := range layers {
		if digestErr == nil && l.Digest == override {
			return i, nil
		}
		if digestErr == nil || l.MediaType != override {
			continue
		}
		if found >= 0 && layers[found].Digest != l.Digest {
			return -1, &NoPackError{Override: override, Several: true, Layers: layers}
		}
		if found < 0 {
			found = i
		}
	}
	if found < 0 {
		return -1, &NoPackError{Override: override, Layers: layers}
	}
	return found, nil
}

// checkLayer checks that the bytes of a layer can be requested and verified.
func checkLayer(l Layer) error {
	if _, err := ociref.ParseDigest(l.Digest); err != nil {
		return &ManifestError{Reason: fmt.Sprintf("pack layer: %v", err)}
	}
	if l.Size < 0 {
		return &ManifestError{Reason: "pack layer: its size is missing or not a number of bytes"}
	}
	if !ociref.IsMediaType(l.MediaType) {
		return &ManifestError{Reason: fmt.Sprintf("pack layer: %s is not a media type", printable.Quote(l.MediaType, maxQuoted))}
	}
	return nil
}

// preferredTypes are the layer media types that mark the pack, best first; acceptedTypes
// are all that may be one. Both are the lists of the Rust client
// (default_preferred_pack_layer_media_types and default_pack_layer_media_types
// in its src/oci_packs.rs), which also accepts acceptedSuffixes.
var (
	preferredTypes = []string{
		"application/vnd.greentic.pack+json",
		"application/vnd.greentic.gtpack.v1+zip",
		"application/vnd.greentic.gtpack+zip",
		"application/vnd.greentic.pack+zip",
		markdownType,
	}
	acceptedTypes = append(slices.Clone(preferredTypes),
		"application/octet-stream",
		"application/json",
		"application/vnd.oci.image.layer.v1.tar",
		"application/vnd.oci.image.layer.v1.tar+gzip",
		"application/vnd.oci.image.layer.v1.tar+zstd",
	)
	acceptedSuffixes = []string{"+tar", "+tar+gzip", "+tar+zstd"}
)

const markdownType = "text/markdown"

// Accepts tells whether a layer of mediaType may be a pack: the default list or more
// names it.
func Accepts(mediaType string, more []string) bool {
	return acceptsByDefault(mediaType) || ociref.IsMediaType(mediaType) && slices.Contains(more, mediaType)
}

func acceptsByDefault(mediaType string) bool {
	if slices.Contains(acceptedTypes, mediaType) {
		return true
	}
	return ociref.IsMediaType(mediaType) && slices.ContainsFunc(acceptedSuffixes, func(suffix string) bool {
		return strings.HasSuffix(mediaType, suffix)
	})
}

// Suspect tells whether the selected layer may not be the pack: it is markdown beside
// other layers, its bytes do not start like a zip archive, or other clients select another
// layer or none. bytes are the pack's; nil if unknown.
func (f *Fetcher) Suspect(p *Resolved, bytes io.ReaderAt) (SuspectLayer, bool) {
	d := SuspectLayer{Reference: p.Reference.Text(), Layer: p.Layer, NotZip: bytes != nil && !IsZip(bytes)}
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

// IsZip tells whether bytes start like a zip archive: with an entry, or with the end of
// an empty archive: https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT, 4.3.
func IsZip(bytes io.ReaderAt) bool {
	var head [zipMagic]byte
	n, _ := bytes.ReadAt(head[:], 0)
	return string(head[:n]) == "PK\x03\x04" || string(head[:n]) == "PK\x05\x06"
}
