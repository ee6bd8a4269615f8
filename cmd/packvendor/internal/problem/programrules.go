package problem

import "github.com/greenticai/packvendor/vendorer"

// programRules are about compiled programs.
func programRules() []rule {
	return []rule{
		on(func(e *vendorer.ProgramSBOMError) Problem {
			if e.Name == "" {
				return Problem{Kind: Drift}
			}
			return Problem{Kind: Integrity}
		}),
		all(Drift, new(*vendorer.NoMarkerError)),
		on(func(e *vendorer.LinkError) Problem {
			if e.IsAboutBytes() {
				return Problem{Kind: Integrity}
			}
			return Problem{Kind: Drift}
		}),
		all(Usage, new(*vendorer.FormatError), new(*vendorer.MarkerLimitError), new(*vendorer.MarkerVersionError)),
	}
}
