package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
)

// bundle returns the bundle of a dataset, made when first asked for: an archive if its name
// ends in .tar, else a folder.
func (b *bench) bundle(ctx context.Context, d *dataset, name string) (string, error) {
	path := filepath.Join(d.dir, name)
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	_, err := output(ctx, d.dir, b.env, append(b.exporting(d.vendored(), d.cache()), "-o", path)...)
	return path, err
}

// exporting is an export of a project, without its output.
func (b *bench) exporting(project, cache string) []string {
	return []string{b.programs.packvendor, "export", "-q", "--offline", "-f", filepath.Join(project, "packs.toml"), "--cache-dir", cache}
}

// from is packvendor on a fresh clone without packs, with an empty cache and a bundle.
func (b *bench) from(d *dataset, bundle string) tool {
	c := b.cold(d)
	cold := c.args
	c.args = func(dir string) []string { return append(cold(dir), "--frozen", "--from", bundle) }
	return c
}

// export is packvendor that writes the bundle of a project.
func (b *bench) export(d *dataset) tool {
	return tool{name: "packvendor", check: d.isBundle, args: func(dir string) []string {
		return append(b.exporting(d.vendored(), d.cache()), "-o", "bundle.tar")
	}}
}

// exportCached is export of a clone without packs, from the cache.
func (b *bench) exportCached(d *dataset) tool {
	c := b.warm(d)
	c.check = d.isBundle
	c.args = func(string) []string { return append(b.exporting("project", d.cache()), "-o", "bundle.tar") }
	return c
}

// isBundle sees that a run wrote an archive in which the packs have room.
func (d *dataset) isBundle(dir string) error {
	info, err := os.Stat(filepath.Join(dir, "bundle.tar"))
	if err != nil {
		return err
	}
	var packs int64
	for _, pack := range d.lock.Entries {
		packs += pack.Size
	}
	if info.Size() < packs {
		return fmt.Errorf("the bundle has %d bytes, and its packs %d", info.Size(), packs)
	}
	return nil
}

// imports is packvendor that fills an empty cache from a bundle.
func (b *bench) imports(d *dataset, bundle string) tool {
	return tool{name: "packvendor", args: func(dir string) []string {
		return []string{b.programs.packvendor, "import", "-q", "--lock", filepath.Join(d.template(), "packs.lock"), "--cache-dir", filepath.Join(dir, "cache"), bundle}
	}}
}

func (b *bench) fromArchive(ctx context.Context) (result, error) {
	return b.fromOf(ctx, "from", "an archive", "bundle.tar")
}

func (b *bench) fromFolder(ctx context.Context) (result, error) {
	return b.fromOf(ctx, "from-folder", "a folder", "bundle")
}

// fromOf holds a run that has all in a bundle against a copy of the same files that is hashed
// after it was made.
func (b *bench) fromOf(ctx context.Context, name, kind, file string) (result, error) {
	s := b.sizes()
	d, err := b.dataset(ctx, s.manyShape())
	if err != nil {
		return result{}, err
	}
	bundle, err := b.bundle(ctx, d, file)
	if err != nil {
		return result{}, err
	}
	r, err := b.run(ctx, comparison{name: name, title: "`--from` " + kind + ", empty cache and project: " + packsText(s.many, s.pack), short: "--from " + kind + ", " + packsText(s.many, s.pack), tools: []tool{
		b.from(d, bundle),
		script("cp -r, hash program", "`cp -r` of the same files, then the hash program", 1.2,
			`cp -r "$2" first/packs && "$1" first/packs/*`, b.programs.hashall, d.packsDir(d.vendored())).leaving(d, "first/packs"),
	}})
	if err != nil {
		return r, err
	}
	r.verdicts = append(r.byTime(), counted("the same, requests", "—", r.outcomes[0].traffic.requests(), 0))
	return r, nil
}

func (b *bench) exportProject(ctx context.Context) (result, error) {
	return b.exportOf(ctx, "export", "project", b.export)
}

func (b *bench) exportCache(ctx context.Context) (result, error) {
	return b.exportOf(ctx, "export-cache", "cache", b.exportCached)
}

// exportOf holds an export of what is on this machine against a tar archive of the same files
// that reaches the disk.
func (b *bench) exportOf(ctx context.Context, name, place string, command func(*dataset) tool) (result, error) {
	s := b.sizes()
	d, err := b.dataset(ctx, s.manyShape())
	if err != nil {
		return result{}, err
	}
	r, err := b.run(ctx, comparison{name: name, title: "`export` from the " + place + ": " + packsText(s.many, s.pack), short: "export from the " + place + ", " + packsText(s.many, s.pack), tools: []tool{
		command(d),
		script("tar, sync", "`tar cf` of the same files, then `sync` of the archive: nothing verified", 1.3,
			`tar cf first/packs.tar -C "$1" . && sync first/packs.tar`, d.packsDir(d.vendored())),
	}})
	r.verdicts = r.byTime()
	return r, err
}

// memoryExport, memoryFrom and memoryImport are memory for bundles.
func (b *bench) memoryExport(ctx context.Context) (result, error) {
	return b.memoryOf(ctx, "memory-export", "peak memory, export", b.bundled(), func(d *dataset) (tool, error) { return b.export(d), nil })
}

func (b *bench) memoryFrom(ctx context.Context) (result, error) {
	return b.memoryOf(ctx, "memory-from", "peak memory, --from", b.bundled(), func(d *dataset) (tool, error) {
		bundle, err := b.bundle(ctx, d, "bundle.tar")
		return b.from(d, bundle), err
	})
}

func (b *bench) memoryImport(ctx context.Context) (result, error) {
	return b.memoryOf(ctx, "memory-import", "peak memory, import", b.bundled(), func(d *dataset) (tool, error) {
		bundle, err := b.bundle(ctx, d, "bundle.tar")
		return b.imports(d, bundle), err
	})
}

// bundled are the shapes whose bundles have their memory measured.
func (b *bench) bundled() []shape {
	s := b.sizes()
	return []shape{{name: "one", count: 1, size: s.pack}, {name: "quarter", count: 1, size: s.large / 4}, s.manyShape()}
}
