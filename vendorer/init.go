package vendorer

import (
	"context"

	"github.com/greenticai/packvendor/vendorer/internal/gotool"
	"github.com/greenticai/packvendor/vendorer/internal/project"
	"github.com/greenticai/packvendor/vendorer/internal/scaffold"
)

// ToolPath is packvendor's own package, as go.mod's tool lines name it.
const ToolPath = gotool.Packvendor

type (
	// InitOptions say what Init sets up.
	InitOptions = scaffold.Options
	// An InitReport says what Init did.
	InitReport = scaffold.Report
	// An InitError reports that packs.toml cannot say what Init was asked to write, or
	// says something else already.
	InitError = scaffold.Error
)

// Init sets up a project: packs.toml, a Go file that has go generate run
// packvendor, and lines in the module's .gitattributes. What is there is never
// replaced; where all is there, nothing is done. On any error before the files get
// their names, nothing is.
func Init(ctx context.Context, o Options, want InitOptions) (*InitReport, error) {
	lock, err := o.lock(ctx)
	if err != nil {
		return nil, err
	}
	p, err := project.At(o.file(), lock)
	if err != nil {
		return nil, err
	}
	defer p.Close()
	return scaffold.Init(p, o.file(), o.getenv, want)
}
