package packcache

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/greenticai/packvendor/internal/ociref"
)

// Metadata is metadata.json, field for field as the Rust client reads and writes it
// (CacheMetadata in its src/oci_packs.rs). This package does not trust it; it writes it
// for programs that do.
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
// there is none, *CorruptError if the Rust client would not accept it.
func (c *Cache) Metadata(manifest ociref.Digest) (Metadata, error) {
	data, err := c.readSmall(manifest, metadataFile)
	if err != nil {
		return Metadata{}, err
	}
	m, err := parseMetadata(data)
	if err != nil {
		return Metadata{}, &CorruptError{Path: c.path(manifest, metadataFile), Err: err, Short: endsEarly(data, err)}
	}
	return m, nil
}

// endsEarly tells whether err says that JSON ends too early.
func endsEarly(data []byte, err error) bool {
	var syntax *json.SyntaxError
	return errors.As(err, &syntax) && syntax.Offset >= int64(len(data))
}

// parseMetadata accepts the same documents as serde for CacheMetadata: exact keys, of
// which only the last two may be missing, and no value of a wrong type.
func parseMetadata(data []byte) (Metadata, error) {
	var m Metadata
	var fields map[string]json.RawMessage
	if !utf8.Valid(data) {
		return m, errors.New("not UTF-8")
	}
	if err := json.Unmarshal(data, &fields); err != nil {
		return m, err
	}
	var annotations map[string]*string
	for _, field := range []struct {
		key      string
		value    any
		optional bool
	}{
		{"original_reference", &m.OriginalReference, false},
		{"resolved_digest", &m.ResolvedDigest, false},
		{"media_type", &m.MediaType, false},
		{"fetched_at_unix_seconds", &m.FetchedAtUnixSeconds, false},
		{"size_bytes", &m.SizeBytes, false},
		{"manifest_digest", &m.ManifestDigest, true},
		{"manifest_annotations", &annotations, true},
	} {
		raw, ok := fields[field.key]
		if field.optional && !ok {
			continue
		}
		if !ok || !field.optional && string(raw) == "null" {
			return m, fmt.Errorf("%s is missing", field.key)
		}
		if err := json.Unmarshal(raw, field.value); err != nil {
			return m, fmt.Errorf("%s: %w", field.key, err)
		}
	}
	if annotations != nil {
		m.ManifestAnnotations = map[string]string{}
	}
	for key, value := range annotations {
		if value == nil {
			return m, fmt.Errorf("annotation %+q is null", key)
		}
		m.ManifestAnnotations[key] = *value
	}
	return m, nil
}

// stamped returns m as bytes to write, with the time now. Like the Rust client it counts
// a clock before 1970 as 1970.
func (c *Cache) stamped(m Metadata) ([]byte, error) {
	m.FetchedAtUnixSeconds = uint64(max(0, c.now().Unix()))
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false) // like serde_json
	if err := encoder.Encode(m); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}
