package vendorer

import (
	"context"
	"errors"
	"slices"

	"github.com/greenticai/packvendor/packsfile"
)

// RemoveOptions say what Remove takes out.
type RemoveOptions struct {
	Names []string
	// DryRun finds out what would be done, and writes nothing.
	DryRun bool
}

// Remove takes packs out of packs.toml, and vendors. Other packs that lack a pin
// stay as they are.
func Remove(ctx context.Context, o Options, ro RemoveOptions) (*Report, error) {
	r, err := start(ctx, o, true)
	if err != nil {
		return nil, err
	}
	defer r.close()
	r.dryRun = ro.DryRun
	var errs []error
	for i, name := range ro.Names {
		if _, ok := r.p.Config.Pack(name); !ok && !slices.Contains(ro.Names[:i], name) {
			errs = append(errs, r.unknown(name))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	if err := r.edit(removal(ro.Names), true); err != nil {
		return nil, err
	}
	return r.vendor(ctx)
}

func removal(names []string) editor {
	return func(data []byte) ([]byte, error) { return packsfile.Remove(data, names...) }
}
