package credentials

import "strings"

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
