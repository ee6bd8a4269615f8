package main

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/greenticai/packvendor/bench/network"
)

// named is a name with a path's round trip.
func named(name string, p network.Path) string {
	return fmt.Sprintf("%s-%d", name, p.RoundTrip().Milliseconds())
}

// coldFrom is a first run of a locked project against other tools.
func coldFrom(name string, d *dataset, p network.Path, tools ...tool) comparison {
	packs := packsText(d.count, d.size)
	return comparison{name: named(name, p), title: "cold, locked: " + packs, short: "cold, " + packs, tools: tools}
}

// with is a comparison of which its texts say more, in a picture in fewer words.
func (c comparison) with(text, short string) comparison {
	c.title, c.short = c.title+", "+text, c.short+", "+short
	return c
}

// curlAll is curl that fetches the manifests and blobs of packs, with options.
func (b *bench) curlAll(d *dataset, name, about string, target float64, options ...string) (tool, error) {
	manifests, err := b.curlManifests(d)
	if err != nil {
		return tool{}, err
	}
	blobs, err := b.curlConfig(d)
	args := append([]string{b.programs.curl, manifests, blobs}, options...)
	return script(name, about+": one copy, not durable, nothing verified", target,
		`curl=$1 manifests=$2 blobs=$3; shift 3; mkdir manifests && "$curl" --no-progress-meter --parallel -K "$manifests" -K "$blobs" "$@"`, args...).leaving(d, "first"), err
}

// curlOver2 is curlAll that asks for all at once over one connection.
func (b *bench) curlOver2(d *dataset, target float64) (tool, error) {
	return b.curlAll(d, "curl", "`curl --http2 --parallel --parallel-max 64` of the same manifests and blobs, over one connection", target, "--http2", "--parallel-max", "64")
}

// curlOver1 is curlAll with so many connections.
func (b *bench) curlOver1(d *dataset, connections int) (tool, error) {
	command := fmt.Sprintf("curl --http1.1 --parallel --parallel-max %d", connections)
	return b.curlAll(d, fmt.Sprintf("curl, %d connections", connections), "`"+command+"` of the same manifests and blobs", 0, "--http1.1", "--parallel-max", fmt.Sprint(connections))
}

// networkSmall holds a first run of many small packs against curl.
func (b *bench) networkSmall(ctx context.Context, p network.Path) (result, error) {
	d, err := b.dataset(ctx, b.sizes().smallShape())
	if err != nil {
		return result{}, err
	}
	curl, err := b.curlOver2(d, smallTargets[p.RoundTrip().Milliseconds()])
	if err != nil {
		return result{}, err
	}
	return b.runFrom(ctx, p, coldFrom("network-small", d, p, b.cold(d), curl))
}

// smallTargets are those of networkSmall, by the round trip in milliseconds.
var smallTargets = map[int64]float64{50: 1.3, 150: 1.3}

// networkJobs holds a first run against ones that are told how many packs to fetch at once.
func (b *bench) networkJobs(ctx context.Context, p network.Path) (result, error) {
	d, err := b.dataset(ctx, b.sizes().smallShape())
	if err != nil {
		return result{}, err
	}
	tools := []tool{b.cold(d)}
	for _, jobs := range []string{"8", "32"} {
		tools = append(tools, b.cold(d).asking("-j", jobs))
	}
	return b.runFrom(ctx, p, coldFrom("network-jobs", d, p, tools...))
}

// networkMany is networkSmall with packs whose bytes take longer than the round trips.
func (b *bench) networkMany(ctx context.Context, p network.Path) (result, error) {
	return b.networkBodies(ctx, p, "network-many", b.sizes().manyShape(), 1.05)
}

// networkTwo is networkMany with as many packs as most users have.
func (b *bench) networkTwo(ctx context.Context, p network.Path) (result, error) {
	return b.networkBodies(ctx, p, "network-two", shape{name: "two", count: 2, size: b.sizes().pack}, 1.2)
}

func (b *bench) networkBodies(ctx context.Context, p network.Path, name string, s shape, target float64) (result, error) {
	d, err := b.dataset(ctx, s)
	if err != nil {
		return result{}, err
	}
	curl, err := b.curlOver2(d, target)
	if err != nil {
		return result{}, err
	}
	r, err := b.runFrom(ctx, p, coldFrom(name, d, p, b.cold(d), curl))
	return r.countingConnections(), err
}

// countingConnections is a result that holds the connections against what a host shall bear.
func (r result) countingConnections() result {
	if r.outcomes != nil {
		r.verdicts = append(r.verdicts, r.byConnections())
	}
	return r
}

// connectionRate is that of each connection to a host that limits it, in bytes per second:
// 40 Mbit/s.
const connectionRate = linkRate / 5

// networkSlow is networkMany from a host that limits the rate of each connection.
func (b *bench) networkSlow(ctx context.Context, p network.Path) (result, error) {
	d, err := b.dataset(ctx, b.sizes().manyShape())
	if err != nil {
		return result{}, err
	}
	curl, err := b.curlOver1(d, 16)
	if err != nil {
		return result{}, err
	}
	p.PerConnection = connectionRate
	r, err := b.runFrom(ctx, p, coldFrom("network-slow", d, p, b.cold(d), curl).with("at most 40 Mbit/s a connection", "slow connections"))
	return r.countingConnections(), err
}

// networkFew is networkSmall from a host that lets a client have few connections.
func (b *bench) networkFew(ctx context.Context, p network.Path) (result, error) {
	d, err := b.dataset(ctx, b.sizes().smallShape())
	if err != nil {
		return result{}, err
	}
	curl, err := b.curlOver2(d, 0)
	if err != nil {
		return result{}, err
	}
	p.Connections = 2
	return b.runFrom(ctx, p, coldFrom("network-few", d, p, b.cold(d), curl).with("at most 2 connections at once", "2 connections"))
}

// networkHTTP1 is networkSmall from a registry that does not speak HTTP/2, as many behind a
// proxy do not.
func (b *bench) networkHTTP1(ctx context.Context, p network.Path) (result, error) {
	old, err := b.behind(frontOptions{http1: true})
	if err != nil {
		return result{}, err
	}
	d, err := old.dataset(ctx, b.sizes().smallShape())
	if err != nil {
		return result{}, err
	}
	tools := []tool{old.cold(d)}
	for _, connections := range []int{16, 64} {
		curl, err := old.curlOver1(d, connections)
		if err != nil {
			return result{}, err
		}
		tools = append(tools, curl)
	}
	r, err := old.runFrom(ctx, p, coldFrom("network-http1", d, p, tools...).with("a registry without HTTP/2", "no HTTP/2"))
	return r.countingConnections(), err
}

// networkPolite holds a first run from a registry that takes few requests at once against one
// from a registry that takes all.
func (b *bench) networkPolite(ctx context.Context, p network.Path) (result, error) {
	const most = 10
	strict, err := b.behind(frontOptions{most: most})
	if err != nil {
		return result{}, err
	}
	d, err := strict.dataset(ctx, b.sizes().smallShape())
	if err != nil {
		return result{}, err
	}
	open, err := b.dataset(ctx, b.sizes().smallShape())
	if err != nil {
		return result{}, err
	}
	without := b.cold(open)
	without.name, without.about = "no limit", "the same from a registry without this limit"
	before := b.line.refused()
	r, err := strict.runFrom(ctx, p, coldFrom("network-polite", d, p, strict.cold(d), without).with(fmt.Sprintf("at most %d requests at once", most), fmt.Sprintf("%d requests", most)))
	runs := b.rounds + 1
	r.verdicts = append(r.verdicts, verdict{Case: r.title, Against: "requests that the registry refuses, 429", Measured: fmt.Sprint((b.line.refused() - before) / runs)})
	return r, err
}

// networkLarge holds a first run of one large pack against curl of its blob.
func (b *bench) networkLarge(ctx context.Context, p network.Path) (result, error) {
	d, err := b.dataset(ctx, shape{name: "body", count: 1, size: b.sizes().body})
	if err != nil {
		return result{}, err
	}
	blob, err := b.curlConfig(d)
	if err != nil {
		return result{}, err
	}
	return b.runFrom(ctx, p, coldFrom("network-large", d, p, b.cold(d),
		script("curl", "`curl` of the blob: one copy, not durable, nothing verified", 1.05, `"$1" -K "$2"`, b.programs.curl, blob).leaving(d, "first")))
}

// networkUpdate holds an update that finds nothing new against as many looks at a tag.
func (b *bench) networkUpdate(ctx context.Context, p network.Path) (result, error) {
	d, err := b.dataset(ctx, b.sizes().smallShape())
	if err != nil {
		return result{}, err
	}
	tags := filepath.Join(d.dir, "tags")
	if err := d.writeReferences(tags, d.reference); err != nil {
		return result{}, err
	}
	return b.runFrom(ctx, p, comparison{
		name:  named("network-update", p),
		title: "`update`, " + packsText(d.count, d.size) + " with floating tags, nothing moved",
		short: fmt.Sprintf("update, %d packs, nothing moved", d.count),
		tools: []tool{
			b.updating(d),
			script("crane digest", "`crane digest` of each, 64 at a time", 0.5, `xargs -a "$1" -P 64 -n 1 "$2" digest`, tags, b.programs.crane),
		},
	})
}

// networkGuarded holds a first run where each repository asks for a token and blobs are on
// another host against one without either.
func (b *bench) networkGuarded(ctx context.Context, p network.Path) (r result, err error) {
	open, err := b.dataset(ctx, b.sizes().smallShape())
	if err != nil {
		return r, err
	}
	g, err := b.startGuarded()
	if err != nil {
		return r, err
	}
	defer g.stop()
	d, err := g.bench.dataset(ctx, b.sizes().smallShape())
	if err != nil {
		return r, fmt.Errorf("registry with tokens: %w", err)
	}
	without := b.cold(open)
	without.name, without.about, without.target, without.asks = "no tokens", "the same without tokens, from one host", 1.6, b.registry
	return g.bench.runFrom(ctx, p, coldFrom("network-guarded", d, p, g.bench.cold(d), without).with("a token for each, blobs on another host", "tokens, 2 hosts"))
}
