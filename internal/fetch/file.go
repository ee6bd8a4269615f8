package fetch

import (
	"bytes"
	"context"

	"github.com/greenticai/packvendor/internal/atomicfile"
	"github.com/greenticai/packvendor/internal/outputfile"
	"github.com/greenticai/packvendor/internal/scratch"
)

// A Result is a fetched pack, field for field the Rust client's ResolvedPack.
type Result struct {
	OriginalReference   string
	ResolvedDigest      string // the manifest's
	MediaType           string // the layer's
	Path                string
	FetchedFromNetwork  bool
	ManifestDigest      string
	ManifestAnnotations map[string]string
	// Source is where the bytes came from, if not from the cache and not from the repository
	// that the reference names: HOST/REPOSITORY of a mirror, or the path of a bundle. The Rust client
	// has neither.
	Source string
}

func (f *Fetcher) result(p *Resolved, path string, fetched bool) Result {
	source, bundled := "", f.CameFromBundle(p)
	if fetched || bundled {
		source = f.DownloadedFrom(p)
	}
	return Result{
		Source:              source,
		OriginalReference:   p.Reference.Text(),
		ResolvedDigest:      string(p.ManifestDigest),
		MediaType:           p.Layer.MediaType,
		Path:                path,
		FetchedFromNetwork:  fetched && !bundled,
		ManifestDigest:      string(p.ManifestDigest),
		ManifestAnnotations: p.Annotations,
	}
}

// Open returns a private copy of the pack. The caller must close it. Errors are those
// of Copy.
func (f *Fetcher) Open(ctx context.Context, p *Resolved) (*scratch.File, error) {
	file, err := scratch.New()
	if err != nil {
		return nil, &StorageError{Err: err}
	}
	if _, err := f.Copy(ctx, p, file); err != nil {
		file.Close()
		return nil, err
	}
	f.warnIfSuspect(p, file)
	return file, nil
}

// ToFile writes the verified pack to out, completely or not at all. Errors are those of
// Copy, and those of writing the file.
func (f *Fetcher) ToFile(ctx context.Context, p *Resolved, out *outputfile.File) (Result, error) {
	var fetched bool
	err := out.Write(func(file *atomicfile.File) (err error) {
		if fetched, err = f.Copy(ctx, p, file); err == nil {
			f.warnIfSuspect(p, file)
		}
		return err
	})
	if err != nil {
		return Result{}, err
	}
	return f.result(p, out.Path(), fetched), nil
}

// ToCache stores the pack in the cache, if it is not there, and returns its path. It
// verifies the bytes; other programs may write to the cache afterwards. If the cache
// cannot be written, an event says so, and the path is that of a temporary file, which
// the caller removes. Errors are those of Copy.
func (f *Fetcher) ToCache(ctx context.Context, p *Resolved) (Result, error) {
	var file *scratch.File // nil unless the cache cannot have the bytes
	var head head
	to := target{fill: true, Sink: &head, uncached: func() (_ Sink, err error) {
		if file, err = scratch.New(); err != nil {
			return nil, &StorageError{Err: err}
		}
		return file, nil
	}}
	from, err := f.copy(ctx, p, to)
	if err == nil && from == fromNetworkOnly && file == nil {
		_, err = f.copyUncached(ctx, p, f.counted(p, to)) // the cache failed after the first bytes
	}
	switch {
	case err != nil && file != nil:
		file.Close()
		return Result{}, err
	case err != nil:
		return Result{}, err
	case file == nil:
		f.warnIfSuspect(p, bytes.NewReader(head))
		return f.result(p, f.cache.PackPath(p.ManifestDigest), from == fromNetwork), nil
	}
	f.warnIfSuspect(p, file)
	path, err := file.Keep()
	if err != nil {
		return Result{}, &StorageError{Err: err}
	}
	return f.result(p, path, true), nil
}

// A head is a Sink that keeps the first bytes alone, enough to recognise a zip archive.
type head []byte

func (h *head) Write(p []byte) (int, error) {
	*h = append(*h, p[:min(len(p), zipMagic-len(*h))]...)
	return len(p), nil
}

func (h *head) Reset() error {
	*h = (*h)[:0]
	return nil
}
