package gtpack

import (
	"cmp"
	"maps"
	"slices"

	"github.com/fxamacker/cbor/v2"
)

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
