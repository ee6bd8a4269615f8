package lockfile

import (
	"fmt"
	"strings"

	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/printable"
	"github.com/greenticai/packvendor/internal/versions"
)

// Check reports a contradiction within the entry: an *InconsistentError, or another
// error if p.Ref is no reference. An entry that Parse accepts may still be wrong:
// anybody can edit the file.
func (p Entry) Check() error {
	if p.Path != "" {
		return nil // it has nothing that could contradict
	}
	ref, err := ociref.Parse(p.Ref)
	if err != nil {
		return fmt.Errorf("packs.lock: %s: %w", printable.Word(p.Name, maxText), err)
	}
	for _, check := range []func(ociref.Reference) *InconsistentError{
		p.checkPin, p.checkTag, p.checkIndex, p.checkLayer,
	} {
		if e := check(ref); e != nil {
			e.Name = p.Name
			return e
		}
	}
	return nil
}

func (p Entry) checkPin(ref ociref.Reference) *InconsistentError {
	field, got := "manifest_digest", p.ManifestDigest
	if p.IndexDigest != "" {
		field, got = "index_digest", p.IndexDigest
	}
	if ref.Digest == "" || ref.Digest == got {
		return nil
	}
	return &InconsistentError{Field: field, Got: string(got), By: "ref pins", Want: string(ref.Digest)}
}

// checkTag expects a tag exactly if ref has no digest, and, if a range chose it, a
// version in that range.
func (p Entry) checkTag(ref ociref.Reference) *InconsistentError {
	e := &InconsistentError{Field: "tag", Got: p.Tag}
	switch {
	case ref.Digest != "" && p.Tag != "":
		e.By = "ref pins a digest"
	case ref.Digest == "" && ref.Tag != "" && p.Tag != ref.Tag:
		e.By, e.Want = "ref names", ref.Tag
	case ref.Digest == "" && p.Tag == "":
		e.By = "ref has neither tag nor digest"
	case p.Version != "" && !p.isInRange():
		e.By, e.Want = "version is", p.Version
	default:
		return nil
	}
	return e
}

// isInRange reports whether the tag is a version in the range that version names.
func (p Entry) isInRange() bool {
	r, err := versions.ParseRange(p.Version)
	v, ok := versions.Parse(p.Tag)
	return err == nil && ok && r.Contains(v)
}

func (p Entry) checkIndex(ociref.Reference) *InconsistentError {
	if p.IndexDigest == "" || p.IndexDigest != p.ManifestDigest {
		return nil
	}
	return &InconsistentError{Field: "index_digest", Got: string(p.IndexDigest), By: "manifest_digest is the same"}
}

func (p Entry) checkLayer(ociref.Reference) *InconsistentError {
	field, got := "media_type", p.MediaType
	if strings.HasPrefix(p.Layer, "sha256:") {
		field, got = "layer_digest", string(p.LayerDigest)
	}
	if p.Layer == "" || p.Layer == got {
		return nil
	}
	return &InconsistentError{Field: field, Got: got, By: "layer names", Want: p.Layer}
}
