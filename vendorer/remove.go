package vendorer

import (
	"context"
	"errors"
	"slices"

	"github.com/greenticai/packvendor/packsfile"
)

// Remove takes packs out of packs.toml, and vendors. Other packs that lack a pin
// stay as they are.
func Remove(ctx context.Context, o Options, names []string) (*Report, error) {
	r, err := start(ctx, o, true)
	if err != nil {
		return nil, err
	}
	defer r.close()
	var errs []error
	for i, name := range names {
		if _, ok := r.p.config.Pack(name); !ok && !slices.Contains(names[:i], name) {
			errs = append(errs, r.unknown(name))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	if err := r.edit(removal(names), true); err != nil {
		return nil, err
	}
	return r.vendor(ctx)
}

func removal(names []string) editor {
	return func(data []byte) ([]byte, error) { return packsfile.Remove(data, names...) }
}
