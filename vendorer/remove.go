package vendorer

import (
	"context"
	"errors"
	"slices"

	"github.com/greenticai/packvendor/packsfile"
)

// RemoveOptions name the packs that Remove removes.
type RemoveOptions struct {
	Names []string
	// DryRun plans the run and writes nothing.
	DryRun bool
}

// Remove removes packs from packs.toml, and vendors the others. Other packs without a
// pin stay as they are.
func Remove(ctx context.Context, o Options, ro RemoveOptions) (*Report, error) {
	v, err := openVendoring(ctx, o, true)
	if err != nil {
		return nil, err
	}
	defer v.close()
	v.dryRun = ro.DryRun
	var errs []error
	for i, name := range ro.Names {
		if _, ok := v.p.Config.Pack(name); !ok && !slices.Contains(ro.Names[:i], name) {
			errs = append(errs, v.unknown(name))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	if err := v.edit(removal(ro.Names), true); err != nil {
		return nil, err
	}
	return v.vendor(ctx)
}

func removal(names []string) editor {
	return func(data []byte) ([]byte, error) { return packsfile.Remove(data, names...) }
}
