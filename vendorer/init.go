package vendorer

import (
	"context"

	"github.com/greenticai/packvendor/vendorer/internal/gotool"
	"github.com/greenticai/packvendor/vendorer/internal/project"
	"github.com/greenticai/packvendor/vendorer/internal/scaffold"
)

// ToolPath is packvendor's own package, as in go.mod's tool lines.
const ToolPath = gotool.Packvendor

type (
	// InitOptions select the settings that Init writes.
	InitOptions = scaffold.Options
	// An InitReport lists the changes of Init.
	InitReport = scaffold.Report
	// An InitError reports a setting that packs.toml cannot hold, or that the present
	// packs.toml contradicts.
	InitError = scaffold.Error
	// A CIError reports a CI system that Init does not know, or that cannot work with this
	// packs.toml.
	CIError = scaffold.CIError
)

// CISystems returns the names of the CI systems that Init can write jobs for, sorted.
func CISystems() []string { return scaffold.CISystems() }

// Init sets up a project: packs.toml, a Go file with a go:generate line for packvendor,
// lines in the module's .gitattributes, and the jobs of a CI system. It never replaces a
// present file or line.
// An error before the files get their names leaves the project untouched.
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
