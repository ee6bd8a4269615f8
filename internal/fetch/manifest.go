package fetch

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

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

// defaultTypes are the media types of manifests that name none, by the keys of their lists.
var defaultTypes = map[string]string{
	"layers":    "application/vnd.oci.image.manifest.v1+json",
	"blobs":     "application/vnd.oci.artifact.manifest.v1+json",
	"manifests": "application/vnd.oci.image.index.v1+json",
}

// A manifest is an image manifest, an artifact manifest or an index, as far as packvendor
// reads it.
type manifest struct {
	mediaType   string // its own or, if it names none, that of its kind
	index       bool
	layers      []Layer // of layers or blobs
	blobs       []blob  // all that it lists and that is no manifest
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
	m := &manifest{
		mediaType: cmp.Or(obj.str("mediaType"), defaultTypes[list]),
		index:     list == "manifests", annotations: obj.strings("annotations"), subject: obj["subject"] != nil,
	}
	if config, ok := obj["config"].(object); ok {
		m.addBlob(config)
	}
	for i, entry := range entries {
		descriptor, ok := entry.(object)
		if !ok {
			return nil, fmt.Errorf("%s[%d] is not a descriptor", list, i)
		}
		if m.index {
			m.children = append(m.children, newChild(descriptor))
		} else {
			m.layers = append(m.layers, newLayer(descriptor))
			m.addBlob(descriptor)
		}
	}
	return m, nil
}

// A blob is a layer, a blob or the configuration that a manifest lists.
type blob struct {
	Layer
	data string // the bytes, if the descriptor embeds them, in base64
}

func (m *manifest) addBlob(descriptor object) {
	m.blobs = append(m.blobs, blob{newLayer(descriptor), descriptor.str("data")})
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

// maxDepth is deeper than any manifest nests.
const maxDepth = 32

// maxValues is more values, keys aside, than any manifest holds. In memory a value takes
// many times its length.
const maxValues = 100_000

// A reader reads JSON and counts its values.
type reader struct {
	*json.Decoder
	values int
}

// An object is a JSON object with its keys as written.
type object map[string]any

// parseObject reads one JSON object that all parsers read alike: no key stands twice or
// differs from another by case alone (Go's parser folds case for structs), and nothing but
// white space follows. Annotations may differ by case: nobody folds a map's keys.
// Values are object, []any, string, json.Number, bool or nil.
func parseObject(data []byte) (object, error) {
	d := &reader{Decoder: json.NewDecoder(bytes.NewReader(data))}
	d.UseNumber()
	value, err := parseValue(d, 0, true)
	if err != nil {
		return nil, err
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, errors.New("data after the JSON object")
	}
	obj, ok := value.(object)
	if !ok {
		return nil, errors.New("not a JSON object")
	}
	return obj, nil
}

func parseValue(d *reader, depth int, fold bool) (any, error) {
	token, err := next(d)
	if err != nil {
		return nil, err
	}
	if depth > maxDepth {
		return nil, fmt.Errorf("JSON nested deeper than %d", maxDepth)
	}
	if d.values++; d.values > maxValues {
		return nil, fmt.Errorf("JSON of more than %d values", maxValues)
	}
	switch token {
	case json.Delim('{'):
		return parseMembers(d, depth, fold)
	case json.Delim('['):
		return parseElements(d, depth)
	}
	return token, nil
}

func parseMembers(d *reader, depth int, fold bool) (object, error) {
	obj := object{}
	folded := map[string]bool{}
	for d.More() {
		token, err := next(d)
		if err != nil {
			return nil, err
		}
		key, _ := token.(string) // the decoder accepts no other key
		if _, twice := obj[key]; twice {
			return nil, fmt.Errorf("key %s twice in one object", printable.Quote(key, maxQuoted))
		}
		if f := foldKey(key); fold && folded[f] {
			return nil, fmt.Errorf("key %s and another that differs only by case", printable.Quote(key, maxQuoted))
		} else {
			folded[f] = true
		}
		if obj[key], err = parseValue(d, depth+1, key != "annotations"); err != nil {
			return nil, err
		}
	}
	_, err := next(d) // the closing brace
	return obj, err
}

func parseElements(d *reader, depth int) ([]any, error) {
	list := []any{}
	for d.More() {
		value, err := parseValue(d, depth+1, true)
		if err != nil {
			return nil, err
		}
		list = append(list, value)
	}
	_, err := next(d) // the closing bracket
	return list, err
}

// next returns a token of a document that must not end yet.
func next(d *reader) (json.Token, error) {
	token, err := d.Token()
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return nil, fmt.Errorf("not JSON: %w", err)
	}
	return token, nil
}

// foldKey maps strings that are equal under Unicode case folding to one,
// including the two letters outside ASCII that fold to ASCII ones.
func foldKey(s string) string { return strings.ToLower(strings.ToUpper(s)) }

// str returns the string under key, "" if there is none.
func (o object) str(key string) string {
	s, _ := o[key].(string)
	return s
}

// strings returns the object of strings under key, nil if there is none.
// It skips values of other types, which the image specification does not allow.
func (o object) strings(key string) map[string]string {
	members, ok := o[key].(object)
	if !ok {
		return nil
	}
	m := make(map[string]string, len(members))
	for k, v := range members {
		if s, ok := v.(string); ok {
			m[k] = s
		}
	}
	return m
}
