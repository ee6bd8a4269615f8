package gtpack

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/fxamacker/cbor/v2"
)

// Names of documents in a pack.
const (
	manifestFile     = "manifest.cbor"
	lockFile         = "pack.lock.cbor"
	designerFile     = "manifest.json"
	designerMetaFile = "metadata.json"
)

// manifest reads the manifest and the other documents that name components. It tells
// the forms apart by the files that exist, as the builder's own reader does.
// manifest.cbor wins over manifest.json, its copy in the legacy form.
func (a *archive) manifest() (*Pack, error) {
	switch {
	case a.has(manifestFile):
		return a.cborManifest()
	case a.has(designerFile):
		return a.designerManifest()
	}
	return nil, &NotPackError{Reason: "it has no manifest.cbor"}
}

func (a *archive) cborManifest() (*Pack, error) {
	data, err := a.document(manifestFile)
	if err != nil {
		return nil, err
	}
	var form struct {
		Schema cbor.RawMessage `cbor:"schema_version"`
		Meta   cbor.RawMessage `cbor:"meta"`
	}
	if err := unmarshal(manifestFile, data, &form); err != nil {
		return nil, err
	}
	switch {
	case form.Meta != nil:
		return a.legacyManifest(data)
	case form.Schema != nil:
		return a.manifestV1(data)
	}
	return nil, &MalformedError{File: manifestFile, Err: errors.New("it has neither schema_version nor meta")}
}

// manifestV1 is the manifest of pack-v1.
type manifestV1 struct {
	Schema    string `cbor:"schema_version"`
	PackID    symbol `cbor:"pack_id"`
	Version   string `cbor:"version"`
	Name      string `cbor:"name"`
	Kind      string `cbor:"kind"`
	Publisher string `cbor:"publisher"`
	Symbols   struct {
		ComponentIDs []string `cbor:"component_ids"`
		PackIDs      []string `cbor:"pack_ids"`
	} `cbor:"symbols"`
	Components []struct {
		ID      symbol `cbor:"id"`
		Version string `cbor:"version"`
	} `cbor:"components"`
	Flows        []flow `cbor:"flows"`
	Dependencies []struct {
		ID      symbol `cbor:"pack_id"`
		Version string `cbor:"version_req"`
	} `cbor:"dependencies"`
	Signatures struct {
		Signatures []cbor.RawMessage `cbor:"signatures"`
	} `cbor:"signatures"`
	Extensions map[string]struct {
		Inline cbor.RawMessage `cbor:"inline"`
	} `cbor:"extensions"`
}

type flow struct {
	ID string `cbor:"id"`
}

func (a *archive) manifestV1(data []byte) (*Pack, error) {
	var m manifestV1
	if err := unmarshal(manifestFile, data, &m); err != nil {
		return nil, err
	}
	p := &Pack{Format: m.Schema, Version: m.Version, Name: m.Name, Kind: m.Kind, Publisher: m.Publisher, Flows: ids(m.Flows)}
	if err := m.resolve(p); err != nil {
		return nil, &MalformedError{File: manifestFile, Err: err}
	}
	if len(m.Signatures.Signatures) > 0 {
		p.Signatures = []string{manifestFile}
	}
	var err error
	p.Components, err = a.components(p.Components, m.Extensions[sourcesExtension].Inline)
	return p, err
}

// resolve replaces symbols by their identifiers.
func (m *manifestV1) resolve(p *Pack) (err error) {
	if p.ID, err = m.PackID.in(m.Symbols.PackIDs); err != nil {
		return fmt.Errorf("pack_id: %w", err)
	}
	for _, c := range m.Components {
		id, err := c.ID.in(m.Symbols.ComponentIDs)
		if err != nil {
			return fmt.Errorf("components: %w", err)
		}
		p.Components = append(p.Components, Component{ID: id, Version: c.Version})
	}
	for _, d := range m.Dependencies {
		id, err := d.ID.in(m.Symbols.PackIDs)
		if err != nil {
			return fmt.Errorf("dependencies: %w", err)
		}
		p.Dependencies = append(p.Dependencies, Dependency{ID: id, Version: d.Version})
	}
	return nil
}

// legacyManifest reads the form before pack-v1. It may list one component name in
// several versions.
func (a *archive) legacyManifest(data []byte) (*Pack, error) {
	var m struct {
		Meta struct {
			PackID  string   `cbor:"pack_id"`
			Version string   `cbor:"version"`
			Name    string   `cbor:"name"`
			Kind    string   `cbor:"kind"`
			Vendor  string   `cbor:"vendor"`
			Authors []string `cbor:"authors"`
			Imports []struct {
				ID      string `cbor:"pack_id"`
				Version string `cbor:"version_req"`
			} `cbor:"imports"`
		} `cbor:"meta"`
		Flows      []flow `cbor:"flows"`
		Components []struct {
			Name    string `cbor:"name"`
			Version string `cbor:"version"`
			File    string `cbor:"file_wasm"`
		} `cbor:"components"`
	}
	if err := unmarshal(manifestFile, data, &m); err != nil {
		return nil, err
	}
	p := &Pack{Format: FormatLegacy, ID: m.Meta.PackID, Version: m.Meta.Version, Name: m.Meta.Name, Kind: m.Meta.Kind, Flows: ids(m.Flows)}
	p.Publisher = cmp.Or(m.Meta.Vendor, strings.Join(m.Meta.Authors, ", "))
	for _, c := range m.Components {
		p.Components = append(p.Components, a.located(Component{ID: c.Name, Version: c.Version, Path: c.File}))
	}
	for _, d := range m.Meta.Imports {
		p.Dependencies = append(p.Dependencies, Dependency{ID: d.ID, Version: d.Version})
	}
	return p, nil
}

// designerManifest reads the form of greentic-designer, described in
// https://github.com/greenticai/greentic-pack/blob/main/docs/pack-format.md. A
// manifest.json alone proves nothing: other archives have one.
func (a *archive) designerManifest() (*Pack, error) {
	var m struct {
		ID   string `cbor:"manifest_id"`
		Name string `cbor:"display_name"`
	}
	if err := a.decode(designerFile, &m); err != nil {
		return nil, err
	}
	if m.ID == "" {
		return nil, &NotPackError{Reason: "it has no manifest.cbor, and its manifest.json has no manifest_id"}
	}
	var meta struct {
		ID   string `cbor:"pack_id"`
		Kind string `cbor:"kind"`
	}
	if a.has(designerMetaFile) {
		if err := a.decode(designerMetaFile, &meta); err != nil {
			return nil, err
		}
	}
	return &Pack{Format: FormatDesigner, ID: cmp.Or(meta.ID, m.ID), Name: m.Name, Kind: meta.Kind}, nil
}

func ids(flows []flow) []string {
	var list []string
	for _, f := range flows {
		list = append(list, f.ID)
	}
	return list
}

// A symbol is an index into a table of symbols or, in old manifests, the
// identifier itself.
type symbol struct {
	index   uint64
	indexed bool
	text    string
}

func (s *symbol) UnmarshalCBOR(data []byte) error {
	if decoding.Unmarshal(data, &s.index) == nil {
		s.indexed = true
		return nil
	}
	if decoding.Unmarshal(data, &s.text) != nil {
		return errors.New("an identifier is neither an index nor a text")
	}
	return nil
}

func (s symbol) in(table []string) (string, error) {
	if !s.indexed {
		return s.text, nil
	}
	if s.index >= uint64(len(table)) {
		return "", fmt.Errorf("symbol %d of %d", s.index, len(table))
	}
	text := table[s.index]
	if len(text) > maxSymbol {
		return "", fmt.Errorf("symbol %d has more than %d bytes", s.index, maxSymbol)
	}
	return text, nil
}

// maxSymbol bounds an identifier in the table, in bytes: any number of indexes may
// refer to it.
const maxSymbol = 1 << 10

// sourcesExtension names the extension in which pack-v1 lists the files of components
// that its builder did not compile.
const sourcesExtension = "greentic.pack.component_sources@v1"

type componentSources struct {
	Components []struct {
		Name     string          `cbor:"name"`
		ID       string          `cbor:"component_id"`
		Artifact cbor.RawMessage `cbor:"artifact"` // an artifact, or the text "remote"
	} `cbor:"components"`
}

type artifact struct {
	Inline struct {
		Path string `cbor:"wasm_path"`
	} `cbor:"inline"`
}

type componentLock struct {
	Components map[string]struct {
		ID      string `cbor:"component_id"`
		Version string `cbor:"component_version"`
	} `cbor:"components"`
}

// components returns the components of a pack-v1 manifest, and those in its extension
// or the pack's lock alone: manifests often omit components from a registry.
func (a *archive) components(said []Component, sources []byte) ([]Component, error) {
	all := components{}
	for _, c := range said {
		all.add(c)
	}
	for _, c := range hint[componentSources](sources).Components {
		all.add(Component{ID: cmp.Or(c.ID, c.Name), Path: hint[artifact](c.Artifact).Inline.Path})
	}
	if err := a.addLocked(all); err != nil {
		return nil, err
	}
	var list []Component
	for _, c := range all {
		c.Path = cmp.Or(c.Path, "components/"+c.ID+".wasm")
		list = append(list, a.located(c))
	}
	return list, nil
}

func (a *archive) addLocked(all components) error {
	if !a.has(lockFile) {
		return nil
	}
	data, err := a.document(lockFile)
	if err != nil {
		return err
	}
	locked := hint[componentLock](data).Components
	for _, key := range slices.Sorted(maps.Keys(locked)) {
		all.add(Component{ID: cmp.Or(locked[key].ID, key), Version: locked[key].Version})
	}
	return nil
}

// located removes a path that names no file.
func (a *archive) located(c Component) Component {
	if !a.has(c.Path) {
		c.Path = ""
	}
	return c
}

// components are indexed by ID.
type components map[string]Component

// add fills in unknown fields.
func (all components) add(c Component) {
	known := all[c.ID]
	all[c.ID] = Component{ID: c.ID, Version: cmp.Or(known.Version, c.Version), Path: cmp.Or(known.Path, c.Path)}
}
