package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	"github.com/greenticai/packvendor/internal/packtest/disk"
)

// warmOn is a run on a new file system that can share blocks. It has all packs in its
// cache, and is held against packvendor that copies, which is built without clones.
func warmOn(kind, place string) func(*bench, context.Context) (result, error) {
	return func(b *bench, ctx context.Context) (result, error) {
		s := b.sizes()
		d, err := b.dataset(ctx, s.manyShape())
		if err != nil {
			return result{}, err
		}
		copying := filepath.Join(b.work, "packvendor-copying")
		if _, err := output(ctx, b.checkout, os.Environ(), "go", "build", "-tags", "noreflink", "-o", copying, "./cmd/packvendor"); err != nil {
			return result{}, err
		}
		packs := packsText(s.many, s.pack)
		c := comparison{name: "warm-" + kind, title: fmt.Sprintf("warm cache, empty project, %s: %s", place, packs), short: fmt.Sprintf("warm cache, %s, %s", kind, packs)}
		dir, err := os.MkdirTemp(b.work, kind+"-")
		if err != nil {
			return result{}, err
		}
		var r result
		refused := disk.WithCuttable(dir, kind, func(volume *disk.Cuttable) {
			r, err = b.runOn(ctx, volume.Dir, d, copying, c)
		})
		if refused != nil {
			return result{comparison: c, verdicts: []verdict{{Case: c.title, Against: "—", Measured: "not measured: " + refused.Error()}}}, nil
		}
		return r, err
	}
}

// runOn runs the comparison in a folder, with a dataset that is copied there.
func (b *bench) runOn(ctx context.Context, dir string, d *dataset, copying string, c comparison) (result, error) {
	there := *d
	there.dir = filepath.Join(dir, "data")
	for from, to := range map[string]string{d.cache(): there.cache(), d.template(): there.template(), d.packsDir(d.vendored()): there.packsDir(there.vendored())} {
		if err := os.CopyFS(to, os.DirFS(from)); err != nil {
			return result{}, err
		}
	}
	on := *b
	on.work = dir
	clones, copies := on.warm(&there), on.warm(&there)
	copies.name, copies.about, copies.target = "packvendor that copies", "packvendor built with `-tags noreflink`, which copies every pack", 0.7
	copies.args = func(dir string) []string { return append([]string{copying}, clones.args(dir)[1:]...) }
	clonesSpace, copiesSpace := clones.measureSpace(dir), copies.measureSpace(dir)
	c.tools = []tool{clones, copies,
		script("cp, hash program", "`cp --reflink=never` of the same files, then the hash program", 0,
			`cp --reflink=never "$2"/* first && "$1" first/*`, b.programs.hashall, there.packsDir(there.vendored())).leaving(&there, "first"),
	}
	r, err := on.run(ctx, c)
	r.verdicts = append(r.byTime(), bySpace(c, copies.about, float64(d.count)*float64(d.size), *clonesSpace, *copiesSpace))
	return r, err
}

// measureSpace has the tool report how many bytes its runs take on the file system of dir.
func (c *tool) measureSpace(dir string) *spread {
	prepare, check := c.prepare, c.check
	var taken spread
	var before float64
	c.prepare = func(run string) (err error) {
		if err = prepare(run); err == nil {
			before, err = usedOn(dir)
		}
		return err
	}
	c.check = func(run string) error {
		after, err := usedOn(dir)
		if err != nil {
			return err
		}
		taken.values = append(taken.values, after-before)
		return check(run)
	}
	return &taken
}

// usedOn returns how many bytes of a file system are in use, with all that was written.
func usedOn(dir string) (float64, error) {
	syscall.Sync()
	var stat syscall.Statfs_t
	err := syscall.Statfs(dir, &stat)
	return float64(stat.Blocks-stat.Bfree) * float64(stat.Bsize), err
}

// bySpace compares what the cache and the project take, where the cache takes so many
// bytes.
func bySpace(c comparison, against string, cache float64, clones, copies spread) verdict {
	const target = 0.55
	together := func(s spread) (t spread) {
		for _, taken := range s.values {
			t.values = append(t.values, cache+taken)
		}
		return t
	}
	ratios := together(clones).over(together(copies))
	return verdict{
		Case: c.title + ", space of the cache and the project", Against: against, Target: fmt.Sprintf("≤ %.2f", target),
		Measured: fmt.Sprintf("%.2f", ratios.median()), Spread: ratios.String(), Met: ratios.median() <= target,
	}
}
