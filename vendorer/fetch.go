package vendorer

import (
	"context"
	"io"

	"github.com/greenticai/packvendor/internal/fetch"
	"github.com/greenticai/packvendor/internal/verified"
	"github.com/greenticai/packvendor/packfetch"
)

// Fetch makes the cache hold the pack of reference. It needs no project.
func Fetch(ctx context.Context, o Options, fo FetchOptions, reference string) (packfetch.Result, error) {
	f, err := o.standalone(fo)
	if err != nil {
		return packfetch.Result{}, err
	}
	defer f.close()
	pack, err := f.resolve(ctx, reference)
	if err != nil {
		return packfetch.Result{}, err
	}
	return f.ToCache(ctx, pack)
}

// FetchFile is Fetch to the file output, which gets all verified bytes or stays as it
// was. The Result's Path is output. FetchFile returns a *PlaceError, before any
// request, if output has no directory or is no regular file.
func FetchFile(ctx context.Context, o Options, fo FetchOptions, reference, output string) (packfetch.Result, error) {
	out, err := fetch.OpenOutput(output)
	if err != nil {
		return packfetch.Result{}, err
	}
	defer out.Close()
	f, err := o.standalone(fo)
	if err != nil {
		return packfetch.Result{}, err
	}
	defer f.close()
	pack, err := f.resolve(ctx, reference)
	if err != nil {
		return packfetch.Result{}, err
	}
	return f.ToFile(ctx, pack, out)
}

// FetchTo is Fetch to w, which gets only verified bytes.
func FetchTo(ctx context.Context, o Options, fo FetchOptions, reference string, w io.Writer) error {
	f, err := o.standalone(fo)
	if err != nil {
		return err
	}
	defer f.close()
	pack, err := f.resolve(ctx, reference)
	if err != nil {
		return err
	}
	copied, err := f.Open(ctx, pack)
	if err != nil {
		return err
	}
	defer copied.Close()
	_, err = io.Copy(w, verified.Reader(ctx, copied.Reader()))
	return err
}
