// Package cyclonedx writes packs into software bills of materials (SBOMs): CycloneDX
// documents in JSON, new ones and those of other programs.
//
// It writes only fields that CycloneDX has had since version 1.4, so that a pack looks the
// same in every document. A document depends on its packs alone: it has no time.
// https://github.com/CycloneDX/specification
package cyclonedx

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"

	"github.com/greenticai/packvendor/internal/printable"
)

// A Document is an SBOM, with the fields that packvendor writes.
type Document struct {
	Schema       string       `json:"$schema"`
	BOMFormat    string       `json:"bomFormat"`
	SpecVersion  string       `json:"specVersion"`
	SerialNumber string       `json:"serialNumber,omitempty"`
	Version      int          `json:"version"`
	Metadata     Metadata     `json:"metadata"`
	Components   []Component  `json:"components"`
	Dependencies []Dependency `json:"dependencies,omitempty"`
}

// Metadata says who made the document, and of what.
type Metadata struct {
	Tools     Tools      `json:"tools"`
	Component *Component `json:"component,omitempty"` // that has the packs
}

// Tools are the programs that made the document.
type Tools struct {
	Components []Component `json:"components"`
}

// A Component is a pack, a component in one, or what has the packs.
type Component struct {
	Ref        string      `json:"bom-ref,omitempty"` // by which dependencies name it
	Type       string      `json:"type"`
	Name       string      `json:"name"`
	Version    string      `json:"version,omitempty"`
	Hashes     []Hash      `json:"hashes,omitempty"`
	PURL       string      `json:"purl,omitempty"`
	Properties []Property  `json:"properties,omitempty"`
	Components []Component `json:"components,omitempty"` // that are in it
}

// A Hash is the hash of a component's bytes.
type Hash struct {
	Algorithm string `json:"alg"`
	Content   string `json:"content"`
}

// A Property is what the format has no field for.
type Property struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// A Dependency says what a component needs.
type Dependency struct {
	Ref       string   `json:"ref"`
	DependsOn []string `json:"dependsOn,omitempty"`
}

// New returns the document of the packs that main has, in their order. main may be nil:
// then it is unknown what has them.
func New(main *Component, packs []Component) *Document {
	packs = Distinct(packs)
	d := &Document{
		Schema: "http://cyclonedx.org/schema/bom-1.6.schema.json", BOMFormat: format, SpecVersion: "1.6", Version: 1,
		Metadata:   Metadata{Tools: Tools{[]Component{{Type: "application", Name: "packvendor"}}}, Component: main},
		Components: append([]Component{}, packs...),
	}
	if main != nil {
		d.Dependencies = []Dependency{{main.Ref, refsOf(packs)}}
		for _, pack := range packs {
			d.Dependencies = append(d.Dependencies, Dependency{Ref: pack.Ref})
		}
	}
	d.SerialNumber = serialNumber(d.Text())
	return d
}

// Text returns the document as indented JSON with a line end.
func (d *Document) Text() []byte { return append(encode(d, "", "  "), '\n') }

// serialNumber returns a UUID that is derived from a text: version 8, with SHA-256, as in
// https://www.rfc-editor.org/rfc/rfc9562#appendix-B.2
func serialNumber(text []byte) string {
	u := sha256.Sum256(text)
	u[6] = u[6]&0x0f | 0x80 // the version
	u[8] = u[8]&0x3f | 0x80 // the variant
	return fmt.Sprintf("urn:uuid:%x-%x-%x-%x-%x", u[:4], u[4:6], u[6:8], u[8:10], u[10:16])
}

// encode returns a value as JSON that is safe to print: names in packs are anybody's. If indent and
// unit are "", it is on one line.
func encode(value any, indent, unit string) []byte {
	text, _ := printable.MarshalJSON(value, indent, unit) // of strings and numbers: it does not fail
	return text
}

// IsSBOM tells whether data is a CycloneDX document in JSON, of any version.
func IsSBOM(data []byte) bool {
	var document struct {
		BOMFormat string `json:"bomFormat"`
	}
	return json.Unmarshal(bytes.TrimPrefix(data, []byte("\ufeff")), &document) == nil && document.BOMFormat == format
}
