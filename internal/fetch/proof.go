package fetch

import (
	"fmt"

	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/printable"
)

// A Selection is what the bytes of a manifest alone say of its pack.
type Selection struct {
	Layer       Layer             // the pack's; it can be requested and verified
	Annotations map[string]string // the manifest's
}

// Select finds the pack in the bytes of a manifest as Resolve does: with layer, a media type
// or a layer digest, or without one by the rules. accept is Options.AcceptMediaTypes. Errors:
// *ManifestError, *NoPackError, *IndexError if it is an index.
func Select(manifest []byte, accept []string, layer string) (Selection, error) {
	m, err := parseManifest(manifest, "")
	if err != nil {
		return Selection{}, err
	}
	if m.index {
		return Selection{}, &IndexError{Reason: "is no manifest of a pack", Children: m.children}
	}
	sel, err := selectPack(m.layers, accept, layer)
	if err != nil {
		return Selection{}, err
	}
	return Selection{Layer: sel.layer, Annotations: m.annotations}, nil
}

// CheckListed checks that an image index leads to a manifest, given the bytes of both:
// exactly one of its descriptors has the manifest's digest, and that one has its size and
// media type and is no attestation. Errors: *ManifestError, *NoPackError, *IndexError.
func CheckListed(index, manifest []byte) error {
	m, err := parseManifest(index, "")
	if err != nil {
		return err
	}
	if !m.index {
		return &ManifestError{Reason: "it is not an image index"}
	}
	digest := ociref.DigestOf(manifest)
	var listed []Child
	for _, child := range m.children {
		if child.Digest == digest.String() {
			listed = append(listed, child)
		}
	}
	if len(listed) != 1 {
		return &IndexError{Reason: fmt.Sprintf("lists manifest %s %d times, not once", digest, len(listed))}
	}
	child := listed[0]
	named, err := mediaTypeFits(manifest, child.MediaType)
	switch {
	case err != nil:
		return err
	case child.attestation:
		return &IndexError{Reason: fmt.Sprintf("lists manifest %s as an attestation", digest)}
	case child.Size != int64(len(manifest)):
		return &IndexError{Reason: fmt.Sprintf("says that manifest %s has %d bytes, but it has %d", digest, child.Size, len(manifest))}
	case !named:
		return &IndexError{Reason: fmt.Sprintf("says that manifest %s is of type %s, but it is not", digest, printable.Quote(child.MediaType, maxQuoted))}
	}
	return nil
}

// mediaTypeFits tells whether mediaType is that of a manifest: the one it names or, if it
// names none, one of its kind.
func mediaTypeFits(manifest []byte, mediaType string) (bool, error) {
	obj, err := parseObject(manifest)
	if err != nil {
		return false, &ManifestError{Reason: err.Error()}
	}
	list, err := manifestList(obj, "")
	if err != nil {
		return false, &ManifestError{Reason: err.Error()}
	}
	own := obj.str("mediaType")
	return manifestLists[mediaType] == list && (own == "" || own == mediaType), nil
}
