package program

import (
	"bufio"
	"cmp"
	"errors"
	"io"
	"math"
	"slices"
	"sort"
)

// A memory is the memory of a Wasm module as its data segments set it. Between them are zeros:
// Go's linker leaves out runs of zeros, so that the file alone does not have a pack as a whole.
type memory struct {
	file     io.ReaderAt
	segments []segment // by address, none empty
}

// A segment is bytes of the file at their address in memory.
type segment struct {
	file    int64 // where they are
	address uint32
	size    uint32
}

func (s segment) end() int64 { return int64(s.address) + int64(s.size) }

// maxSegments bounds memory: a segment takes 16 bytes.
const maxSegments = 1 << 20

// Size is where the last segment ends.
func (m *memory) Size() int64 {
	if len(m.segments) == 0 {
		return 0
	}
	return m.segments[len(m.segments)-1].end()
}

// after returns the index of the first segment that ends after an address.
func (m *memory) after(at int64) int {
	return sort.Search(len(m.segments), func(i int) bool { return m.segments[i].end() > at })
}

// NextData is that of addressSpace. Zeros beside a segment count as its bytes: the beginning of a pack may
// have some.
func (m *memory) NextData(at int64) int64 {
	i := m.after(at)
	switch {
	case i == len(m.segments):
		return max(at, m.Size())
	case i > 0 && at < m.segments[i-1].end()+zerosBeside:
		return at
	}
	return max(at, int64(m.segments[i].address)-zerosBeside)
}

const zerosBeside = 64

func (m *memory) ReadAt(p []byte, at int64) (int, error) {
	n := int(max(0, min(int64(len(p)), m.Size()-at)))
	end := at + int64(n)
	clear(p[:n])
	for _, s := range m.segments[m.after(at):] {
		first, last := max(at, int64(s.address)), min(end, s.end())
		if first >= last {
			break
		}
		if _, err := m.file.ReadAt(p[first-at:last-at], s.file+first-int64(s.address)); err != nil {
			return 0, err
		}
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// The parts of a Wasm module that matter here:
// https://webassembly.github.io/spec/core/binary/modules.html
const (
	wasmHeader  = 8  // bytes
	dataSection = 11 // its id
	opI32Const  = 0x41
	opI64Const  = 0x42
	opEnd       = 0x0b
	passive     = 1 // a segment without an address
	withMemory  = 2 // a segment that names its memory
)

// readMemory reads where the data segments of a module are, and none of their bytes.
func readMemory(file *io.SectionReader) (*memory, error) {
	r := &wasmReader{file: file, buffer: bufio.NewReaderSize(nil, 4<<10)}
	r.skipTo(wasmHeader)
	m := &memory{file: file}
	for r.at < file.Size() && r.err == nil {
		id := r.byte()
		size := r.size()
		end := r.at + size
		if id == dataSection && r.err == nil {
			m.segments = r.segments()
			if r.err == nil && r.at != end {
				r.fail("its data section does not have the size that it says")
			}
		}
		r.skipTo(end)
	}
	if r.err != nil {
		return nil, r.err
	}
	slices.SortFunc(m.segments, func(a, b segment) int { return cmp.Compare(a.address, b.address) })
	for i := range m.segments[min(1, len(m.segments)):] {
		if m.segments[i].end() > int64(m.segments[i+1].address) {
			return nil, malformed(Wasm, "its data segments overlap")
		}
	}
	return m, nil
}

// A wasmReader reads numbers of a module. After the first error its results mean nothing.
type wasmReader struct {
	file   *io.SectionReader
	at     int64
	buffer *bufio.Reader // of the bytes at at
	err    error
}

func (r *wasmReader) fail(reason string, args ...any) {
	if r.err == nil {
		r.err = malformed(Wasm, reason, args...)
	}
}

func (r *wasmReader) byte() byte {
	b, err := r.buffer.ReadByte()
	switch {
	case errors.Is(err, io.EOF):
		r.fail("it ends in the middle")
	case err != nil && r.err == nil:
		r.err = err
	}
	r.at++
	return b
}

// number reads a number of at most bits bits in LEB128. A signed one comes with its sign bit
// extended.
func (r *wasmReader) number(bits uint, signed bool) uint64 {
	var n uint64
	for shift := uint(0); shift < bits && r.err == nil; shift += 7 {
		b := r.byte()
		n |= uint64(b&0x7f) << shift
		if b < 0x80 {
			if signed && b&0x40 != 0 && shift+7 < 64 {
				n |= math.MaxUint64 << (shift + 7)
			}
			return n
		}
	}
	r.fail("it has a number of more than %d bits", bits)
	return 0
}

// size reads the size of something that follows.
func (r *wasmReader) size() int64 {
	n := int64(r.number(32, false) & math.MaxUint32)
	if n > r.file.Size()-r.at {
		r.fail("a size in it reaches beyond the end of the file")
	}
	return n
}

// skipTo goes on at another place.
func (r *wasmReader) skipTo(at int64) {
	if n := at - r.at; 0 <= n && n <= int64(r.buffer.Buffered()) {
		r.buffer.Discard(int(n))
	} else {
		r.buffer.Reset(io.NewSectionReader(r.file, at, r.file.Size()-at))
	}
	r.at = at
}

// segments reads the data section.
func (r *wasmReader) segments() []segment {
	count := r.number(32, false)
	if count > maxSegments {
		r.fail("it has %d data segments, and packvendor reads at most %d", count, maxSegments)
		return nil
	}
	var segments []segment
	for range count {
		s, active := r.segment()
		if r.err != nil {
			return nil
		}
		if active && s.size > 0 {
			segments = append(segments, s)
		}
	}
	return segments
}

// segment reads one segment; active tells that it has an address.
func (r *wasmReader) segment() (s segment, active bool) {
	kind := r.number(32, false)
	if kind == withMemory {
		r.number(32, false)
	}
	active = kind != passive
	if active {
		s.address = r.address()
	}
	size := r.size()
	s.file, s.size = r.at, uint32(size)
	if active && int64(s.address)+size > math.MaxUint32+1 {
		r.fail("a data segment ends beyond the memory")
	}
	r.skipTo(r.at + size)
	return s, active
}

// address reads the expression that says where a segment belongs. Go's linker writes a
// constant.
func (r *wasmReader) address() uint32 {
	var address uint64
	switch op := r.byte(); op {
	case opI32Const:
		address = r.number(32, true) & math.MaxUint32
	case opI64Const:
		address = r.number(64, true)
	default:
		r.fail("the address of a data segment is no constant")
	}
	if end := r.byte(); end != opEnd {
		r.fail("the address of a data segment is no constant")
	}
	if address > math.MaxUint32 {
		r.fail("a data segment is beyond the first 4 GiB of the memory")
	}
	return uint32(address)
}
