package vendorer

import "context"

// MakePlan is pure: tests call it without a project.
var MakePlan = makePlan

// InspectPipe is Inspect of a pipe of which at most a number of bytes are copied.
func InspectPipe(ctx context.Context, o Options, name string, most int64) (*Inspection, error) {
	return fileInspection{options: o, name: name, maxPiped: most}.run(ctx)
}
