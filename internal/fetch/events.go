package fetch

import (
	"time"

	"github.com/greenticai/packvendor/internal/packcache"
	"github.com/greenticai/packvendor/internal/sources"
)

// An Event does not stop a fetch, but a user may want to know it. Events of concurrent
// fetches arrive concurrently.
type Event interface{ event() }

// CorruptEntry: the cache held a corrupt file, and the Fetcher fetched it again or tried
// to.
type CorruptEntry struct {
	Reference string
	Err       *packcache.CorruptError
	Mended    bool // the entry has been replaced
}

// CacheUnusable: the cache could not be read or written; the fetch goes on
// without it.
type CacheUnusable struct {
	Reference string
	Err       error
}

// Waiting: another process is fetching the same pack.
type Waiting struct{ Reference string }

// Resumed: an interrupted download continues, with Kept of Size bytes.
type Resumed struct {
	Reference  string
	Kept, Size int64
}

// Retrying: a request failed temporarily. The Fetcher sends it again after a wait.
type Retrying struct {
	Err  error
	Wait time.Duration
	Told bool // the registry asked for that wait
	Try  int  // the number of the next try, of Of
	Of   int
}

// SuspectLayer: the selected layer may not be the pack, or other clients may select
// another one.
type SuspectLayer struct {
	Reference string
	Layer     Layer
	NotZip    bool    // its bytes do not start like a zip archive
	Others    []Layer // the other accepted layers
	// FirstOfSeveral says that no rule prefers it to another layer: clients differ in
	// their choice.
	FirstOfSeveral bool
	// Unknown lists, in printable form, the media types of layers that no client accepts
	// by default. For one of these the Rust client refuses the artifact.
	Unknown []string
}

type (
	// MirrorFilesRead: the files were read that say which mirrors there are.
	MirrorFilesRead struct{ Files []string }
	// MirrorFileIgnored: a file is in the format of version 1, and does not count.
	MirrorFileIgnored struct{ File string }
	// Served: a source answered. It is sent for references that a rule matches.
	Served struct {
		Reference string
		What      string // "manifest", "tags" or "bytes"
		Source    Source
	}
	// SourceFailed: a source did not answer, or not well, and the next one is asked. Suspect
	// says that an honest mirror does not answer so.
	SourceFailed struct {
		Reference string
		Source    Source
		Err       error
		Suspect   bool
	}
	// TagsFromMirror: the registry that the reference names did not answer, so a tag or a
	// list of tags is what a mirror says. It may be old.
	TagsFromMirror struct {
		Reference string
		Mirror    string
		Err       error // of the registry
	}
	// InsecureMirror: a mirror is passed over, because only its file allows plain HTTP.
	InsecureMirror struct {
		Host, File string
		Line       int
		Insecure   []string // Options.InsecureRegistries
	}
	// LocationIgnored: a file in the work tree replaces a registry, and tags are asked of
	// that registry all the same.
	LocationIgnored struct {
		Location, Origin, File string
		Line                   int
		Digests                bool // these are asked of that registry, too
	}
	// LocationSpoke: a registry was to be asked for tags, but a location has its place.
	LocationSpoke struct {
		Location, Origin, File string
		Line                   int
	}
)

// sourceEvent returns an event of the sources as one of this package.
func sourceEvent(e sources.Event) Event {
	switch e := e.(type) {
	case sources.FilesRead:
		return MirrorFilesRead(e)
	case sources.FileIgnored:
		return MirrorFileIgnored(e)
	case sources.Served:
		return Served(e)
	case sources.Failed:
		return SourceFailed(e)
	case sources.TagsFromMirror:
		return TagsFromMirror(e)
	case sources.InsecureMirror:
		return InsecureMirror(e)
	case sources.LocationIgnored:
		return LocationIgnored(e)
	case sources.LocationSpoke:
		return LocationSpoke(e)
	}
	return nil // there is no other
}

func (MirrorFilesRead) event()   {}
func (MirrorFileIgnored) event() {}
func (Served) event()            {}
func (SourceFailed) event()      {}
func (TagsFromMirror) event()    {}
func (InsecureMirror) event()    {}
func (LocationIgnored) event()   {}
func (LocationSpoke) event()     {}

func (SuspectLayer) event()  {}
func (CorruptEntry) event()  {}
func (CacheUnusable) event() {}
func (Waiting) event()       {}
func (Retrying) event()      {}
func (Resumed) event()       {}
