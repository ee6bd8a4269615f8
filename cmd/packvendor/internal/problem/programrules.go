package problem

import "github.com/greenticai/packvendor/vendorer"

// programRules are about compiled programs.
func programRules() []rule {
	return []rule{
		all(Drift, new(*vendorer.NoMarkerError), new(*vendorer.MalformedMarkersError)),
		on(func(e *vendorer.LinkError) Problem {
			if e.IsAboutBytes() {
				return Problem{Kind: Integrity}
			}
			return Problem{Kind: Drift}
		}),
		all(Usage, new(*vendorer.ProgramFormatError), new(*vendorer.MarkerLimitError), new(*vendorer.MarkerVersionError)),
	}
}
