package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/greenticai/packvendor/lockfile"
)

// coldMany holds a first run of a locked project against programs that download
// the same blobs. sync -f writes all of the file system in one go, which is faster
// than file by file.
func (b *bench) coldMany(ctx context.Context) (result, error) {
	s := b.sizes()
	d, err := b.dataset(ctx, s.manyShape())
	if err != nil {
		return result{}, err
	}
	config, err := b.curlConfig(d)
	if err != nil {
		return result{}, err
	}
	manifests, err := b.curlManifests(d)
	if err != nil {
		return result{}, err
	}
	digests := filepath.Join(d.dir, "digests")
	if err := d.writeReferences(digests, d.pinned); err != nil {
		return result{}, err
	}
	const parallel = `"$1" -K "$2" --no-progress-meter --parallel --parallel-max 8`
	r, err := b.run(ctx, comparison{name: "cold", title: "cold, locked: " + packsText(s.many, s.pack), short: "cold, " + packsText(s.many, s.pack), tools: []tool{
		b.cold(d),
		script("curl, cp -r, sync", "`curl --parallel --parallel-max 8` of the same blobs, `cp -r` to a second place, `sync` of both: two durable copies, nothing verified", 0.95,
			parallel+` && cp -r first second && sync -f first second`, b.programs.curl, config).leaving(d, "second"),
		script("curl", "that `curl` alone: one copy, not durable, nothing verified", 0,
			parallel, b.programs.curl, config).leaving(d, "first"),
		script("curl, manifests too", "`curl --http1.1` of the same manifests and blobs, which is all that has to cross the wire: one copy, not durable, nothing verified", 0,
			`mkdir manifests && `+parallel+` --http1.1 -K "$3"`, b.programs.curl, config, manifests).leaving(d, "first"),
		script("oras pull", "`oras pull` of each, 8 at a time", 0.35,
			`refs=$1; shift; xargs -a "$refs" -P 8 -n 1 "$@"`,
			append([]string{digests, b.programs.oras, "pull", "--no-tty", "-o", "first"}, orasProtocol(b.registry)...)...).leaving(d, "first"),
	}})
	r.verdicts = r.byTime()
	return r, err
}

// pinned is the reference of a pack by its manifest's digest.
func (d *dataset) pinned(n int) string {
	return d.host + "/" + d.repository(n) + "@" + string(d.lock.Entries[n].ManifestDigest)
}

// curlConfig writes what blobs curl is to download, and returns the file's path.
func (b *bench) curlConfig(d *dataset) (string, error) {
	return b.curlFile(d, "curl.conf", func(p lockfile.Entry) (path, output string) {
		return "blobs/" + string(p.LayerDigest), "first/" + p.Name + ".gtpack"
	})
}

// curlManifests is curlConfig of the packs' manifests.
func (b *bench) curlManifests(d *dataset) (string, error) {
	return b.curlFile(d, "curl-manifests.conf", func(p lockfile.Entry) (path, output string) {
		return "manifests/" + string(p.ManifestDigest), "manifests/" + p.Name + ".json"
	})
}

// curlFile writes a configuration file of curl's. pathOf says what is wanted of a
// pack's repository, and where it is to go.
func (b *bench) curlFile(d *dataset, name string, pathOf func(lockfile.Entry) (path, output string)) (string, error) {
	var config strings.Builder
	config.WriteString("silent\nshow-error\nfail\nheader = \"Accept: application/vnd.oci.image.manifest.v1+json\"\n")
	if b.registry.caFile != "" {
		fmt.Fprintf(&config, "cacert = %q\n", b.registry.caFile)
	}
	for n, pack := range d.lock.Entries {
		path, output := pathOf(pack)
		fmt.Fprintf(&config, "url = \"%s/v2/%s/%s\"\noutput = %q\n", b.registry.root(), d.repository(n), path, output)
	}
	file := filepath.Join(d.dir, name)
	return file, os.WriteFile(file, []byte(config.String()), 0o666)
}

// coldLarge is coldMany with one large pack.
func (b *bench) coldLarge(ctx context.Context) (result, error) {
	s := b.sizes()
	d, err := b.dataset(ctx, s.largeShape())
	if err != nil {
		return result{}, err
	}
	config, err := b.curlConfig(d)
	if err != nil {
		return result{}, err
	}
	r, err := b.run(ctx, comparison{name: "cold-large", title: "cold, locked: " + packsText(1, s.large), short: "cold, " + packsText(1, s.large), tools: []tool{
		b.cold(d),
		script("curl, sha256sum, cp, sync", "`curl -o` of the blob, then `sha256sum`, then `cp`, then `sync` of the first", 0.6,
			`"$1" -K "$2" && sha256sum first/* && cp -r first second && sync first/*`, b.programs.curl, config).leaving(d, "second"),
	}})
	r.verdicts = r.byTime()
	return r, err
}

func (b *bench) warmMany(ctx context.Context) (result, error) {
	s := b.sizes()
	return b.warmOf(ctx, "warm", s.manyShape())
}

func (b *bench) warmLarge(ctx context.Context) (result, error) {
	s := b.sizes()
	return b.warmOf(ctx, "warm-large", s.largeShape())
}

// warmOf holds a run that has all in its cache against a copy of the same files
// that is hashed after it was made.
func (b *bench) warmOf(ctx context.Context, name string, s shape) (result, error) {
	d, err := b.dataset(ctx, s)
	if err != nil {
		return result{}, err
	}
	r, err := b.run(ctx, comparison{name: name, title: "warm cache, empty project: " + packsText(s.count, s.size), short: "warm cache, " + packsText(s.count, s.size), tools: []tool{
		b.warm(d),
		script("cp, hash program", "`cp` of the same files, then the hash program", 1.2,
			`cp "$2"/* first && "$1" first/*`, b.programs.hashall, d.packsDir(d.vendored())).leaving(d, "first"),
	}})
	r.verdicts = r.byTime()
	return r, err
}
