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
func (v *vendoring) checkSizes(items []*item) error {
	var total int64
	var changed bool
	var errs []error
	for _, i := range items {
		total += min(i.entry.Size, maxEmbedded+1) // never overflows: names are few
		changed = changed || i.Action == Resolve
		if i.entry.Size > maxEmbedded {
			errs = append(errs, v.packError(i.Pack, i.Action, &i.Locked, tooLarge("the pack has", i.entry.Size)))
		} else if i.entry.Size > largePack && i.Action == Resolve {
			v.events.event(Large{Name: i.Pack.Name, Size: i.entry.Size})
		}
	}
	if len(errs) == 0 && total > maxEmbedded {
		errs = append(errs, tooLarge("all packs of "+v.p.Show(v.p.TOMLFile)+" together have", total))
	}
	if len(errs) == 0 && total > largeTogether && changed {
		v.events.event(LargeTotal{Size: total})
	}
	return errors.Join(errs...)
}

// maxOpen is how many staged packs are kept open until all are made durable together.
// Of any more each is made durable by itself: systems bound what may be open at once.
const maxOpen = 512

// stage writes all that will change under temporary names.
func (v *vendoring) stage(ctx context.Context, c *project.Change, items []*item, pkg embedgen.Package) error {
	var wanted []*item
	for _, i := range items {
		if i.wanted() {
			wanted = append(wanted, i)
		} else if i.Action == Resolve {
			v.suspect(i, nil)
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
	err := eachFetched(ctx, v.client, wanted, func(ctx context.Context, i *item) (err error) {
		if i.staged, err = v.fetch(ctx, i); err != nil {
			return v.packError(i.Pack, i.Action, &i.Locked, err)
		}
		return nil
	})
	for _, i := range wanted {
		c.Packs = append(c.Packs, i.staged)
	}
	if err != nil {
		return err
	}
	v.tellRestored(wanted)
	return v.stageTexts(c, items, pkg)
}

// fetch stages the bytes of one pack.
func (v *vendoring) fetch(ctx context.Context, i *item) (*atomicfile.File, error) {
	file, err := v.p.CreatePack(i.Pack.Name)
	if err != nil {
		return nil, err
	}
	file.WriteEarly()
	i.fetched, err = v.Copy(ctx, i.pack, file)
	if err == nil && i.Action == Resolve {
		v.suspect(i, file)
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

// suspect warns of a layer that may not be the pack. bytes are its, nil if they are not at
// hand.
func (v *vendoring) suspect(i *item, bytes io.ReaderAt) {
	if d, doubtful := v.Suspect(i.pack, bytes); doubtful {
		v.events.event(SuspectLayer{Name: i.Pack.Name, SuspectLayer: d})
	}
}

// tellRestored warns of vendored files that were not what is locked.
func (v *vendoring) tellRestored(wanted []*item) {
	for _, i := range wanted {
		if i.Reason == Changed {
			v.events.event(Restored{
				Name: i.Pack.Name, Path: v.p.Show(v.p.PackFile(i.Pack.Name)),
				Got: i.Vendored.Content, Want: project.ContentOf(i.entry), LFS: i.Vendored.LFS,
			})
		}
	}
}

// stageTexts stages the generated file, packs.lock and packs.toml, each if it
// changes.
func (v *vendoring) stageTexts(c *project.Change, items []*item, pkg embedgen.Package) error {
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
	if err := c.StageLock(lockfile.Format(lock)); err != nil || v.edited == nil {
		return err
	}
	return c.StageTOML(v.edited)
}
