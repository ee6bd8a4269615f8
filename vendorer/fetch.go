package vendorer

import (
	"context"
	"io"

	"github.com/greenticai/packvendor/internal/fetch"
	"github.com/greenticai/packvendor/internal/outputfile"
	"github.com/greenticai/packvendor/internal/verified"
	"github.com/greenticai/packvendor/packfetch"
)

// Fetch makes the cache hold the pack of reference. It needs no project.
func Fetch(ctx context.Context, o Options, fo FetchOptions, reference string) (packfetch.Result, error) {
	return o.withPack(ctx, fo, reference, func(c *client, pack *fetch.Resolved) (packfetch.Result, error) {
		return c.ToCache(ctx, pack)
	})
}

// FetchFile is Fetch to the file output, which gets all verified bytes or stays as it
// was. The Result's Path is output. FetchFile returns a *PlaceError, before any
// request, if output has no directory or is no regular file.
func FetchFile(ctx context.Context, o Options, fo FetchOptions, reference, output string) (packfetch.Result, error) {
	out, err := outputfile.Open(output)
	if err != nil {
		return packfetch.Result{}, err
	}
	defer out.Close()
	return o.withPack(ctx, fo, reference, func(c *client, pack *fetch.Resolved) (packfetch.Result, error) {
		return c.ToFile(ctx, pack, out)
	})
}

// FetchTo is Fetch to w, which gets only verified bytes.
func FetchTo(ctx context.Context, o Options, fo FetchOptions, reference string, w io.Writer) error {
	_, err := o.withPack(ctx, fo, reference, func(c *client, pack *fetch.Resolved) (packfetch.Result, error) {
		copied, err := c.Open(ctx, pack)
		if err != nil {
			return packfetch.Result{}, err
		}
		defer copied.Close()
		_, err = io.Copy(w, verified.Reader(ctx, copied.Reader()))
		return packfetch.Result{}, err
	})
	return err
}

// withPack resolves reference without a project, and has use take the pack.
func (o Options) withPack(ctx context.Context, fo FetchOptions, reference string, use func(*client, *fetch.Resolved) (packfetch.Result, error)) (packfetch.Result, error) {
	c, err := o.standalone(fo)
	if err != nil {
		return packfetch.Result{}, err
	}
	defer c.close()
	if err := c.loadOrganisation("."); err != nil {
		return packfetch.Result{}, err
	}
	pack, err := c.resolve(ctx, reference)
	if err == nil {
		_, err = c.checkByOrganisation(ctx, pack)
	}
	if err != nil {
		return packfetch.Result{}, err
	}
	return use(c, pack)
}
