// Package credentials finds the user's credentials for a registry where Docker and
// Podman keep them. It only reads, and does not know what they are for.
package credentials

import (
	"fmt"
	"io"
)

// Credentials are a user's for one registry. The registry itself accepts RegistryToken
// as a bearer token. Its token endpoint exchanges IdentityToken for one. Both win over
// a user name and a password, as for Docker.
//
// They cannot be shown by accident: every format verb and every marshaller yields
// String's text.
type Credentials struct {
	Username, Password           string
	IdentityToken, RegistryToken string
	Source                       Source
}

// String names the kind and the place of the credentials, and reveals nothing else.
func (c Credentials) String() string {
	return fmt.Sprintf("%v from %v", c.finding(), c.Source)
}

// GoString is String.
func (c Credentials) GoString() string { return c.String() }

// Format writes String, whatever the verb is.
func (c Credentials) Format(f fmt.State, _ rune) { io.WriteString(f, c.String()) }

// MarshalText returns String: for JSON and for logs.
func (c Credentials) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// finding returns the kind of the credentials; a user name alone is none.
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

// A Source is the place of credentials. It never holds them.
type Source struct {
	File   string // a file's path, or $DOCKER_AUTH_CONFIG
	Key    string // of the entry in File, or the one that the helper was asked for
	Helper string // the program that has them and that File names; "" if File has them itself
}

// String names the helper and the file, or the file.
func (s Source) String() string {
	if s.Helper != "" {
		return s.Helper + ", which " + s.File + " names"
	}
	return s.File
}
