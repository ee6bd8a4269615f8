package vendorer

import (
	"context"

	"github.com/greenticai/packvendor/packfetch"
)

// FetchOptions configure Fetch.
type FetchOptions struct {
	AllowTags          bool
	InsecureRegistries []string
}

// Fetch sees that the cache holds the pack that reference names. It needs no
// project.
func Fetch(ctx context.Context, o Options, fo FetchOptions, reference string) (packfetch.Result, error) {
	tell := &teller{tell: o.Events}
	defer tell.flush()
	f, err := o.fetcher(func(f *packfetch.Options) {
		f.AllowTags, f.InsecureRegistries = fo.AllowTags, fo.InsecureRegistries
	}, ".", tell.event)
	if err != nil {
		return packfetch.Result{}, err
	}
	return f.FetchToCache(ctx, reference)
}
