package main

import (
	"context"
	"fmt"
	"path/filepath"
	"time"
)

// afar is the same shape for a registry at the other end of a link.
func (s shape) afar() shape {
	s.name = "far-" + s.name
	return s
}

// networkSmall holds a first run of many small packs against curl, which asks for all at once
// over one connection.
func (b *bench) networkSmall(ctx context.Context, roundTrip time.Duration) (result, error) {
	return b.networkCold(ctx, fmt.Sprintf("network-small-%d", roundTrip.Milliseconds()), b.sizes().smallShape(), roundTrip, 1.3)
}

// networkMany is networkSmall with packs whose bytes take longer than the round trips.
func (b *bench) networkMany(ctx context.Context, roundTrip time.Duration) (result, error) {
	return b.networkCold(ctx, fmt.Sprintf("network-many-%d", roundTrip.Milliseconds()), b.sizes().manyShape(), roundTrip, 1.05)
}

// networkTwo is networkMany with as many packs as most users have.
func (b *bench) networkTwo(ctx context.Context, roundTrip time.Duration) (result, error) {
	two := shape{name: "two", count: 2, size: b.sizes().pack}
	return b.networkCold(ctx, fmt.Sprintf("network-two-%d", roundTrip.Milliseconds()), two, roundTrip, 1.2)
}

// networkCold holds a first run of a locked project against curl, which fetches the same
// manifests and blobs.
func (b *bench) networkCold(ctx context.Context, name string, s shape, roundTrip time.Duration, target float64) (result, error) {
	d, err := b.dataset(ctx, s.afar())
	if err != nil {
		return result{}, err
	}
	manifests, err := b.curlManifests(d)
	if err != nil {
		return result{}, err
	}
	blobs, err := b.curlConfig(d)
	if err != nil {
		return result{}, err
	}
	packs := packsText(s.count, s.size)
	return b.runFrom(ctx, roundTrip, comparison{name: name, title: "cold, locked: " + packs, short: "cold, " + packs, tools: []tool{
		b.cold(d),
		script("curl", "`curl --http2 --parallel --parallel-max 64` of the same manifests and blobs: one connection, one copy, not durable, nothing verified", target,
			`mkdir manifests && "$1" --http2 --no-progress-meter --parallel --parallel-max 64 -K "$2" -K "$3"`, b.programs.curl, manifests, blobs).leaving(d, "first"),
	}})
}

// networkLarge holds a first run of one large pack against curl of its blob.
func (b *bench) networkLarge(ctx context.Context, roundTrip time.Duration) (result, error) {
	s := shape{name: "body", count: 1, size: b.sizes().body}
	d, err := b.dataset(ctx, s.afar())
	if err != nil {
		return result{}, err
	}
	blob, err := b.curlConfig(d)
	if err != nil {
		return result{}, err
	}
	packs := packsText(s.count, s.size)
	return b.runFrom(ctx, roundTrip, comparison{name: fmt.Sprintf("network-large-%d", roundTrip.Milliseconds()), title: "cold, locked: " + packs, short: "cold, " + packs, tools: []tool{
		b.cold(d),
		script("curl", "`curl` of the blob: one copy, not durable, nothing verified", 1.05, `"$1" -K "$2"`, b.programs.curl, blob).leaving(d, "first"),
	}})
}

// networkUpdate holds an update that finds nothing new against as many looks at a tag.
func (b *bench) networkUpdate(ctx context.Context, roundTrip time.Duration) (result, error) {
	s := b.sizes().smallShape()
	d, err := b.dataset(ctx, s.afar())
	if err != nil {
		return result{}, err
	}
	tags := filepath.Join(d.dir, "tags")
	if err := d.writeReferences(tags, d.reference); err != nil {
		return result{}, err
	}
	return b.runFrom(ctx, roundTrip, comparison{
		name:  fmt.Sprintf("network-update-%d", roundTrip.Milliseconds()),
		title: "`update`, " + packsText(s.count, s.size) + " with floating tags, nothing moved",
		short: fmt.Sprintf("update, %d packs, nothing moved", s.count),
		tools: []tool{
			b.updating(d),
			script("crane digest", "`crane digest` of each, 64 at a time", 0.5, `xargs -a "$1" -P 64 -n 1 "$2" digest`, tags, b.programs.crane),
		},
	})
}

// networkGuarded holds a first run where each repository asks for a token and blobs are on
// another host against one without either.
func (b *bench) networkGuarded(ctx context.Context, roundTrip time.Duration) (r result, err error) {
	open, err := b.dataset(ctx, b.sizes().smallShape().afar())
	if err != nil {
		return r, err
	}
	g, err := b.startGuarded()
	if err != nil {
		return r, err
	}
	defer g.stop()
	s := b.sizes().smallShape().afar()
	s.name += "-guarded"
	d, err := g.bench.dataset(ctx, s)
	if err != nil {
		return r, fmt.Errorf("registry with tokens: %w", err)
	}
	without := b.cold(open)
	without.name, without.about, without.target, without.asks = "without", "the same without tokens, from one host", 1.6, b.registry
	title := "cold, locked: " + packsText(s.count, s.size) + ", a token for each, blobs on another host"
	return g.bench.runFrom(ctx, roundTrip, comparison{
		name: fmt.Sprintf("network-guarded-%d", roundTrip.Milliseconds()), title: title,
		short: fmt.Sprintf("cold, %d packs, tokens, two hosts", s.count), tools: []tool{g.bench.cold(d), without},
	})
}
