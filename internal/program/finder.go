package program

import (
	"bytes"
	"context"
	"encoding/binary"
	"slices"

	"github.com/greenticai/packvendor/internal/marker"
)

// A finder finds patterns in one pass over a space.
type finder struct {
	patterns map[[prefixSize]byte][]pattern // by their first bytes
	table    *[1 << tableBits]bool          // of the hashes of these; nil if there are few
}

// A pattern is bytes to be found, no fewer than prefixSize and no more than marker.HeadSize.
type pattern struct {
	bytes string
	// found is called with each place, and says whether more are wanted. A pattern shorter than
	// marker.HeadSize may be found twice at one place: where chunks overlap.
	found func(at int64) bool
}

const (
	prefixSize = 4
	tableBits  = 16
	// fewPrefixes is up to how many it is faster to look for one after the other.
	fewPrefixes = 4
)

func (f *finder) add(p pattern) {
	first := [prefixSize]byte([]byte(p.bytes))
	if f.patterns == nil {
		f.patterns = map[[prefixSize]byte][]pattern{}
	}
	f.patterns[first] = append(f.patterns[first], p)
}

// index makes the table.
func (f *finder) index() {
	f.table = nil
	if len(f.patterns) <= fewPrefixes {
		return
	}
	f.table = new([1 << tableBits]bool)
	for first := range f.patterns {
		f.table[hashOf(first[:])] = true
	}
}

// hashOf hashes the first bytes of b by multiplication: Knuth, The Art of Computer Programming,
// volume 3, section 6.4.
func hashOf(b []byte) uint32 {
	return binary.LittleEndian.Uint32(b) * 2654435769 >> (32 - tableBits)
}

// run calls found of each pattern for its places in their order, and alsoDo for each chunk.
func (f *finder) run(ctx context.Context, space space, alsoDo func(chunk []byte)) error {
	f.index()
	return eachChunk(ctx, space, marker.HeadSize-1, func(at int64, chunk []byte) error {
		f.eachPrefix(chunk, func(i int) { f.match(chunk, i, at) })
		alsoDo(chunk)
		return nil
	})
}

// match calls found of the patterns that are at a place of a chunk.
func (f *finder) match(chunk []byte, i int, at int64) {
	first := [prefixSize]byte(chunk[i:])
	patterns := f.patterns[first]
	if patterns == nil {
		return
	}
	left := slices.DeleteFunc(patterns, func(p pattern) bool {
		end := i + len(p.bytes)
		return end <= len(chunk) && string(chunk[i:end]) == p.bytes && !p.found(at+int64(i))
	})
	switch {
	case len(left) == 0:
		delete(f.patterns, first)
		f.index()
	case len(left) < len(patterns):
		f.patterns[first] = left
	}
}

// eachPrefix calls do with the places of a chunk where a pattern may begin.
func (f *finder) eachPrefix(chunk []byte, do func(i int)) {
	if f.table == nil {
		for first := range f.patterns {
			f.eachOf(chunk, first, do)
		}
		return
	}
	table := f.table // do may replace it
	for i := range max(0, len(chunk)-prefixSize+1) {
		if table[hashOf(chunk[i:])] {
			do(i)
		}
	}
}

// eachOf calls do with the places that have these first bytes, as long as they are wanted.
func (f *finder) eachOf(chunk []byte, first [prefixSize]byte, do func(i int)) {
	for at := 0; f.patterns[first] != nil; {
		i := bytes.Index(chunk[at:], first[:])
		if i < 0 {
			return
		}
		do(at + i)
		at += i + 1
	}
}
