package sources

import "github.com/greenticai/packvendor/internal/ociref"

// An Event does not stop a request, but a user may want to know it. Events of concurrent
// requests arrive concurrently. Package fetch has more of them.
type Event interface{ IsEvent() }

// FilesRead: the files were read that say which mirrors there are.
type FilesRead struct{ Files []string }

// FileIgnored: a file is in the format of version 1, and does not count.
type FileIgnored struct{ File string }

// Served: a source answered. It is sent for references that a rule matches.
type Served struct {
	Reference string
	What      string // "manifest", "tags", "bytes"
	Source    Source
}

// Failed: a source did not answer, or not well, and the next one is asked.
type Failed struct {
	Reference string
	Source    Source
	Err       error
	// Suspect says that an honest mirror does not answer so.
	Suspect bool
}

// TagsFromMirror: the origin did not answer, so a tag or a list of tags is what a mirror
// says. It may be old.
type TagsFromMirror struct {
	Reference string
	Mirror    string
	Err       error // of the origin
}

// InsecureMirror: a mirror is passed over, because only its file allows plain HTTP.
type InsecureMirror struct {
	Host, File string
	Line       int
	Insecure   []string // the hosts that insecure_registries has
}

// LocationIgnored: a file that may be a stranger's replaces a registry, and tags are asked
// of that registry all the same.
type LocationIgnored struct {
	Location, Origin, File string
	Line                   int
	Digests                bool // these are asked of that registry, too
}

// LocationSpoke: the origin was to be asked for tags, but a location has its place.
type LocationSpoke struct {
	Location, Origin, File string
	Line                   int
}

func (FilesRead) IsEvent()       {}
func (FileIgnored) IsEvent()     {}
func (Served) IsEvent()          {}
func (Failed) IsEvent()          {}
func (TagsFromMirror) IsEvent()  {}
func (InsecureMirror) IsEvent()  {}
func (LocationIgnored) IsEvent() {}
func (LocationSpoke) IsEvent()   {}

// once sends an event that many references have in common. key tells it from others.
func (c *Client) once(key string, e Event) {
	if _, told := c.told.LoadOrStore(key, true); !told {
		c.events(e)
	}
}

// tellPassed tells of the places that are passed over, and of a location that speaks for
// the origin.
func (c *Client) tellPassed(p *plan, ref ociref.Reference) {
	for _, place := range p.places {
		switch {
		case place.passed == Insecure:
			c.once("insecure "+place.ref.Registry, InsecureMirror{Host: place.ref.Registry, File: place.at.File, Line: place.at.Line, Insecure: c.insecure})
		case place.passed == Foreign && place.Role == Location:
			c.once("ignored "+place.Place, LocationIgnored{Location: place.Place, Origin: ref.Name(), File: place.at.File, Line: place.at.Line, Digests: c.proving})
		case place.passed == "" && place.Role == Location && c.proving && ref.Digest == "":
			c.once("spoke "+place.Place, LocationSpoke{Location: place.Place, Origin: ref.Name(), File: place.at.File, Line: place.at.Line})
		}
	}
}
