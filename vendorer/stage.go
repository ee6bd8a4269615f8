package vendorer

import (
	"context"
	"errors"
	"io"

	"github.com/greenticai/packvendor/embedgen"
	"github.com/greenticai/packvendor/internal/atomicfile"
	"github.com/greenticai/packvendor/lockfile"
	"github.com/greenticai/packvendor/packsfile"
	"github.com/greenticai/packvendor/vendorer/internal/project"
)

// checkSizes refuses packs that cannot be linked, or are larger than packs.toml allows, before
// any download, and warns of packs that code hosts refuse.
func (v *vendoring) checkSizes(tasks []*task) error {
	var total int64
	var changed bool
	var errs []error
	for _, t := range tasks {
		total += min(t.entry.Size, maxEmbedded+1) // never overflows: names are few
		changed = changed || t.Action == Resolve
		if t.entry.Size > maxEmbedded {
			errs = append(errs, v.packError(t.Pack, t.Action, &t.Locked, tooLarge("the pack has", t.entry.Size)))
		} else if t.entry.Size > largePack && t.Action == Resolve {
			v.events.event(Large{Name: t.Pack.Name, Size: t.entry.Size})
		}
	}
	if len(errs) == 0 && total > maxEmbedded {
		errs = append(errs, tooLarge("all packs of "+v.p.Show(v.p.TOMLFile)+" together have", total))
	}
	if len(errs) == 0 { // else those are larger than any limit
		errs = v.limitErrors(tasks)
	}
	if len(errs) == 0 && total > largeTogether && changed {
		v.events.event(LargeTotal{Size: total})
	}
	return errors.Join(errs...)
}

// maxOpen bounds the staged packs and evidence that stay open to be made durable together.
// Each further file is made durable by itself: systems bound the number of open files.
const maxOpen = 256

// stage writes all changes under temporary names.
func (v *vendoring) stage(ctx context.Context, c *project.Change, tasks []*task, pkg embedgen.Package) error {
	var wanted []*task
	for _, t := range tasks {
		if t.mustWrite() {
			wanted = append(wanted, t)
		} else if t.Action == Resolve {
			v.suspect(t, nil)
		}
	}
	if err := v.compareKept(ctx, tasks); err != nil {
		return err
	}
	if len(wanted) > 0 {
		if err := c.MakeDataDir(); err != nil {
			return err
		}
	}
	for n, t := range wanted {
		t.apart = n >= maxOpen
	}
	err := eachFetched(ctx, v.client, wanted, func(ctx context.Context, t *task) (err error) {
		if t.staged, err = v.fetch(ctx, t); err != nil {
			return v.packError(t.Pack, t.Action, &t.Locked, err)
		}
		return nil
	})
	for _, t := range wanted {
		c.Packs = append(c.Packs, t.staged)
	}
	if err != nil {
		return err
	}
	v.warnRestored(wanted)
	return v.stageTexts(c, tasks, pkg)
}

// fetch stages the bytes of one pack.
func (v *vendoring) fetch(ctx context.Context, t *task) (*atomicfile.File, error) {
	file, err := v.p.CreatePack(t.Pack.Name)
	if err != nil {
		return nil, err
	}
	file.WriteEarly()
	if err := v.fill(ctx, t, file); err != nil {
		file.Discard()
		return nil, err
	}
	if !t.apart {
		file.StartWriteback()
	}
	return file, nil
}

// fill writes the bytes of one pack, and looks at them.
func (v *vendoring) fill(ctx context.Context, t *task, file *atomicfile.File) error {
	if err := v.copyPack(ctx, t, file); err != nil {
		return err
	}
	if t.Action == Resolve {
		v.suspect(t, file)
	}
	if err := t.takeSample(file); err != nil {
		return err
	}
	if err := v.comparePacks(ctx, t, io.NewSectionReader(file, 0, t.entry.Size)); err != nil || !t.apart {
		return err
	}
	return file.Finish()
}

// copyPack copies the bytes of one pack from where they are: its local file, a bundle, the cache
// or a registry.
func (v *vendoring) copyPack(ctx context.Context, t *task, to *atomicfile.File) (err error) {
	if t.Pack.Path != "" {
		return v.copyLocalFile(ctx, t, to)
	}
	if t.fetched, err = v.Copy(ctx, t.pack, to); err != nil {
		return err
	}
	t.bundled = v.CameFromBundle(t.pack)
	if t.fetched || t.bundled {
		t.source = v.DownloadedFrom(t.pack)
	}
	return nil
}

// suspect warns of a layer that may not be the pack. bytes are the layer's, or nil.
func (v *vendoring) suspect(t *task, bytes io.ReaderAt) {
	if t.Pack.Path != "" {
		v.suspectLocalFile(t, bytes)
		return
	}
	if d, doubtful := v.Suspect(t.pack, bytes); doubtful {
		v.events.event(SuspectLayer{Name: t.Pack.Name, SuspectLayer: d})
	}
}

// compareKept compares signed packs whose bytes are vendored already, and whose entries
// change all the same.
func (v *vendoring) compareKept(ctx context.Context, tasks []*task) error {
	var errs []error
	for _, t := range tasks {
		if t.mustWrite() || t.entry.Signer == "" || t.entry == t.Locked {
			continue
		}
		if err := v.compareVendored(ctx, t); err != nil {
			errs = append(errs, v.packError(t.Pack, t.Action, &t.Locked, err))
		}
	}
	v.events.flush()
	return errors.Join(errs...)
}

// warnRestored warns of vendored files that differed from packs.lock.
func (v *vendoring) warnRestored(wanted []*task) {
	for _, t := range wanted {
		if t.Reason == Changed {
			v.events.event(Restored{
				Name: t.Pack.Name, Path: v.p.Show(v.p.PackFile(t.Pack.Name)),
				Got: t.Vendored.Content, Want: project.ContentOf(t.entry), LFS: t.Vendored.LFS,
			})
		}
	}
}

// stageGo stages the generated files, if they change.
func (v *vendoring) stageGo(c *project.Change, pkg embedgen.Package) error {
	source, err := embedgen.Generate(pkg)
	if err != nil {
		return err
	}
	if err := c.StageGo(source); err != nil {
		return err
	}
	if !pkg.Stub {
		return c.DropStub()
	}
	if source, err = embedgen.GenerateStub(pkg); err != nil {
		return err
	}
	return c.StageStub(source)
}

// stageTexts stages the generated files, packs.lock and packs.toml, if they change.
func (v *vendoring) stageTexts(c *project.Change, tasks []*task, pkg embedgen.Package) error {
	if err := v.stageGo(c, embeds(pkg, tasks)); err != nil {
		return err
	}
	lock := &lockfile.Lock{}
	open := len(c.Packs)
	for _, t := range tasks {
		if t.evidence != nil {
			if err := c.StageEvidence(t.entry.Name, t.evidence, open >= maxOpen); err != nil {
				return err
			}
			open++
		} else if t.entry.Signer == "" {
			c.DropEvidence(t.Locked)
		}
		if err := t.entry.Validate(); err != nil { // what is written can be read again
			return err
		}
		lock.Entries = append(lock.Entries, t.entry)
	}
	if err := c.StageLock(lockfile.Format(lock)); err != nil || v.edited == nil {
		return err
	}
	return c.StageTOML(v.edited)
}

// goPackage returns the package to generate, without the fields that are unknown yet,
// and checks that its names are free.
func (s *session) goPackage(config *packsfile.File) (embedgen.Package, error) {
	files, err := s.p.GoFiles()
	if err != nil {
		return embedgen.Package{}, err
	}
	return s.packageAmong(files, config)
}

// packageAmong is goPackage with the package's other files as files.
func (s *session) packageAmong(files []project.GoFile, config *packsfile.File) (pkg embedgen.Package, err error) {
	pkg.ImportPath, pkg.Data, pkg.Stub = s.p.ImportPath(), s.p.Config.Embed.Data, s.p.Config.Embed.Stub
	if pkg.Name, err = s.p.PackageName(s.o.getenv, files); err != nil {
		return pkg, err
	}
	for _, pack := range config.Packs {
		pkg.Packs = append(pkg.Packs, embedgen.Pack{Name: pack.Name, GoName: pack.GoName})
	}
	return pkg, s.p.CheckClashes(pkg, files)
}

// embeds returns pkg with the packs of the tasks.
func embeds(pkg embedgen.Package, tasks []*task) embedgen.Package {
	pkg.Packs = nil
	for _, t := range tasks {
		pkg.Packs = append(pkg.Packs, embedgen.Pack{
			Name:           t.Pack.Name,
			GoName:         t.Pack.GoName,
			Ref:            refOf(t.entry),
			Path:           t.entry.Path,
			ManifestDigest: string(t.entry.ManifestDigest),
			LayerDigest:    string(t.entry.LayerDigest),
			MediaType:      t.entry.MediaType,
			Size:           t.entry.Size,
			Sample:         t.sampled(),
		})
	}
	return pkg
}

// refOf returns the reference that a pack was fetched by; "" if it is a file.
func refOf(entry lockfile.Entry) string {
	if entry.Path != "" {
		return ""
	}
	return entry.Ref
}
