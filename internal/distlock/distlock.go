// Package distlock owns the lock that "greentic-dist pull --lock" reads, a program of the crate
// greentic-distributor-client: parse_lockfile in src/dist.rs there.
package distlock

import (
	"encoding/base64"

	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/printable"
)

// Version is the schema_version of this package's locks.
const Version = 1

// A Lock lists what greentic-dist fetches, in the order of the file.
type Lock struct {
	Components []Component
}

// A Component is an artifact in a registry.
type Component struct {
	Name       string
	Repository string // HOST/REPOSITORY
	Digest     ociref.Digest
	Envelope   []byte // a DSSE envelope whose subject is Digest; nil if there is none
}

// lockJSON is a file. The client ignores other fields.
type lockJSON struct {
	SchemaVersion int             `json:"schema_version"`
	Components    []componentJSON `json:"components"`
}

type componentJSON struct {
	Name      string `json:"name"`
	Ref       string `json:"ref"`
	Digest    string `json:"digest"`
	Signature string `json:"signature,omitempty"` // the envelope in base64
}

// Format returns the text of the file, which is safe to print. A reference has a digest and no tag,
// so that the client never asks for the tag.
func Format(l Lock) []byte {
	doc := lockJSON{SchemaVersion: Version, Components: []componentJSON{}}
	for _, c := range l.Components {
		doc.Components = append(doc.Components, componentJSON{
			Name: c.Name, Ref: "oci://" + c.Repository + "@" + string(c.Digest), Digest: string(c.Digest),
			Signature: base64.StdEncoding.EncodeToString(c.Envelope),
		})
	}
	text, _ := printable.MarshalJSON(doc, "", "  ") // never fails for strings
	return append(text, '\n')
}
