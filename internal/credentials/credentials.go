// Package credentials finds the user's credentials for a registry where Docker
// and Podman keep them. It reads only, and knows nothing of what they are for.
package credentials

import (
	"fmt"
	"io"
)

// Credentials are a user's for one registry. RegistryToken is what the registry
// itself takes as a bearer token; IdentityToken is exchanged for one at the
// registry's token endpoint; both win over a user name and a password, as for
// Docker.
//
// They cannot be shown by accident: however they are formatted or marshalled,
// what comes out is what String returns.
type Credentials struct {
	Username, Password           string
	IdentityToken, RegistryToken string
	Source                       Source
}

// String says what kind of credentials they are and where they are from, and
// nothing of what they hold.
func (c Credentials) String() string {
	return fmt.Sprintf("%v from %v", c.finding(), c.Source)
}

// GoString is String.
func (c Credentials) GoString() string { return c.String() }

// Format writes String, whatever the verb is.
func (c Credentials) Format(f fmt.State, _ rune) { io.WriteString(f, c.String()) }

// MarshalText returns String: for JSON and for logs.
func (c Credentials) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// finding is the kind of credentials these are; a user name alone is none.
func (c Credentials) finding() Finding {
	switch {
	case c.RegistryToken != "":
		return RegistryToken
	case c.IdentityToken != "":
		return IdentityToken
	case c.Password != "":
		return Password
	}
	return Nothing
}

// A Source says where credentials are. It never holds them.
type Source struct {
	File   string // a file's path, or $DOCKER_AUTH_CONFIG
	Key    string // under which they stand there, or that the helper was asked about
	Helper string // the program that File names and that has them; "" if File itself does
}

// String names the helper and the file, or the file.
func (s Source) String() string {
	if s.Helper != "" {
		return s.Helper + ", which " + s.File + " names"
	}
	return s.File
}
