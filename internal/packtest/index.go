package packtest

import (
	"encoding/json"
	"fmt"

	"github.com/greenticai/packvendor/internal/ociref"
)

// A Child is one manifest in an index.
type Child struct {
	Digest       ociref.Digest
	Size         int64  // in bytes; 0 means what the registry holds
	MediaType    string // "" means what the registry holds
	ArtifactType string
	Annotations  map[string]string
	Platform     *Platform // nil leaves it out
}

// A Platform is what an image runs on.
type Platform struct {
	Architecture string `json:"architecture"`
	OS           string `json:"os"`
	Variant      string `json:"variant,omitempty"`
}

// PushIndex stores an OCI image index. Children need not be in the registry
// as long as their size and media type are given. Tag may be empty.
func (r *Registry) PushIndex(repository, tag string, children []Child) (Pushed, error) {
	list := []descriptor{}
	for _, c := range children {
		d, err := r.describe(repository, c)
		if err != nil {
			return Pushed{}, err
		}
		list = append(list, d)
	}
	body, err := json.Marshal(document{SchemaVersion: 2, MediaType: ociIndex, Manifests: &list})
	if err != nil {
		return Pushed{}, fmt.Errorf("test index: %w", err)
	}
	digest := r.manifests.put(repository, tag, ociIndex, body)
	return Pushed{ManifestDigest: digest, MediaType: ociIndex, Manifest: body}, nil
}

func (r *Registry) describe(repository string, c Child) (descriptor, error) {
	d := descriptor{
		MediaType:    c.MediaType,
		ArtifactType: c.ArtifactType,
		Digest:       c.Digest.String(),
		Size:         c.Size,
		Annotations:  c.Annotations,
		Platform:     c.Platform,
	}
	if d.Size != 0 && d.MediaType != "" {
		return d, nil
	}
	found, _, err := r.manifests.get(repository, d.Digest)
	if err != nil {
		return d, fmt.Errorf("child of test index: %w", err)
	}
	if d.Size == 0 {
		d.Size = int64(len(found.body))
	}
	if d.MediaType == "" {
		d.MediaType = found.mediaType
	}
	return d, nil
}
