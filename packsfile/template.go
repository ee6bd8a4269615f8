package packsfile

import (
	"bytes"

	"github.com/BurntSushi/toml"
)

const (
	repository = "https://github.com/greenticai/packvendor"
	schemaURL  = "https://raw.githubusercontent.com/greenticai/packvendor/main/packs.schema.json"
)

// New returns the text of a packs.toml without packs. Of e it writes what is
// not empty and no default. Parse reads it, if it likes e.
func New(e Embed) []byte {
	var b bytes.Buffer
	b.WriteString("#:schema " + schemaURL + "\n")
	b.WriteString("# All keys: " + repository + "/blob/main/packs.toml.example\n\n")
	if keys := embedKeys(e); len(keys) > 0 {
		b.WriteString("[embed]\n")
		b.Write(keys)
		b.WriteString("\n")
	}
	b.WriteString("# \"packvendor add REF\" writes lines here: NAME = \"REFERENCE\"\n[packs]\n")
	return b.Bytes()
}

// embedKeys returns the lines of the embed table.
func embedKeys(e Embed) []byte {
	keys, _ := toml.Marshal(struct { // fails for no string
		Dir     string `toml:"dir,omitempty"`
		Package string `toml:"package,omitempty"`
		File    string `toml:"file,omitempty"`
		Data    string `toml:"data,omitempty"`
	}{
		Dir:     unlessDefault(e.Dir, defaultEmbed.Dir),
		Package: e.Package,
		File:    unlessDefault(e.File, defaultEmbed.File),
		Data:    unlessDefault(e.Data, defaultEmbed.Data),
	})
	return keys
}

func unlessDefault(value, usual string) string {
	if value == usual {
		return ""
	}
	return value
}
