// Package credentials finds the user's credentials for a registry where Docker and
// Podman keep them. It only reads, and does not know what they are for.
package credentials

import (
	"fmt"
	"io"
	"strings"
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

// A Finding is the result of a search at one place. Its value is for programs, its
// String for people.
type Finding string

// The findings. The last three are credentials.
const (
	Absent        Finding = "absent"  // there is no such file
	Nothing       Finding = "nothing" // there is a file, but it has none for this host
	Failed        Finding = "failed"  // there may be some, but reading failed
	Skipped       Finding = "skipped" // an earlier place had some, or the helper was asked before
	Password      Finding = "password"
	IdentityToken Finding = "identity-token"
	RegistryToken Finding = "registry-token"
)

// Held reports whether the finding is credentials.
func (f Finding) Held() bool {
	return f == Password || f == IdentityToken || f == RegistryToken
}

func (f Finding) String() string {
	switch f {
	case Absent:
		return "not there"
	case Skipped:
		return "not looked at"
	case Password:
		return "a user name and a password"
	case IdentityToken:
		return "an identity token"
	case RegistryToken:
		return "a registry token"
	}
	return string(f)
}

// A Place is a file or a helper that may have credentials, with the finding there.
type Place struct {
	Source  Source
	Finding Finding
	Err     error // why it Failed, without its Source; holds no secret
}

// An Explanation lists the places of a search for a host's credentials. It holds none.
type Explanation struct {
	Host   string
	Places []Place // in the order of the search
}

// Used returns the place whose credentials the registry client would use, false if
// there is none.
func (e Explanation) Used() (Place, bool) {
	for _, place := range e.Places {
		if place.Finding.Held() {
			return place, true
		}
	}
	return Place{}, false
}

// An Error reports that the search found no credentials but may have missed some: it
// could not read a file, or could not ask a helper. It holds no secret: nothing that a
// file holds or a helper says.
type Error struct {
	Places []Place // those that Failed; at least one
}

func (e *Error) Error() string {
	var texts []string
	for _, place := range e.Places {
		texts = append(texts, place.Source.String()+": "+place.Err.Error())
	}
	return strings.Join(texts, "; ")
}
