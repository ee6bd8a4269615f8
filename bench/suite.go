package main

import (
	"context"
	"fmt"
	"io"

	"github.com/dustin/go-humanize"
)

// A suite is a part of the benchmark, by name.
type suite struct {
	name, about string
	run         func(*bench, context.Context) (result, error)
}

// suites are all parts, in the order of the report.
func suites() []suite {
	return []suite{
		{"noop", "nothing to do, many packs", (*bench).noopMany},
		{"noop-real", "nothing to do, five real packs", (*bench).noopReal},
		{"noop-signed", "nothing to do, many signed packs", (*bench).noopSigned},
		{"noop-signed-small", "nothing to do, many small signed packs", (*bench).noopSignedSmall},
		{"cold", "empty cache and project, many packs", (*bench).coldMany},
		{"cold-large", "empty cache and project, one large pack", (*bench).coldLarge},
		{"warm", "warm cache, empty project, many packs", (*bench).warmMany},
		{"warm-large", "warm cache, empty project, one large pack", (*bench).warmLarge},
		{"warm-xfs", "warm cache, empty project, XFS", warmOn("xfs", "XFS on a loop device")},
		{"warm-btrfs", "warm cache, empty project, Btrfs", warmOn("btrfs", "Btrfs on a loop device")},
		{"from", "an archive as --from, empty cache and project", (*bench).fromArchive},
		{"from-folder", "a folder as --from, empty cache and project", (*bench).fromFolder},
		{"export", "export, all in the project", (*bench).exportProject},
		{"export-cache", "export, all in the cache", (*bench).exportCache},
		{"scaling-cold", "small packs, ever more, cold", (*bench).scalingCold},
		{"scaling-noop", "small packs, ever more, nothing to do", (*bench).scalingNoop},
		{"update", "update, nothing moved", (*bench).update},
		{"memory", "peak memory", (*bench).memory},
		{"memory-export", "peak memory of export", (*bench).memoryExport},
		{"memory-from", "peak memory with --from", (*bench).memoryFrom},
		{"memory-import", "peak memory of import", (*bench).memoryImport},
		{"requests", "how often a registry is asked", (*bench).requests},
		{"build", "go build after a run", (*bench).build},
		{"network-small-0", "cold, many small packs, loopback", away(0, (*bench).networkSmall)},
		{"network-small-5", "cold, many small packs, 5 ms away", away(5, (*bench).networkSmall)},
		{"network-small-50", "cold, many small packs, 50 ms away", away(50, (*bench).networkSmall)},
		{"network-small-150", "cold, many small packs, 150 ms away", away(150, (*bench).networkSmall)},
		{"network-guarded-150", "the same with tokens and another host for blobs", away(150, (*bench).networkGuarded)},
		{"network-many-50", "cold, many packs, 50 ms away", away(50, (*bench).networkMany)},
		{"network-large-50", "cold, one large pack, 50 ms away", away(50, (*bench).networkLarge)},
		{"network-two-50", "cold, two packs, 50 ms away", away(50, (*bench).networkTwo)},
		{"network-update-50", "update, nothing moved, 50 ms away", away(50, (*bench).networkUpdate)},
		{"network-jobs-50", "cold, many small packs, some at once", away(50, (*bench).networkJobs)},
		{"network-http1-50", "the same without HTTP/2", away(50, (*bench).networkHTTP1)},
		{"network-polite-50", "the same from a registry that takes few requests at once", away(50, (*bench).networkPolite)},
		{"network-few-50", "the same from a host that takes few connections", away(50, (*bench).networkFew)},
		{"network-slow-50", "cold, many packs, each connection is slow", away(50, (*bench).networkSlow)},
	}
}

// chosen tells whether a suite is to be run.
func (o options) chosen(c suite) bool { return o.only == nil || o.only.MatchString(c.name) }

func listSuites(w io.Writer, o options) error {
	for _, c := range suites() {
		if o.chosen(c) {
			if _, err := fmt.Fprintf(w, "%-19s %s\n", c.name, c.about); err != nil {
				return err
			}
		}
	}
	return nil
}

// Sizes are what the suites are made of.
type sizes struct {
	many    int   // packs
	pack    int64 // bytes of each of them
	large   int64 // bytes of the large one
	eighth  int64 // bytes of each of eight that are fetched at once
	small   int64 // bytes of each of those that there are ever more of
	scaling []int // how many those are; the last is held against the reference
	against int   // the reference, one of scaling
	body    int64 // bytes of the large one that is far away
}

func (o options) sizes() sizes {
	if o.quick {
		return sizes{many: 10, pack: 64 << 10, large: 8 << 20, eighth: 1 << 20, small: 4 << 10, scaling: []int{5, 10, 20}, against: 10, body: 8 << 20}
	}
	return sizes{
		many: 100, pack: 1 << 20, large: 1 << 30,
		eighth: 200 << 20, // all packs together are at most 2,000,000,000 bytes
		small:  16 << 10, scaling: []int{10, 100, 1000, 5000}, against: 100,
		body: 256 << 20,
	}
}

// shapes of the datasets.
func (s sizes) manyShape() shape { return shape{name: "many", count: s.many, size: s.pack} }

func (s sizes) smallShape() shape { return shape{name: "small", count: s.many, size: s.small} }

func (s sizes) largeShape() shape { return shape{name: "large", count: 1, size: s.large} }

func (s sizes) scalingShape(count int) shape {
	return shape{name: fmt.Sprintf("scaling-%d", count), count: count, size: s.small, tagged: true}
}

// asSigned is the shape of as many packs that are signed.
func (s shape) asSigned() shape {
	s.name, s.signed = s.name+"-signed", true
	return s
}

// sizeText is a size in the unit that it is a whole number of.
func sizeText(bytes int64) string {
	for _, unit := range []struct {
		name  string
		bytes int64
	}{{"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}} {
		if bytes >= unit.bytes && bytes%unit.bytes == 0 {
			return fmt.Sprintf("%d %s", bytes/unit.bytes, unit.name)
		}
	}
	return fmt.Sprintf("%d bytes", bytes)
}

// packsText is a number of packs and their size.
func packsText(count int, size int64) string {
	if count == 1 {
		return "1 pack of " + sizeText(size)
	}
	return fmt.Sprintf("%s packs of %s", humanize.Comma(int64(count)), sizeText(size))
}
