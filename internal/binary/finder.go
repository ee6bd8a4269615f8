package binary

import (
	"bytes"
	"context"
	"encoding/binary"
	"strings"

	"github.com/greenticai/packvendor/internal/marker"
)

// A finder finds patterns in one pass over a space.
type finder struct {
	patterns map[[prefixSize]byte][]pattern // by their first bytes
	table    *[1 << tableBits]bool          // of the hashes of these; nil if there are few
}

// A pattern is bytes to be found, no fewer than prefixSize and no more than marker.HeadSize,
// and what to do with each place.
type pattern struct {
	bytes string
	found func(at int64)
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
	if len(f.patterns) <= fewPrefixes {
		return
	}
	if f.table == nil {
		f.table = new([1 << tableBits]bool)
		for first := range f.patterns {
			f.table[hashOf(first[:])] = true
		}
	}
	f.table[hashOf(first[:])] = true
}

// hashOf hashes the first bytes of b by multiplication: Knuth, The Art of Computer Programming,
// volume 3, section 6.4.
func hashOf(b []byte) uint32 {
	return binary.LittleEndian.Uint32(b) * 2654435769 >> (32 - tableBits)
}

// run calls found of each pattern for its places in their order.
func (f *finder) run(ctx context.Context, space space, alsoDo func(chunk []byte)) error {
	var seen int64 // where the last chunk ended: what ends before it was found in that chunk
	return eachChunk(ctx, space, marker.HeadSize-1, func(at int64, chunk []byte) error {
		f.eachPrefix(chunk, func(i int) {
			for _, p := range f.patterns[[prefixSize]byte(chunk[i:])] {
				end := at + int64(i+len(p.bytes))
				if end > seen && strings.HasPrefix(string(chunk[i:min(len(chunk), i+len(p.bytes))]), p.bytes) {
					p.found(at + int64(i))
				}
			}
		})
		seen = at + int64(len(chunk))
		alsoDo(chunk)
		return nil
	})
}

// eachPrefix calls do with the places of a chunk where a pattern may begin.
func (f *finder) eachPrefix(chunk []byte, do func(i int)) {
	if f.table == nil {
		for first := range f.patterns {
			for i := bytes.Index(chunk, first[:]); i >= 0; {
				do(i)
				next := bytes.Index(chunk[i+1:], first[:])
				if next < 0 {
					break
				}
				i += 1 + next
			}
		}
		return
	}
	for i := range max(0, len(chunk)-prefixSize+1) {
		if f.table[hashOf(chunk[i:])] {
			do(i)
		}
	}
}
