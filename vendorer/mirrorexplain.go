package vendorer

import (
	"context"
	"path/filepath"

	"github.com/greenticai/packvendor/internal/mirrors"
	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/sources"
)

type (
	// A MirrorExplanation says where a reference leads.
	MirrorExplanation = sources.Explanation
	// An ExplainedSource is a source of a reference, and how it is asked.
	ExplainedSource = sources.Explained
	// A MisspeltKey is a key of a file of mirrors that is ignored, and resembles a known one.
	MisspeltKey = mirrors.Misspelt
)

// ExplainMirrors says which sources the files of Options.Fetch.Mirrors give a reference, and
// in which order they are asked. It changes nothing and asks nobody. Of packs.toml, if it is
// at hand, insecure_registries and [trust] count.
//
// Errors besides those of packs.toml: *packfetch.InvalidReferenceError, *packfetch.MirrorFileError,
// *packfetch.MirrorFileMissingError.
func ExplainMirrors(ctx context.Context, o Options, fo FetchOptions, reference string) (*MirrorExplanation, error) {
	ref, err := ociref.Parse(reference)
	if err != nil {
		return nil, err
	}
	c, err := o.standalone(fo.within(o.file()))
	if err != nil {
		return nil, err
	}
	defer c.close()
	if err := c.loadOrganisation("."); err != nil {
		return nil, err
	}
	table, _, err := o.tableAtHand(ctx)
	if err != nil {
		return nil, err
	}
	c.DistrustMirrors(sources.Distrust{IsForeign: isInTreeOf(filepath.Dir(o.file())), AsksSigner: func(ref ociref.Reference) bool {
		match, err := table.Match(ref)
		return err == nil && !match.IsException() || c.asksSigner(ref)
	}})
	return c.ExplainSources(ref)
}

// MisspeltMirrorKeys returns the misspelt keys of a file of mirrors, which a run ignores as Podman
// does.
func MisspeltMirrorKeys(file string) []MisspeltKey { return mirrors.FindMisspelt(file) }
