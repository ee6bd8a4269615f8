package fetch

import "time"

// An Event is something that a user may want to know and that does not stop a
// fetch. Events of concurrent fetches arrive concurrently.
type Event interface{ event() }

// CorruptEntry: the cache held something else than it must, and it was fetched
// again, or that was tried.
type CorruptEntry struct {
	Reference string
	Err       *CorruptCacheError
	Mended    bool // it is replaced by now
}

// CacheUnusable: the cache could not be read or written; the fetch goes on
// without it.
type CacheUnusable struct {
	Reference string
	Err       error
}

// Waiting: another process is fetching the same pack.
type Waiting struct{ Reference string }

// Resumed: a download that was interrupted goes on where it ended, with Kept of
// Size bytes.
type Resumed struct {
	Reference  string
	Kept, Size int64
}

// Retrying: a request failed in a way that may pass, and is made again after a
// wait.
type Retrying struct {
	Err  error
	Wait time.Duration
	Told bool // the registry asked for that wait
	Try  int  // the number of the try that follows, of Of
	Of   int
}

// SuspectLayer: the layer that was selected may not be the pack, or not to every
// client.
type SuspectLayer struct {
	Reference string
	Layer     Layer
	NotZip    bool    // its bytes do not start as a zip archive does
	Others    []Layer // accepted layers that were not selected
	// FirstOfSeveral tells that no rule prefers it to another: clients differ in
	// which one they take.
	FirstOfSeveral bool
	// Unknown are the media types, in printable form, of layers that no client
	// accepts unless it is told to. The Rust client then refuses the artifact.
	Unknown []string
}

func (SuspectLayer) event()  {}
func (CorruptEntry) event()  {}
func (CacheUnusable) event() {}
func (Waiting) event()       {}
func (Retrying) event()      {}
func (Resumed) event()       {}
