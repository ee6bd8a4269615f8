package vendorer

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"slices"

	"github.com/greenticai/packvendor/internal/fetch"
	"github.com/greenticai/packvendor/internal/layout"
	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/regularfile"
	"github.com/greenticai/packvendor/internal/scratch"
	"github.com/greenticai/packvendor/internal/verified"
	"github.com/greenticai/packvendor/vendorer/internal/project"
)

// A bundleBlob is a blob of a bundle, with the places on this machine that may have it.
type bundleBlob struct {
	verified.Content
	places []blobPlace
	// fetch copies it from the cache, a bundle or a registry; nil if a place always has it.
	fetch   func(ctx context.Context, dst fetch.Sink) (from BlobSource, err error)
	isLocal bool // it was fetched, and is in a file of its own
}

// A blobPlace is a place on this machine that may have a blob.
type blobPlace struct {
	from BlobSource
	open func() (file io.ReadCloser, size int64, err error)
	lost func() // tells that it has other bytes
}

// from is where the bytes come from.
func (b *bundleBlob) from() BlobSource {
	if b == nil || len(b.places) == 0 {
		return FromRegistry
	}
	return b.places[0].from
}

// errLost reports a blob that no place has any more.
var errLost = errors.New("it has changed meanwhile")

// open opens the first place whose file has the right size. Its bytes are yet to be verified.
func (b *bundleBlob) open() (io.ReadCloser, error) {
	for ; len(b.places) > 0; b.drop() {
		file, size, err := b.places[0].open()
		if err == nil && size == b.Size {
			return file, nil
		}
		if err == nil {
			file.Close()
		}
	}
	return nil, errLost
}

// drop gives up the first place.
func (b *bundleBlob) drop() {
	if lost := b.places[0].lost; lost != nil {
		lost()
	}
	b.places = b.places[1:]
}

// look drops the first places that do not have a file of the right size.
func (b *bundleBlob) look() {
	if file, err := b.open(); err == nil {
		file.Close()
	}
}

// knownBlob is a blob of known bytes.
func knownBlob(data []byte) layout.Blob {
	return layout.Blob{Content: verified.Content{Digest: ociref.DigestOf(data), Size: int64(len(data))}, Open: func(context.Context) (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(data)), nil
	}}
}

// collect finds the blobs of all packs, and where they may be. The layers come first: what is
// the layer of one pack may be another blob of the next.
func (x *export) collect() {
	for _, t := range x.tasks {
		b := x.blobs[t.entry.LayerDigest]
		if b == nil {
			b = &bundleBlob{Content: project.ContentOf(t.entry), fetch: x.layerOf(t)}
			x.blobs[b.Digest] = b
		}
		b.places = append(b.places, x.placesOf(t)...)
	}
	for _, t := range x.tasks {
		for _, listed := range t.artifact.Blobs {
			if x.blobs[listed.Digest] == nil {
				x.blobs[listed.Digest] = x.otherBlob(t, listed)
			}
		}
	}
}

// layerOf returns how to fetch the layer of a pack.
func (x *export) layerOf(t *exportTask) func(context.Context, fetch.Sink) (BlobSource, error) {
	return func(ctx context.Context, dst fetch.Sink) (BlobSource, error) {
		pack, err := x.ResolveKnown(t.reference(), t.manifest, t.pack.Layer)
		if err != nil {
			return "", err
		}
		fetched, err := x.Copy(ctx, pack, dst)
		switch {
		case fetched:
			return FromRegistry, x.blobError(t, err)
		case x.CameFromBundle(pack):
			return FromBundle, x.blobError(t, err)
		}
		return FromCache, x.blobError(t, err)
	}
}

// otherBlob returns a blob of a pack that is not its layer.
func (x *export) otherBlob(t *exportTask, listed fetch.ArtifactBlob) *bundleBlob {
	b := &bundleBlob{Content: listed.Content}
	if listed.Known != nil {
		b.places = []blobPlace{{open: func() (io.ReadCloser, int64, error) {
			return io.NopCloser(bytes.NewReader(listed.Known)), int64(len(listed.Known)), nil
		}}}
		return b
	}
	b.fetch = func(ctx context.Context, dst fetch.Sink) (BlobSource, error) {
		fetched, err := x.CopyBlob(ctx, t.reference(), listed.Content, dst)
		if fetched {
			return FromRegistry, x.blobError(t, err)
		}
		return FromBundle, x.blobError(t, err)
	}
	return b
}

func (x *export) blobError(t *exportTask, err error) error {
	if err == nil {
		return nil
	}
	return x.packError(t.pack, Restore, &t.entry, err)
}

// placesOf returns where the layer of a pack may be.
func (x *export) placesOf(t *exportTask) []blobPlace {
	name := t.entry.Name
	vendored := blobPlace{from: FromProject, open: func() (io.ReadCloser, int64, error) { return x.p.OpenPack(name) }}
	vendored.lost = func() {
		if file, _, err := x.p.OpenPack(name); err == nil {
			file.Close()
			x.events.event(NotExported{Name: name, Path: x.p.Show(x.p.PackFile(name))})
		}
	}
	cached := blobPlace{from: FromCache, open: func() (io.ReadCloser, int64, error) { return x.OpenCached(t.entry.ManifestDigest) }}
	return []blobPlace{vendored, cached}
}

// fetchMissing fetches all blobs that this machine does not have.
func (x *export) fetchMissing(ctx context.Context) error {
	var missing []*bundleBlob
	var total int64
	x.collect()
	for _, t := range x.tasks {
		for _, listed := range t.artifact.Blobs {
			b := x.blobs[listed.Digest]
			b.look()
			if len(b.places) == 0 && !slices.Contains(missing, b) {
				missing = append(missing, b)
				total += b.Size
			}
		}
	}
	x.events.flush()
	x.progress.begin(PhaseFetching, len(missing), total)
	return eachCounted(ctx, x.client, missing, x.fetchBlob)
}

// fetchBlob fetches a blob into a file of its own.
func (x *export) fetchBlob(ctx context.Context, b *bundleBlob) error {
	file, err := scratch.New()
	if err != nil {
		return err
	}
	from, err := b.fetch(ctx, file)
	if err != nil {
		file.Close()
		return err
	}
	path, err := file.Keep()
	if err != nil {
		return err
	}
	b.places = []blobPlace{{from: from, open: func() (io.ReadCloser, int64, error) {
		file, info, err := regularfile.Open(nil, path)
		if err != nil {
			return nil, 0, err
		}
		return file, info.Size(), nil
	}}}
	b.isLocal = true
	x.mu.Lock()
	defer x.mu.Unlock()
	x.files = append(x.files, path)
	if from == FromRegistry {
		x.fetched += b.Size
	}
	return nil
}

// removeFetched removes the files of fetchBlob.
func (x *export) removeFetched() {
	for _, path := range x.files {
		os.Remove(path)
	}
}

// write writes the bundle. A place that had other bytes than the right ones is given up, and
// the bundle is written anew.
func (x *export) write(ctx context.Context, out *bundleOutput) error {
	var total int64
	for _, b := range x.blobs {
		total += b.Size
	}
	for {
		x.progress.begin(PhaseExporting, len(x.tasks), total)
		x.latest = nil
		err := out.write(ctx, x.contents())
		x.events.flush()
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case err == nil:
			return nil
		case x.latest == nil || !isAboutSource(err):
			return err
		}
		if err := x.mend(ctx, x.latest, err); err != nil {
			return err
		}
	}
}

// isAboutSource tells whether the bytes of a blob were wrong, or could not be read.
func isAboutSource(err error) bool {
	var mismatch *verified.MismatchError
	var read *verified.ReadError
	return errors.As(err, &mismatch) || errors.As(err, &read) || errors.Is(err, errLost)
}

// mend gives up the place of a blob that failed with an error. If no other is left, it fetches
// the blob, but not twice.
func (x *export) mend(ctx context.Context, b *bundleBlob, failed error) error {
	if len(b.places) > 0 {
		b.drop()
	}
	switch {
	case len(b.places) > 0:
		return nil
	case b.fetch == nil || b.isLocal:
		return failed
	}
	x.progress.begin(PhaseFetching, 1, b.Size)
	return x.fetchBlob(ctx, b)
}
