package program

import (
	"bytes"
	"context"
	"encoding/binary"

	"github.com/greenticai/packvendor/internal/marker"
)

// A finder finds the heads of contents, and the ends of archives, in one pass over an address
// space. What it does at one place does not depend on how many heads there are.
type finder struct {
	heads  map[head]found
	zipEnd found // nil if ends are not wanted
	// prefixes counts the patterns that are still wanted, by their first bytes.
	prefixes map[prefix]int
	filter   [1 << filterBits]bool // by the hash of a prefix
}

type (
	head   [marker.HeadSize]byte
	prefix [prefixSize]byte
	// found is called with each place, and says whether more are wanted. The end of an archive
	// may be found twice at one place: where chunks overlap.
	found func(at int64) bool
)

const (
	prefixSize = len(zipEnd)
	filterBits = 16
	// fewPrefixes is up to how many it is faster to look for one after the other.
	fewPrefixes = 2
)

func newFinder() *finder {
	return &finder{heads: map[head]found{}, prefixes: map[prefix]int{}}
}

func (f *finder) addHead(h string, found found) {
	f.heads[head([]byte(h))] = found
	f.addPrefix(prefix([]byte(h)))
}

func (f *finder) addZipEnd(found found) {
	f.zipEnd = found
	f.addPrefix(prefix([]byte(zipEnd)))
}

func (f *finder) addPrefix(p prefix) {
	f.prefixes[p]++
	f.filter[hashOf(binary.LittleEndian.Uint32(p[:]))] = true
}

// dropPrefix leaves the filter as it is: a place too many does no harm.
func (f *finder) dropPrefix(p prefix) {
	if f.prefixes[p]--; f.prefixes[p] == 0 {
		delete(f.prefixes, p)
	}
}

// hashOf hashes a prefix by multiplication: Knuth, The Art of Computer Programming, volume 3,
// section 6.4.
func hashOf(prefix uint32) uint32 { return prefix * 2654435769 >> (32 - filterBits) }

// run finds the places in their order, and calls alsoDo for each chunk.
func (f *finder) run(ctx context.Context, space addressSpace, alsoDo func(chunk []byte)) error {
	return eachChunk(ctx, space, marker.HeadSize-1, func(at int64, chunk []byte) error {
		if len(f.prefixes) <= fewPrefixes {
			for p := range f.prefixes {
				f.findOne(chunk, p, at)
			}
		} else {
			f.findAll(chunk, at)
		}
		alsoDo(chunk)
		return nil
	})
}

// findOne finds what begins with one prefix, as long as it is wanted.
func (f *finder) findOne(chunk []byte, p prefix, at int64) {
	for next := 0; f.prefixes[p] > 0; {
		i := bytes.Index(chunk[next:], p[:])
		if i < 0 {
			return
		}
		next += i
		f.match(chunk[next:], at+int64(next))
		next++
	}
}

// findAll finds what begins with any prefix.
func (f *finder) findAll(chunk []byte, at int64) {
	if len(chunk) < prefixSize {
		return
	}
	const last = prefixSize - 1
	window := binary.LittleEndian.Uint32(chunk) << 8
	for i, b := range chunk[last:] {
		window = window>>8 | uint32(b)<<24 // prefixSize bytes from i on
		if f.filter[hashOf(window)] {
			f.match(chunk[i:], at+int64(i))
		}
	}
}

// match looks for patterns at the beginning of b, which has prefixSize bytes or more. A head
// that is cut comes again in the next chunk.
func (f *finder) match(b []byte, at int64) {
	if len(b) >= marker.HeadSize {
		h := head(b)
		if found := f.heads[h]; found != nil && !found(at) {
			delete(f.heads, h)
			f.dropPrefix(prefix(b))
		}
	}
	if f.zipEnd != nil && string(b[:prefixSize]) == zipEnd && !f.zipEnd(at) {
		f.zipEnd = nil
		f.dropPrefix(prefix(b))
	}
}
