// Package bomschema validates SBOMs by the official JSON schemas of CycloneDX, and sees that no
// bom-ref stands twice, which a schema cannot say.
package bomschema

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// The files are those of their source, which testdata/README names.
//
//go:embed testdata/*.json
var files embed.FS

// place is where the schemas say that they are.
const place = "http://cyclonedx.org/schema/"

// Validate returns the reason why a document is not valid by the schema of its own
// specVersion, or because of its bom-refs.
func Validate(data []byte) error {
	var version struct{ SpecVersion string }
	if err := json.Unmarshal(data, &version); err != nil {
		return err
	}
	compiled, err := schemas()
	if err != nil {
		return err
	}
	schema := compiled[version.SpecVersion]
	if schema == nil {
		return fmt.Errorf("there is no schema of version %q", version.SpecVersion)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		return err
	}
	if err := schema.Validate(doc); err != nil {
		return err
	}
	return distinct(doc, map[string]bool{})
}

// distinct looks for a bom-ref in value that stands twice, or is in seen.
func distinct(value any, seen map[string]bool) error {
	switch value := value.(type) {
	case map[string]any:
		if ref, ok := value["bom-ref"].(string); ok {
			if seen[ref] {
				return fmt.Errorf("bom-ref %q stands twice", ref)
			}
			seen[ref] = true
		}
		for _, key := range slices.Sorted(maps.Keys(value)) {
			if err := distinct(value[key], seen); err != nil {
				return err
			}
		}
	case []any:
		for _, element := range value {
			if err := distinct(element, seen); err != nil {
				return err
			}
		}
	}
	return nil
}

// schemas are the schemas by their version.
var schemas = sync.OnceValues(func() (map[string]*jsonschema.Schema, error) {
	compiler := jsonschema.NewCompiler()
	compiler.AssertFormat()
	entries, err := files.ReadDir("testdata")
	if err != nil {
		return nil, err
	}
	for _, entry := range entries {
		data, err := files.ReadFile("testdata/" + entry.Name())
		if err != nil {
			return nil, err
		}
		doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
		if err != nil {
			return nil, err
		}
		if err := compiler.AddResource(place+entry.Name(), doc); err != nil {
			return nil, err
		}
	}
	compiled := map[string]*jsonschema.Schema{}
	for _, version := range []string{"1.4", "1.5", "1.6", "1.7"} {
		if compiled[version], err = compiler.Compile(place + "bom-" + version + ".schema.json"); err != nil {
			return nil, err
		}
	}
	return compiled, nil
})
