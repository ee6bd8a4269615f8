package main

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/packtest"
	"github.com/greenticai/packvendor/internal/packtest/signing"
	"github.com/greenticai/packvendor/lockfile"
)

// A shape says what packs a dataset has.
type shape struct {
	name  string
	count int
	size  int64 // bytes of each
	// tagged keeps them as tags of one repository: without digests, packs.toml stays
	// small.
	tagged bool
	signed bool     // by signer, as packs.toml demands
	files  []string // real packs instead
	embed  string   // lines of packs.toml's embed table
}

// A dataset is packs in the registry, and projects that have them.
type dataset struct {
	shape
	dir  string
	host string
	lock *lockfile.Lock
}

// vendored is the project with its packs, cache the warm cache, and template what
// a fresh clone without its packs would be: go.mod, packs.toml and packs.lock.
func (d *dataset) vendored() string { return filepath.Join(d.dir, "vendored") }
func (d *dataset) cache() string    { return filepath.Join(d.dir, "cache") }
func (d *dataset) template() string { return filepath.Join(d.dir, "template") }

// packName is a pack's name in packs.toml.
func packName(n int) string { return fmt.Sprintf("p%04d", n+1) }

// repository and tag are where a pack is pushed to.
func (d *dataset) repository(n int) string {
	if d.tagged {
		return d.name
	}
	return d.name + "/" + packName(n)
}

func (d *dataset) tag(n int) string {
	if d.tagged {
		return fmt.Sprintf("%04d", n+1)
	}
	return "stable"
}

func (d *dataset) reference(n int) string {
	return d.host + "/" + d.repository(n) + ":" + d.tag(n)
}

// dataset returns the dataset of that shape, made when first asked for.
func (b *bench) dataset(ctx context.Context, s shape) (*dataset, error) {
	if d := b.datasets[s.name]; d != nil {
		return d, nil
	}
	b.tell("pushing %s", s.name)
	host := b.registry.address()
	d := &dataset{shape: s, dir: filepath.Join(b.work, "data-"+strings.ReplaceAll(host, ":", "-"), s.name), host: host}
	if d.files != nil {
		d.count = len(d.files)
	}
	if err := b.push(ctx, b.registry, d); err != nil {
		return nil, err
	}
	if err := b.vendor(ctx, d); err != nil {
		return nil, err
	}
	b.datasets[s.name] = d
	return d, nil
}

// push makes the packs and has oras push them, as their publishers do. The first
// goes ahead of the others: all have one blob in common, their empty configuration,
// and the server does not always bear it that two bring the same at once.
func (b *bench) push(ctx context.Context, r *registry, d *dataset) error {
	source := filepath.Join(d.dir, "source")
	if err := os.MkdirAll(source, 0o777); err != nil {
		return err
	}
	if err := b.pushPack(ctx, r, d, source, 0); err != nil {
		return err
	}
	var group errgroup.Group
	group.SetLimit(2 * runtime.NumCPU())
	for n := 1; n < d.count; n++ {
		group.Go(func() error { return b.pushPack(ctx, r, d, source, n) })
	}
	return group.Wait()
}

// pushTries is how often a push is tried before it is given up.
const pushTries = 3

func (b *bench) pushPack(ctx context.Context, r *registry, d *dataset, source string, n int) (err error) {
	file := packName(n) + ".gtpack"
	if err := d.make(filepath.Join(source, file), n); err != nil {
		return err
	}
	defer os.Remove(filepath.Join(source, file))
	signature, err := d.signature(source, file)
	if err != nil {
		return err
	}
	args := slices.Concat(
		[]string{b.programs.oras, "push", "--no-tty", "--artifact-type", packtest.PackMediaType},
		signature,
		orasProtocol(r),
		[]string{r.Host() + "/" + d.repository(n) + ":" + d.tag(n), file + ":" + packtest.PackMediaType})
	for range pushTries {
		if _, err = output(ctx, source, b.env, args...); err == nil {
			return nil
		}
	}
	return err
}

// signer signs the packs that are signed.
var signer = signing.Ed25519(1)

// signature is oras's option for the signature of a pack; none if it has none.
func (d *dataset) signature(dir, file string) ([]string, error) {
	if !d.signed {
		return nil, nil
	}
	data, err := os.ReadFile(filepath.Join(dir, file))
	statement := signing.GreenticStatement(file, ociref.DigestOf(data).String())
	return []string{"--annotation", signing.DSSEAnnotation + "=" + signing.Sign(statement.JSON(), signer).Annotation()}, err
}

// orasProtocol are oras's options for how to reach a registry: it guesses plain
// HTTP for loopback addresses.
func orasProtocol(r *registry) []string {
	if r.caFile == "" {
		return []string{"--plain-http"}
	}
	return []string{"--plain-http=false", "--ca-file", r.caFile}
}

// make writes the pack of that number: a real one, or noise that begins as a zip
// archive does, which is all that anyone here looks at.
func (d *dataset) make(path string, n int) error {
	if d.files != nil {
		return copyFile(path, d.files[n])
	}
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	defer file.Close()
	var seed [32]byte
	copy(seed[:], fmt.Sprintf("%s %d", d.name, n))
	content := io.MultiReader(strings.NewReader("PK\x03\x04"), rand.NewChaCha8(seed))
	if _, err := io.CopyN(file, content, d.size); err != nil {
		return err
	}
	return file.Close()
}

// vendor makes the projects: packvendor locks and vendors one, without a lock at
// first, and the other gets its texts.
func (b *bench) vendor(ctx context.Context, d *dataset) error {
	for name, text := range d.texts(b.plain) {
		if err := writeFile(filepath.Join(d.template(), name), text); err != nil {
			return err
		}
		if err := writeFile(filepath.Join(d.vendored(), name), text); err != nil {
			return err
		}
	}
	args := []string{b.programs.packvendor, "-q", "-f", "packs.toml", "--cache-dir", d.cache()}
	if _, err := output(ctx, d.vendored(), b.env, args...); err != nil {
		return err
	}
	data, err := os.ReadFile(filepath.Join(d.vendored(), "packs.lock"))
	if err != nil {
		return err
	}
	if d.lock, err = lockfile.Parse("packs.lock", data); err != nil {
		return err
	}
	return writeFile(filepath.Join(d.template(), "packs.lock"), string(data))
}

// texts are the files of a project that a person writes.
func (d *dataset) texts(plain bool) map[string]string {
	var toml strings.Builder
	toml.WriteString("allow_tags = true\n")
	if plain {
		fmt.Fprintf(&toml, "insecure_registries = [%q]\n", d.host)
	}
	if d.embed != "" {
		fmt.Fprintf(&toml, "\n[embed]\n%s", d.embed)
	}
	if d.signed {
		fmt.Fprintf(&toml, "\n[trust.signers]\nacme = { key = %q }\n\n[trust.rules]\n\"**\" = [\"acme\"]\n", signer.Inline())
	}
	toml.WriteString("\n[packs]\n")
	for n := range d.count {
		fmt.Fprintf(&toml, "%s = %q\n", packName(n), d.reference(n))
	}
	return map[string]string{
		"go.mod":     "module example.com/app\n\ngo 1.25\n",
		"packs.toml": toml.String(),
	}
}

// packsDir is where a project's packs are vendored.
func (d *dataset) packsDir(project string) string {
	dir := "."
	if d.embed != "" {
		dir = "internal/packs"
	}
	return filepath.Join(project, dir, "packs")
}

// packs are the paths of the vendored packs.
func (d *dataset) packs() []string {
	var files []string
	for n := range d.count {
		files = append(files, filepath.Join(d.packsDir(d.vendored()), packName(n)+".gtpack"))
	}
	return files
}

// check sees that a folder holds files that are as many and as long as the packs.
func (d *dataset) check(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	if len(entries) != d.count {
		return fmt.Errorf("%s holds %d files, not %d", dir, len(entries), d.count)
	}
	for n, entry := range entries {
		info, err := entry.Info()
		if err != nil {
			return err
		}
		if want := d.lock.Entries[n].Size; info.Size() != want {
			return fmt.Errorf("%s has %d bytes, not %d", entry.Name(), info.Size(), want)
		}
	}
	return nil
}

// fresh makes of dir a project that has only what is in the template.
func (d *dataset) fresh(dir string) error {
	return os.CopyFS(dir, os.DirFS(d.template()))
}

func writeFile(path, text string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return err
	}
	return os.WriteFile(path, []byte(text), 0o666)
}

func copyFile(to, from string) error {
	data, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, data, 0o666)
}
