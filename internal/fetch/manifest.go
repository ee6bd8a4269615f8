package fetch

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/printable"
	"github.com/greenticai/packvendor/internal/verified"
)

// manifestLists maps the media types of manifests to the keys of their lists.
// https://github.com/opencontainers/image-spec/blob/main/manifest.md,
// https://github.com/opencontainers/image-spec/blob/v1.1.0-rc2/artifact.md,
// https://distribution.github.io/distribution/spec/manifest-v2-2/
var manifestLists = map[string]string{
	"application/vnd.oci.image.manifest.v1+json":                "layers",
	"application/vnd.docker.distribution.manifest.v2+json":      "layers",
	"application/vnd.oci.artifact.manifest.v1+json":             "blobs",
	"application/vnd.oci.image.index.v1+json":                   "manifests",
	"application/vnd.docker.distribution.manifest.list.v2+json": "manifests",
}

// A manifest is an image manifest, an artifact manifest or an index, as far as packvendor
// reads it.
type manifest struct {
	index       bool
	layers      []Layer // of layers or blobs
	children    []Child // of manifests
	subject     bool    // it is about another manifest: a signature, an attestation
	annotations map[string]string
}

// A ManifestError reports an ambiguous or malformed manifest.
type ManifestError struct{ Reason string }

func (e *ManifestError) Error() string { return "invalid manifest: " + e.Reason }

// parseManifest reads a manifest's body, which decides its kind; contentType, "" if
// unknown, may only contradict it. Errors: *ManifestError, *NoPackError for kinds that hold
// no packs.
func parseManifest(body []byte, contentType string) (*manifest, error) {
	m, err := readManifest(body, contentType)
	var other *NoPackError
	if err != nil && !errors.As(err, &other) {
		return nil, &ManifestError{Reason: err.Error()}
	}
	return m, err
}

func readManifest(body []byte, contentType string) (*manifest, error) {
	obj, err := parseObject(body)
	if err != nil {
		return nil, err
	}
	list, err := manifestList(obj, contentType)
	if err != nil {
		return nil, err
	}
	entries, ok := obj[list].([]any)
	if !ok && obj[list] != nil {
		return nil, fmt.Errorf("%s is not a list", list)
	}
	m := &manifest{index: list == "manifests", annotations: obj.strings("annotations"), subject: obj["subject"] != nil}
	for i, entry := range entries {
		descriptor, ok := entry.(object)
		if !ok {
			return nil, fmt.Errorf("%s[%d] is not a descriptor", list, i)
		}
		if m.index {
			m.children = append(m.children, newChild(descriptor))
		} else {
			m.layers = append(m.layers, newLayer(descriptor))
		}
	}
	return m, nil
}

// manifestList returns the key that the manifest's kind lists its content
// under.
func manifestList(obj object, contentType string) (string, error) {
	var present []string
	for _, key := range []string{"layers", "blobs", "manifests"} {
		if _, ok := obj[key]; ok {
			present = append(present, key)
		}
	}
	if len(present) > 1 {
		return "", fmt.Errorf("ambiguous manifest: it has both %s and %s", present[0], present[1])
	}
	mediaType, named := obj.str("mediaType"), manifestLists[obj.str("mediaType")]
	if _, sent := manifestLists[contentType]; sent && named != "" && contentType != mediaType {
		return "", fmt.Errorf("ambiguous manifest: its Content-Type is %s, its mediaType %s", contentType, mediaType)
	}
	switch {
	case mediaType != "" && named == "":
		return "", &NoPackError{Reason: fmt.Sprintf("packs are not read from manifests of type %s", printable.Quote(mediaType, maxQuoted))}
	case named != "" && len(present) == 1 && present[0] != named:
		return "", fmt.Errorf("ambiguous manifest: its mediaType is %s, but it has %s", mediaType, present[0])
	case named != "":
		return named, nil
	case len(present) == 1:
		return present[0], nil
	}
	return "", &NoPackError{Reason: "it is no manifest: it has neither a mediaType nor layers, blobs or manifests"}
}

// ManifestLayers returns the layers of a manifest that could be a pack. Errors:
// *ManifestError, *NoPackError.
func ManifestLayers(body []byte) ([]verified.Content, error) {
	m, err := parseManifest(body, "")
	if err != nil {
		return nil, err
	}
	var layers []verified.Content
	for _, l := range m.layers {
		if checkLayer(l) == nil {
			layers = append(layers, verified.Content{Digest: ociref.Digest(l.Digest), Size: l.Size})
		}
	}
	return layers, nil
}

// A Layer is a layer, or a blob, that a manifest lists.
type Layer struct {
	MediaType string
	Digest    string // as written; checked where the layer is selected
	Size      int64  // bytes; -1 if missing or not a size
	Title     string // the annotation org.opencontainers.image.title
}

func newLayer(descriptor object) Layer {
	return Layer{
		MediaType: descriptor.str("mediaType"),
		Digest:    descriptor.str("digest"),
		Size:      sizeOf(descriptor),
		Title:     descriptor.strings("annotations")["org.opencontainers.image.title"],
	}
}

// A Child is a manifest that an index lists.
type Child struct {
	MediaType    string
	ArtifactType string
	Digest       string
	Size         int64
	Platform     string // os/architecture, "" if not given
	attestation  bool
}

func newChild(descriptor object) Child {
	c := Child{
		MediaType:    descriptor.str("mediaType"),
		ArtifactType: descriptor.str("artifactType"),
		Digest:       descriptor.str("digest"),
		Size:         sizeOf(descriptor),
		// https://docs.docker.com/build/metadata/attestations/attestation-storage/
		attestation: descriptor.strings("annotations")["vnd.docker.reference.type"] == "attestation-manifest",
	}
	if platform, ok := descriptor["platform"].(object); ok {
		c.Platform = platform.str("os") + "/" + platform.str("architecture")
	}
	return c
}

// sizeOf returns a descriptor's size, -1 if it is not a whole number of bytes.
func sizeOf(descriptor object) int64 {
	number, _ := descriptor["size"].(json.Number)
	size, err := strconv.ParseInt(string(number), 10, 64)
	if err != nil || size < 0 {
		return -1
	}
	return size
}
