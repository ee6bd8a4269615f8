package credentials

import "strings"

// A Finding is what was found at a place. Its value is for programs, its String
// for people.
type Finding string

// The findings. The last three are credentials.
const (
	Absent        Finding = "absent"  // there is no such file
	Nothing       Finding = "nothing" // there is, but it has none for this host
	Failed        Finding = "failed"  // there may be some, but they could not be read
	Skipped       Finding = "skipped" // not looked at: some were found before, or the helper was asked already
	Password      Finding = "password"
	IdentityToken Finding = "identity-token"
	RegistryToken Finding = "registry-token"
)

// Held tells whether it is credentials.
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

// A Place is a file or a helper that may have credentials, and what was found
// there.
type Place struct {
	Source  Source
	Finding Finding
	Err     error // why it Failed, without its Source; holds no secret
}

// An Explanation says where credentials for a host were looked for. It holds
// none.
type Explanation struct {
	Host   string
	Places []Place // in the order they are looked at
}

// Used returns the place whose credentials would be used, false if there are
// none.
func (e Explanation) Used() (Place, bool) {
	for _, place := range e.Places {
		if place.Finding.Held() {
			return place, true
		}
	}
	return Place{}, false
}

// An Error says that no credentials were found and that there may be some: a
// file could not be read, or a helper could not be asked. It holds no secret:
// neither of what a file holds nor of what a helper says is anything in it.
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
