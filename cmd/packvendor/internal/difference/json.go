package difference

import (
	"github.com/greenticai/packvendor/lockfile"
	"github.com/greenticai/packvendor/vendorer"
)

// JSON is the document of diff --json; it has no revision where two references
// were compared.
type JSON struct {
	Revision string           `json:"revision,omitempty"` // as it was given
	Commit   string           `json:"commit,omitempty"`   // that revision
	Packs    []packChangeJSON `json:"packs"`              // those that changed, by name
	// Total is the size of all packs together. It is not there for two references.
	Total *totalJSON `json:"total,omitempty"`
	// Trust is how the table trust of packs.toml asks for less than before, or trusts others.
	Trust []trustChangeJSON `json:"trust,omitempty"`
}

type totalJSON struct {
	Before int64 `json:"before"`          // bytes
	After  int64 `json:"after"`           // bytes
	Limit  int64 `json:"limit,omitempty"` // limits.total of packs.toml, in bytes
}

type trustChangeJSON struct {
	Kind   string   `json:"kind"`             // rule-deleted, rule-loosened, exception-added, signer-replaced or signer-restored
	Name   string   `json:"name"`             // the key of the rule, or the name of the signer
	Before []string `json:"before,omitempty"` // the signers of the rule, or what packs.lock calls the signer
	After  []string `json:"after,omitempty"`  // likewise
}

type packChangeJSON struct {
	Name   string           `json:"name"`             // of the pack
	Kind   string           `json:"kind"`             // added, removed or changed
	Before *LockedJSON      `json:"before"`           // null if added
	After  *LockedJSON      `json:"after"`            // null if removed
	Files  []fileChangeJSON `json:"files"`            // those inside the pack that changed; null if not known, or the bytes are the same
	Unread string           `json:"unread,omitempty"` // why the files are not known
}

// LockedJSON is an entry of packs.lock.
type LockedJSON struct {
	Ref     string `json:"ref"`               // the reference in packs.toml; empty if a file alone is the pack
	Path    string `json:"path,omitempty"`    // the file that the pack is, as packs.toml has it
	Version string `json:"version,omitempty"` // the range of versions in packs.toml
	Tag     string `json:"tag,omitempty"`     // the tag that is followed
	// ManifestVersion is the version that the manifest gives where the tag is another.
	ManifestVersion string `json:"manifest_version,omitempty"`
	IndexDigest     string `json:"index_digest,omitempty"` // of the image index that the reference leads to
	ManifestDigest  string `json:"manifest_digest"`        // of the manifest; empty of a file
	LayerDigest     string `json:"layer_digest"`           // of the pack's bytes
	Size            int64  `json:"size"`                   // of the pack in bytes
	MediaType       string `json:"media_type"`             // of the layer; empty of a file
	Signer          string `json:"signer,omitempty"`       // who signed, as packs.lock has it
}

type fileChangeJSON struct {
	Name   string `json:"name"`   // of the file in the pack
	Kind   string `json:"kind"`   // added, removed or changed
	Before int64  `json:"before"` // bytes; 0 if added
	After  int64  `json:"after"`  // bytes; 0 if removed
}

func NewLockedJSON(p lockfile.Entry) *LockedJSON {
	if p.Name == "" {
		return nil
	}
	return &LockedJSON{
		Ref: p.Ref, Path: p.Path, Version: p.Version, Tag: p.Tag, IndexDigest: string(p.IndexDigest),
		ManifestDigest: string(p.ManifestDigest), LayerDigest: string(p.LayerDigest), Size: p.Size, MediaType: p.MediaType, Signer: p.Signer,
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
	if d.Total != nil {
		doc.Total = &totalJSON{Before: d.Total.Before, After: d.Total.After, Limit: d.Total.Limit.Bytes}
	}
	for _, change := range d.Trust {
		doc.Trust = append(doc.Trust, trustChangeJSON{Kind: string(change.Kind), Name: change.Name, Before: change.Before, After: change.After})
	}
	return doc
}
