package packcache

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

// rust is a metadata.json as the Rust client's serde_json writes it: its
// fields' order, no white space, nothing escaped that need not be.
const rust = `{"original_reference":"ghcr.io/greenticai/packs/a:1.0.0@%[1]s","resolved_digest":"%[1]s","media_type":"application/vnd.greentic.gtpack.v1+zip","fetched_at_unix_seconds":1700000000,"size_bytes":%[2]d,"manifest_digest":"%[1]s","manifest_annotations":%[3]s}`

func (i item) rust(annotations string) string {
	return fmt.Sprintf(rust, i.manifest, len(i.pack), annotations)
}

// TestMetadataBytes sees that what we write is byte for byte what the Rust
// client would have written.
func TestMetadataBytes(t *testing.T) {
	c, i := newCache(t), newItem("a")
	m := i.metadata()
	for want, annotations := range map[string]map[string]string{
		i.rust(`null`): nil,
		i.rust(`{}`):   {},
		i.rust(`{"org.opencontainers.image.title":"a"}`): {"org.opencontainers.image.title": "a"},
		i.rust(`{"k":"é \" \\ \n"}`):                     {"k": "é \" \\ \n"},
	} {
		m.ManifestAnnotations = annotations
		must(t, c.Heal(i.manifest, nil, nil, &m))
		wantFile(t, i.path(c, "metadata.json"), []byte(want))
	}
	m.ManifestDigest, m.ManifestAnnotations = nil, nil
	must(t, c.Heal(i.manifest, nil, nil, &m))
	wantFile(t, i.path(c, "metadata.json"), []byte(strings.Replace(i.rust(`null`), fmt.Sprintf(`"manifest_digest":"%s"`, i.manifest), `"manifest_digest":null`, 1)))
}

// TestMetadataShape compares keys and types through a JSON parser, for values
// that Go and Rust escape in different ways.
func TestMetadataShape(t *testing.T) {
	c, i := newCache(t), newItem("a")
	m := i.metadata()
	m.ManifestAnnotations = map[string]string{"k": "<a href=\"&\">\u2028\u2029\x00\x7f\u202e\U0001F4E6", "": ""}
	must(t, c.Heal(i.manifest, nil, nil, &m))
	data, err := os.ReadFile(i.path(c, "metadata.json"))
	must(t, err)
	var got map[string]any
	must(t, json.Unmarshal(data, &got))
	want := map[string]any{
		"original_reference":      m.OriginalReference,
		"resolved_digest":         m.ResolvedDigest,
		"media_type":              m.MediaType,
		"fetched_at_unix_seconds": float64(fetchedAt),
		"size_bytes":              float64(len(i.pack)),
		"manifest_digest":         *m.ManifestDigest,
		"manifest_annotations":    map[string]any{"k": m.ManifestAnnotations["k"], "": ""},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("metadata.json\n got: %v\nwant: %v", got, want)
	}
}

// TestMetadataOfRust reads what the Rust client writes, of its older versions
// too, which had no manifest_digest and manifest_annotations.
func TestMetadataOfRust(t *testing.T) {
	c, i := newCache(t), newItem("a")
	want := i.metadata()
	for _, test := range []struct {
		data        string
		digest      *string
		annotations map[string]string
	}{
		{i.rust(`{"org.opencontainers.image.title":"a"}`), want.ManifestDigest, want.ManifestAnnotations},
		{i.rust(`null`), want.ManifestDigest, nil},
		{i.rust(`{}`), want.ManifestDigest, map[string]string{}},
		{i.rust(`{"k":"<&>\b\f\u0001"}`), want.ManifestDigest, map[string]string{"k": "<&>\b\f\x01"}},
		{i.without("manifest_annotations"), want.ManifestDigest, nil},
		{i.without("manifest_digest", "manifest_annotations"), nil, nil},
		{i.with("manifest_digest", `null`), nil, want.ManifestAnnotations},
		{i.with("a_field_of_tomorrow", `[{}]`), want.ManifestDigest, want.ManifestAnnotations},
		{" \r\n\t" + i.rust(`null`) + "\n", want.ManifestDigest, nil},
	} {
		writeFile(t, i.path(c, "metadata.json"), []byte(test.data))
		got, err := c.Metadata(i.manifest)
		want.ManifestDigest, want.ManifestAnnotations = test.digest, test.annotations
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s\n got: %v, %v\nwant: %v", test.data, got.flat(), err, want.flat())
		}
	}
	writeFile(t, i.path(c, "metadata.json"), []byte(i.with("size_bytes", "18446744073709551615")))
	if got, err := c.Metadata(i.manifest); err != nil || got.SizeBytes != 1<<64-1 {
		t.Errorf("size_bytes of 2^64-1: %d, %v", got.SizeBytes, err)
	}
}

// with returns metadata.json with one value replaced or added.
func (i item) with(key, value string) string {
	fields := i.fields()
	fields[key] = json.RawMessage(value)
	return join(fields)
}

// without returns metadata.json without some of its fields.
func (i item) without(keys ...string) string {
	fields := i.fields()
	for _, key := range keys {
		delete(fields, key)
	}
	return join(fields)
}

func (i item) fields() map[string]json.RawMessage {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal([]byte(i.rust(`{"org.opencontainers.image.title":"a"}`)), &fields); err != nil {
		panic(err)
	}
	return fields
}

// join writes an object whose values need not be valid.
func join(fields map[string]json.RawMessage) string {
	var parts []string
	for _, key := range slices.Sorted(maps.Keys(fields)) {
		parts = append(parts, fmt.Sprintf("%q:%s", key, fields[key]))
	}
	return "{" + strings.Join(parts, ",") + "}"
}

// TestFault37_DamagedMetadata is about files on which the Rust client gives up:
// each must be told from a good one, or it would never be healed.
func TestFault37_DamagedMetadata(t *testing.T) {
	c, i := newEntry(t)
	whole := i.rust(`null`)
	bad := map[string]string{
		"empty":                   "",
		"NUL bytes":               strings.Repeat("\x00", len(whole)),
		"truncated":               whole[:len(whole)-1],
		"followed by more":        whole + "{}",
		"byte order mark":         "\ufeff" + whole,
		"null":                    "null",
		"a string":                `"x"`,
		"an empty object":         "{}",
		"invalid UTF-8":           strings.Replace(whole, "ghcr.io", "gh\xe3r.io", 1),
		"a number for a string":   i.with("media_type", `1`),
		"a string for a number":   i.with("size_bytes", `"1"`),
		"a negative number":       i.with("size_bytes", `-1`),
		"a fraction":              i.with("size_bytes", `1.5`),
		"over 64 bits":            i.with("size_bytes", `18446744073709551616`),
		"annotations in an array": i.with("manifest_annotations", `[]`),
		"a number for annotation": i.with("manifest_annotations", `{"k":1}`),
		"null for annotation":     i.with("manifest_annotations", `{"k":null}`),
		"a number for digest":     i.with("manifest_digest", `1`),
	}
	for _, key := range []string{"original_reference", "resolved_digest", "media_type", "fetched_at_unix_seconds", "size_bytes"} {
		bad["no "+key] = i.without(key)
		bad["null for "+key] = i.with(key, `null`)
		bad["upper case for "+key] = strings.Replace(whole, key, strings.ToUpper(key), 1)
	}
	for name, data := range bad {
		t.Run(name, func(t *testing.T) {
			path := i.path(c, "metadata.json")
			writeFile(t, path, []byte(data))
			m, err := c.Metadata(i.manifest)
			var corrupt *CorruptError
			if !errors.As(err, &corrupt) || corrupt.Path != path || !strings.HasPrefix(err.Error(), path+": ") {
				t.Errorf("error %v, want *CorruptError of %s", err, path)
			}
			if err != nil && !reflect.DeepEqual(m, Metadata{}) {
				t.Errorf("Metadata returns %v beside its error", m.flat())
			}
			healed := i.metadata()
			must(t, c.Heal(i.manifest, nil, nil, &healed))
			i.wantHit(t, c)
		})
	}
}

// TestFault44_Clock sees that any clock gives a metadata.json that the Rust
// client can read.
func TestFault44_Clock(t *testing.T) {
	i := newItem("a")
	for _, test := range []struct {
		now  time.Time
		want uint64
	}{
		{time.Date(1960, 1, 1, 0, 0, 0, 0, time.UTC), 0},
		{time.Time{}, 0},
		{time.Unix(-1, 999_999_999), 0},
		{time.Unix(0, 0), 0},
		{time.Unix(1, 999_999_999), 1},
		{time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC), 4_102_444_800},
	} {
		c := New(Options{Root: t.TempDir(), Now: func() time.Time { return test.now }})
		must(t, i.publish(c, nil))
		if m, err := c.Metadata(i.manifest); err != nil || m.FetchedAtUnixSeconds != test.want {
			t.Errorf("at %v: %d, %v, want %d", test.now, m.FetchedAtUnixSeconds, err, test.want)
		}
	}
}

// TestDefaultClock sees that the zero Options use the system's.
func TestDefaultClock(t *testing.T) {
	c, i := New(Options{Root: t.TempDir()}), newItem("a")
	before := time.Now().Unix()
	must(t, i.publish(c, nil))
	m, err := c.Metadata(i.manifest)
	if got := int64(m.FetchedAtUnixSeconds); err != nil || got < before || got > time.Now().Unix() {
		t.Errorf("fetched at %d, %v, want now", got, err)
	}
}
