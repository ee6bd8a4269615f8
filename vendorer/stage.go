package vendorer

import (
	"context"
	"errors"
	"io"

	"github.com/greenticai/packvendor/embedgen"
	"github.com/greenticai/packvendor/internal/atomicfile"
	"github.com/greenticai/packvendor/lockfile"
	"github.com/greenticai/packvendor/vendorer/internal/project"
)

// checkSizes refuses what cannot be linked, before it is downloaded, and warns
// of what code hosts refuse.
func (r *run) checkSizes(items []*item) error {
	var total int64
	var changed bool
	var errs []error
	for _, i := range items {
		total += min(i.entry.Size, maxEmbedded+1) // never overflows: names are few
		changed = changed || i.Action == Resolve
		if i.entry.Size > maxEmbedded {
			errs = append(errs, r.packError(i.Pack, i.Action, &i.Locked, tooLarge("the pack has", i.entry.Size)))
		} else if i.entry.Size > largePack && i.Action == Resolve {
			r.tell.event(Large{Name: i.Pack.Name, Size: i.entry.Size})
		}
	}
	if len(errs) == 0 && total > maxEmbedded {
		errs = append(errs, tooLarge("all packs of "+r.p.Show(r.p.TOMLFile)+" together have", total))
	}
	if len(errs) == 0 && total > largeTogether && changed {
		r.tell.event(LargeTotal{Size: total})
	}
	return errors.Join(errs...)
}

// maxOpen is how many staged packs are kept open until all are made durable together.
// Of any more each is made durable by itself: systems bound what may be open at once.
const maxOpen = 512

// stage writes all that will change under temporary names.
func (r *run) stage(ctx context.Context, c *project.Change, items []*item, pkg embedgen.Package) error {
	var wanted []*item
	for _, i := range items {
		if i.wanted() {
			wanted = append(wanted, i)
		} else if i.Action == Resolve {
			r.doubt(i, nil)
		}
	}
	if len(wanted) > 0 {
		if err := c.MakeDataDir(); err != nil {
			return err
		}
	}
	for n, i := range wanted {
		i.apart = n >= maxOpen
	}
	err := eachFetched(ctx, r, wanted, func(ctx context.Context, i *item) (err error) {
		if i.staged, err = r.fetch(ctx, i); err != nil {
			return r.packError(i.Pack, i.Action, &i.Locked, err)
		}
		return nil
	})
	for _, i := range wanted {
		c.Packs = append(c.Packs, i.staged)
	}
	if err != nil {
		return err
	}
	r.tellRestored(wanted)
	return r.stageTexts(c, items, pkg)
}

// fetch stages the bytes of one pack.
func (r *run) fetch(ctx context.Context, i *item) (*atomicfile.File, error) {
	file, err := r.p.CreatePack(i.Pack.Name)
	if err != nil {
		return nil, err
	}
	file.WriteEarly()
	i.fetched, err = r.f.Copy(ctx, i.pack, file)
	if err == nil && i.Action == Resolve {
		r.doubt(i, file)
	}
	if err == nil && i.apart {
		err = file.Finish()
	}
	if err != nil {
		file.Discard()
		return nil, err
	}
	if !i.apart {
		file.StartWriteback()
	}
	return file, nil
}

// doubt warns of a layer that may not be the pack. bytes are its, nil if they are not at
// hand.
func (r *run) doubt(i *item, bytes io.ReaderAt) {
	if d, doubtful := r.f.Doubt(i.pack, bytes); doubtful {
		r.tell.event(Doubtful{Name: i.Pack.Name, Doubtful: d})
	}
}

// tellRestored warns of vendored files that were not what is locked.
func (r *run) tellRestored(wanted []*item) {
	for _, i := range wanted {
		if i.Reason == Changed {
			r.tell.event(Restored{
				Name: i.Pack.Name, Path: r.p.Show(r.p.PackFile(i.Pack.Name)),
				Got: i.Vendored.Content, Want: project.ContentOf(i.entry), LFS: i.Vendored.LFS,
			})
		}
	}
}

// stageTexts stages the generated file, packs.lock and packs.toml, each if it
// changes.
func (r *run) stageTexts(c *project.Change, items []*item, pkg embedgen.Package) error {
	source, err := generate(pkg, items)
	if err != nil {
		return err
	}
	if err := c.StageGo(source); err != nil {
		return err
	}
	lock := &lockfile.Lock{}
	for _, i := range items {
		if err := i.entry.Validate(); err != nil { // what is written can be read again
			return err
		}
		lock.Packs = append(lock.Packs, i.entry)
	}
	if err := c.StageLock(lockfile.Format(lock)); err != nil || r.edited == nil {
		return err
	}
	return c.StageTOML(r.edited)
}

// generate returns the Go source for the items.
func generate(pkg embedgen.Package, items []*item) ([]byte, error) {
	pkg.Packs = nil
	for _, i := range items {
		pkg.Packs = append(pkg.Packs, embedgen.Pack{
			Name:           i.Pack.Name,
			GoName:         i.Pack.GoName,
			Ref:            i.entry.Ref,
			ManifestDigest: string(i.entry.ManifestDigest),
			LayerDigest:    string(i.entry.LayerDigest),
			MediaType:      i.entry.MediaType,
			Size:           i.entry.Size,
		})
	}
	return embedgen.Generate(pkg)
}
