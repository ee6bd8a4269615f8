package layout

import (
	"fmt"

	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/printable"
	"github.com/greenticai/packvendor/internal/strictjson"
	"github.com/greenticai/packvendor/internal/verified"
)

// An Entry is a descriptor of index.json: a manifest or an index with its labels.
type Entry struct {
	// Name is the annotation org.opencontainers.image.ref.name: a pack's name in layouts
	// of packvendor, mostly a tag in others. oras and regctl take it for a tag.
	Name string
	// Reference is the annotation io.containerd.image.name: the full reference.
	Reference string
	MediaType string
	verified.Content
}

const (
	nameAnnotation      = "org.opencontainers.image.ref.name"
	referenceAnnotation = "io.containerd.image.name"
	layoutVersion       = "1.0.0"
	indexType           = "application/vnd.oci.image.index.v1+json"
)

// A marker is the file oci-layout.
type marker struct {
	Version string `json:"imageLayoutVersion"`
}

// An index is the file index.json.
type index struct {
	SchemaVersion int          `json:"schemaVersion"`
	MediaType     string       `json:"mediaType"`
	Manifests     []descriptor `json:"manifests"`
}

type descriptor struct {
	MediaType   string            `json:"mediaType"`
	Digest      ociref.Digest     `json:"digest"`
	Size        int64             `json:"size"`
	Annotations map[string]string `json:"annotations,omitempty"`
}

func parseMarker(data []byte) error {
	return strictjson.Read(data, func(o strictjson.Object) {
		if version := o.String("imageLayoutVersion"); version != layoutVersion {
			o.Fail("imageLayoutVersion", "is %s, not %q", printable.Quote(version, maxQuoted), layoutVersion)
		}
	})
}

// parseIndex returns the entries of an index.json, without those whose digest is not
// sha256: nobody could ask for them.
func parseIndex(data []byte) ([]Entry, error) {
	var entries []Entry
	err := strictjson.Read(data, func(o strictjson.Object) {
		for _, d := range o.Objects("manifests") {
			e := Entry{MediaType: d.String("mediaType")}
			digest, err := ociref.ParseDigest(d.String("digest"))
			e.Content = verified.Content{Digest: digest, Size: int64(d.Int("size"))}
			if d.Has("annotations") {
				annotations := d.StringMap("annotations")
				e.Name, e.Reference = annotations[nameAnnotation], annotations[referenceAnnotation]
			}
			if err == nil {
				entries = append(entries, e)
			}
		}
	})
	if err != nil {
		return nil, err
	}
	return entries, nil
}

// formatIndex returns the index.json of entries, in their order.
func formatIndex(entries []Entry) []byte {
	x := index{SchemaVersion: 2, MediaType: indexType, Manifests: []descriptor{}}
	for _, e := range entries {
		d := descriptor{MediaType: e.MediaType, Digest: e.Digest, Size: e.Size, Annotations: map[string]string{}}
		for key, value := range map[string]string{nameAnnotation: e.Name, referenceAnnotation: e.Reference} {
			if value != "" {
				d.Annotations[key] = value
			}
		}
		x.Manifests = append(x.Manifests, d)
	}
	return format(x)
}

func format(value any) []byte {
	text, err := printable.MarshalJSON(value, "", "")
	if err != nil {
		panic(fmt.Sprint("layout: ", err)) // strings and numbers only
	}
	return append(text, '\n')
}
