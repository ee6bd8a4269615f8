package fetch

import (
	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/verified"
)

// ManifestLayers returns what a manifest lists that could be a pack's bytes. Its
// errors are those of reading manifests.
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
