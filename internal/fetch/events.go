package fetch

import (
	"time"

	"github.com/greenticai/packvendor/internal/packcache"
	"github.com/greenticai/packvendor/internal/sources"
)

// An Event does not stop a fetch, but a user may want to know it. It is one of those below, or
// one of the sources. Events of concurrent fetches arrive concurrently.
type Event = sources.Event

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

func (SuspectLayer) IsEvent()  {}
func (CorruptEntry) IsEvent()  {}
func (CacheUnusable) IsEvent() {}
func (Waiting) IsEvent()       {}
func (Retrying) IsEvent()      {}
func (Resumed) IsEvent()       {}
