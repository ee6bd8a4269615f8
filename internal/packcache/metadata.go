package packcache

import (
	"encoding/json"

	"github.com/greenticai/packvendor/internal/ociref"
)

// Metadata is metadata.json, field for field what the Rust client reads and
// writes (CacheMetadata in its src/oci_packs.rs). Nothing in it is believed;
// it is written for programs that do.
type Metadata struct {
	OriginalReference    string            `json:"original_reference"`
	ResolvedDigest       string            `json:"resolved_digest"`
	MediaType            string            `json:"media_type"`
	FetchedAtUnixSeconds uint64            `json:"fetched_at_unix_seconds"`
	SizeBytes            uint64            `json:"size_bytes"`
	ManifestDigest       *string           `json:"manifest_digest"`
	ManifestAnnotations  map[string]string `json:"manifest_annotations"`
}

// Metadata reads an entry's metadata.json. The error is fs.ErrNotExist if
// there is none, *CorruptError if it is not of the shape that the Rust client
// would accept.
func (c *Cache) Metadata(manifest ociref.Digest) (Metadata, error) {
	var m Metadata
	data, err := c.readSmall(manifest, metadataFile)
	if err != nil {
		return m, err
	}
	if err := json.Unmarshal(data, &m); err != nil {
		return Metadata{}, &CorruptError{Path: c.path(manifest, metadataFile), Err: err}
	}
	return m, nil
}

// stamped returns m as bytes to write, with the time of now. A clock before
// 1970 counts as 1970, as in the Rust client.
func (c *Cache) stamped(m Metadata) ([]byte, error) {
	m.FetchedAtUnixSeconds = uint64(max(0, c.now().Unix()))
	return json.Marshal(m)
}
