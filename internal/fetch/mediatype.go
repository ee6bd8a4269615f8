package fetch

import (
	"slices"
	"strings"

	"github.com/greenticai/packvendor/internal/ociref"
)

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
