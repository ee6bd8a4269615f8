package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
)

// noopMany holds a run that has nothing to do against programs that do nothing
// but read and hash.
func (b *bench) noopMany(ctx context.Context) (result, error) {
	s := b.sizes()
	d, err := b.dataset(ctx, s.manyShape())
	if err != nil {
		return result{}, err
	}
	r, err := b.run(ctx, comparison{name: "noop", title: "nothing to do, " + packsText(s.many, s.pack), short: "nothing to do, " + packsText(s.many, s.pack), tools: []tool{
		b.noop(d),
		{name: "hash program", about: "a 30-line Go program that hashes the same files with all cores", target: 1.3, args: func(string) []string {
			return slices.Concat([]string{b.programs.hashall}, d.packs())
		}},
		{name: "sha256sum", about: "`sha256sum` of the same files", target: 0.5, args: func(string) []string {
			return slices.Concat([]string{"sha256sum"}, d.packs())
		}},
	}})
	if err != nil {
		return r, err
	}
	r.verdicts = append(r.byTime(), counted("requests, nothing to do", "—", r.outcomes[0].traffic.requests(), 0))
	return r, nil
}

// noopReal holds a small run that has nothing to do against what a program of
// that size costs that only starts.
func (b *bench) noopReal(ctx context.Context) (result, error) {
	d, err := b.dataset(ctx, b.realShape())
	if err != nil {
		return result{}, err
	}
	only := func(args ...string) func(string) []string { return func(string) []string { return args } }
	r, err := b.run(ctx, comparison{name: "noop-real", title: "nothing to do, " + b.realText(), short: "nothing to do, " + b.realText(), tools: []tool{
		b.noop(d),
		{name: "crane version", about: "`crane version`: the start-up of a tool of this size", target: 1.4, args: only(b.programs.crane, "version")},
		{name: "packvendor version", about: "`packvendor version`: its own start-up", args: only(b.programs.packvendor, "version")},
	}})
	r.verdicts = r.byTime()
	return r, err
}

// noopSigned holds a run that has nothing to do over signed packs, all of which it verifies,
// against one over packs that nobody signed.
func (b *bench) noopSigned(ctx context.Context) (result, error) {
	return b.noopSignedOf(ctx, "noop-signed", b.sizes().manyShape(), 1.15)
}

// noopSignedSmall is noopSigned of packs that take little time themselves.
func (b *bench) noopSignedSmall(ctx context.Context) (result, error) {
	return b.noopSignedOf(ctx, "noop-signed-small", b.sizes().smallShape(), 0)
}

func (b *bench) noopSignedOf(ctx context.Context, name string, s shape, target float64) (result, error) {
	unsigned, err := b.dataset(ctx, s)
	if err != nil {
		return result{}, err
	}
	signed, err := b.dataset(ctx, s.asSigned())
	if err != nil {
		return result{}, err
	}
	of := b.noop(unsigned)
	of.name, of.about, of.target = "unsigned", "the same run over packs that nobody signed", target
	title := fmt.Sprintf("nothing to do, %d signed packs of %s", s.count, sizeText(s.size))
	r, err := b.run(ctx, comparison{name: name, title: title, short: title, tools: []tool{b.noop(signed), of}})
	if err != nil {
		return r, err
	}
	r.verdicts = append(r.byTime(), counted("the same, requests", "—", r.outcomes[0].traffic.requests(), 0))
	return r, nil
}

// realPacks are those that stand beside the checkout, if there are any.
func (b *bench) realPacks() []string {
	files, _ := filepath.Glob(filepath.Join(b.checkout, "..", "shared", "packs", "*.gtpack"))
	return files
}

// realShape is of the real packs, or else of five whose sizes are much the same.
func (b *bench) realShape() shape {
	s := shape{name: "real", count: 5, size: 931_013, embed: "dir = \"internal/packs\"\n"}
	s.files = b.realPacks()
	return s
}

func (b *bench) realText() string {
	if b.realPacks() != nil {
		return "5 real packs"
	}
	return "5 packs as large as real ones"
}

// update holds an update that finds nothing new against as many looks at a tag.
func (b *bench) update(ctx context.Context) (result, error) {
	s := b.sizes()
	d, err := b.dataset(ctx, s.manyShape())
	if err != nil {
		return result{}, err
	}
	tags := filepath.Join(d.dir, "tags")
	if err := d.writeReferences(tags, d.reference); err != nil {
		return result{}, err
	}
	r, err := b.run(ctx, comparison{name: "update", title: "`update`, " + packsText(s.many, s.pack) + " with floating tags, nothing moved", short: fmt.Sprintf("update, %d packs, nothing moved", s.many), tools: []tool{
		b.updating(d),
		script("crane digest", "`crane digest` of each, 8 at a time", 0.6,
			`xargs -a "$1" -P 8 -n 1 "$2" digest`, tags, b.programs.crane),
	}})
	if err != nil {
		return r, err
	}
	asked := r.outcomes[0].traffic
	r.verdicts = append(r.byTime(),
		counted("the same, HEAD requests", "—", asked.Heads, s.many),
		counted("the same, requests for manifests and blobs", "—", asked.Manifests+asked.Blobs, 0))
	return r, nil
}

// writeReferences writes a reference of each pack into a file, one a line.
func (d *dataset) writeReferences(file string, reference func(n int) string) error {
	var lines []byte
	for n := range d.count {
		lines = append(append(lines, reference(n)...), '\n')
	}
	return os.WriteFile(file, lines, 0o666)
}
