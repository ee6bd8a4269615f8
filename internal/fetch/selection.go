package fetch

import (
	"fmt"
	"slices"

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
