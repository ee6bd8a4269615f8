package fetch

import (
	"fmt"
	"strings"

	"github.com/greenticai/packvendor/internal/printable"
)

// A TagDisallowedError reports a reference without a digest where
// Options.AllowTags is not set.
type TagDisallowedError struct{ Reference string }

func (e *TagDisallowedError) Error() string {
	return fmt.Sprintf("%s has no digest, and tags are not allowed", e.Reference)
}

// An OfflineError reports that the network was needed and Options.Offline is
// set. No connection was tried.
type OfflineError struct {
	Reference string
	// Bundles says that there are bundles, and that none of them has it.
	Bundles bool
	// Tag says that the reference has no digest: only a registry knows what it
	// names.
	Tag bool
	// Tags says that the call was to list the tags of the repository.
	Tags bool
	// NoManifest says that the cache holds the pack, but not the manifest that proves
	// it: the Rust client stores none.
	NoManifest bool
	// Signatures says that no signature in the manifest is accepted, if there is one: others
	// may be in the registry.
	Signatures bool
	Verdicts   []Verdict // of the signatures in the manifest
}

func (e *OfflineError) Error() string {
	if e.Tag {
		return fmt.Sprintf("%s is a tag, and the network is off", e.Reference)
	}
	if e.Tags {
		return fmt.Sprintf("the tags of %s are in its registry alone, and the network is off", e.Reference)
	}
	if e.Signatures {
		return fmt.Sprintf("the signatures of %s are in its registry alone, and the network is off", e.Reference) + verdictLines(e.Verdicts)
	}
	if e.NoManifest {
		return fmt.Sprintf("%s is cached without its manifest, so it cannot be verified offline", e.Reference)
	}
	if e.Bundles {
		return fmt.Sprintf("%s is neither in a bundle nor cached, and the network is off", e.Reference)
	}
	return fmt.Sprintf("%s is not cached, and the network is off", e.Reference)
}

// A NoPackError reports a manifest without a layer that can be the pack.
type NoPackError struct {
	Layers   []Layer
	Override string // the media type or digest of the requested layer, if any
	Several  bool   // Override names more than one
	Reason   string // set if the error is not about layers
}

func (e *NoPackError) Error() string {
	switch {
	case e.Reason != "":
		return e.Reason
	case len(e.Layers) == 0:
		return "the manifest has no layers"
	case e.Several:
		return fmt.Sprintf("several layers are %+q: name one by digest (%s)", e.Override, layerList(e.Layers))
	case e.Override != "":
		return fmt.Sprintf("no layer is %+q (%s)", e.Override, layerList(e.Layers))
	}
	return fmt.Sprintf("no layer has a media type that is accepted for packs (%s)", layerList(e.Layers))
}

func layerList(layers []Layer) string {
	var list []string
	for _, l := range layers[:min(len(layers), maxShown)] {
		list = append(list, fmt.Sprintf("%s %s", printable.Quote(l.MediaType, maxQuoted), printable.Phrase(l.Digest, maxQuoted)))
	}
	if more := len(layers) - maxShown; more > 0 {
		list = append(list, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(list, ", ")
}

// maxShown bounds how many layers or children a message lists, maxQuoted the bytes of
// each.
const (
	maxShown  = 16
	maxQuoted = 200
)

// An IndexError reports an image index that does not lead to exactly one pack.
type IndexError struct {
	Reason   string
	Children []Child
	// Pack is the reference by digest of the first child that holds a pack if several
	// do; else "".
	Pack string
}

func (e *IndexError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "the image index %s", e.Reason)
	for i, c := range e.Children {
		if i == maxShown {
			fmt.Fprintf(&b, "\n\tand %d more", len(e.Children)-i)
			break
		}
		fmt.Fprintf(&b, "\n\t%s  %s", printable.Phrase(c.Digest, maxQuoted), printable.Phrase(c.MediaType, maxQuoted))
		if c.Platform != "" {
			fmt.Fprintf(&b, "  %s", printable.Phrase(c.Platform, maxQuoted))
		}
	}
	return b.String()
}

// An OptionError reports an invalid Options field.
type OptionError struct{ Err error }

func (e *OptionError) Error() string { return e.Err.Error() }
func (e *OptionError) Unwrap() error { return e.Err }

// A StorageError reports a failure of this machine's files, not of the registry.
type StorageError struct{ Err error }

func (e *StorageError) Error() string { return e.Err.Error() }
func (e *StorageError) Unwrap() error { return e.Err }
