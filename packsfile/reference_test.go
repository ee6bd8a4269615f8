package packsfile

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// A schemaKey is a key in packs.schema.json.
type schemaKey struct {
	Type       any                  `json:"type"`
	Default    any                  `json:"default"`
	Properties map[string]schemaKey `json:"properties"`
}

// docs/packs-toml.md has a section for each key of packs.schema.json, with its default.
func TestReference(t *testing.T) {
	var schema struct {
		schemaKey
		Definitions map[string]schemaKey `json:"definitions"`
	}
	text, err := os.ReadFile(filepath.Join("..", "packs.schema.json"))
	if err == nil {
		err = json.Unmarshal(text, &schema)
	}
	if err != nil {
		t.Fatal(err)
	}
	keys := map[string]schemaKey{"`[embed]`": {}, "`[packs]`": {}, "`[trust]`": {}}
	for name, key := range schema.Properties {
		if schema.Definitions[name].Properties == nil && name != "packs" {
			keys[name] = key
		}
	}
	for name, key := range schema.Definitions["embed"].Properties {
		keys["embed."+name] = key
	}
	for name, key := range schema.Definitions["trust"].Properties {
		if key.Type == "object" {
			name = "`[trust." + name + "]`"
		} else {
			name = "trust." + name
		}
		keys[name] = key
	}
	maps.Copy(keys, schema.Definitions["signer"].Properties)
	for name, key := range schema.Definitions["pack"].Properties {
		if _, isTaken := keys[name]; isTaken {
			name += " of a pack"
		}
		keys[name] = key
	}
	sections := sectionsOf(t, filepath.Join("..", "docs", "packs-toml.md"))
	for _, name := range slices.Sorted(maps.Keys(keys)) {
		section, ok := sections[name]
		if !ok {
			t.Errorf("docs/packs-toml.md has no section %s", name)
		}
		if value := keys[name].Default; value != nil && !strings.Contains(section, "default `"+defaultText(t, value)+"`") {
			t.Errorf("the section %s does not have the default %v:\n%s", name, value, section)
		}
	}
}

func defaultText(t *testing.T, value any) string {
	t.Helper()
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

var heading = regexp.MustCompile(`(?m)^##+ (.*)$`)

// sectionsOf returns the text of each section of a page by its heading.
func sectionsOf(t *testing.T, name string) map[string]string {
	t.Helper()
	page, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	texts := heading.Split(string(page), -1)
	for i, found := range heading.FindAllStringSubmatch(string(page), -1) {
		all[found[1]] = texts[i+1]
	}
	return all
}

// Each TOML example of the page is accepted, one key alone included.
func TestReferenceExamples(t *testing.T) {
	name := filepath.Join("..", "docs", "packs-toml.md")
	page, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	examples := regexp.MustCompile("(?s)```toml[^\n]*\n(.*?)```").FindAllStringSubmatch(string(page), -1)
	if len(examples) < 5 {
		t.Fatalf("%s has %d examples", name, len(examples))
	}
	for i, example := range examples {
		if _, err := Parse(fmt.Sprintf("%s, example %d", name, i+1), []byte(example[1])); err != nil {
			t.Error(err)
		}
	}
}
