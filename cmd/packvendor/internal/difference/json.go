package difference

import (
	"github.com/greenticai/packvendor/lockfile"
	"github.com/greenticai/packvendor/vendorer"
)

// JSON is the document of diff --json; it has no revision where two references
// were compared.
type JSON struct {
	Revision string           `json:"revision,omitempty"`
	Commit   string           `json:"commit,omitempty"`
	Packs    []packChangeJSON `json:"packs"`
}

type packChangeJSON struct {
	Name   string           `json:"name"`
	Kind   string           `json:"kind"`   // added, removed or changed
	Before *LockedJSON      `json:"before"` // null if added
	After  *LockedJSON      `json:"after"`  // null if removed
	Files  []fileChangeJSON `json:"files"`  // null if not known, or the bytes are the same
	Unread string           `json:"unread,omitempty"`
}

// LockedJSON is an entry of packs.lock.
type LockedJSON struct {
	Ref     string `json:"ref"`
	Version string `json:"version,omitempty"`
	Tag     string `json:"tag,omitempty"`
	// ManifestVersion is the version that the manifest gives where the tag is another.
	ManifestVersion string `json:"manifest_version,omitempty"`
	IndexDigest     string `json:"index_digest,omitempty"`
	ManifestDigest  string `json:"manifest_digest"`
	LayerDigest     string `json:"layer_digest"`
	Size            int64  `json:"size"`
	MediaType       string `json:"media_type"`
}

type fileChangeJSON struct {
	Name   string `json:"name"`
	Kind   string `json:"kind"` // added, removed or changed
	Before int64  `json:"before"`
	After  int64  `json:"after"`
}

func NewLockedJSON(p lockfile.Entry) *LockedJSON {
	if p.Name == "" {
		return nil
	}
	return &LockedJSON{
		Ref: p.Ref, Version: p.Version, Tag: p.Tag, IndexDigest: string(p.IndexDigest),
		ManifestDigest: string(p.ManifestDigest), LayerDigest: string(p.LayerDigest), Size: p.Size, MediaType: p.MediaType,
	}
}

func NewJSON(d *vendorer.Difference) JSON {
	doc := JSON{Revision: d.Revision, Commit: d.Commit, Packs: []packChangeJSON{}}
	for _, p := range d.Packs {
		change := packChangeJSON{Name: p.Name, Kind: string(p.Kind), Before: NewLockedJSON(p.Old), After: NewLockedJSON(p.New), Unread: p.Unread}
		if change.Before != nil {
			change.Before.ManifestVersion = p.OldVersion
		}
		if change.After != nil {
			change.After.ManifestVersion = p.NewVersion
		}
		if p.Files != nil {
			change.Files = []fileChangeJSON{}
		}
		for _, f := range p.Files {
			change.Files = append(change.Files, fileChangeJSON{Name: f.Name, Kind: string(f.Kind), Before: f.OldSize, After: f.NewSize})
		}
		doc.Packs = append(doc.Packs, change)
	}
	return doc
}
