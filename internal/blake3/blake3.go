// Package blake3 is the hash function BLAKE3; bills of materials of packs use it. It
// follows the specification,
// https://github.com/BLAKE3-team/BLAKE3-specs/blob/master/blake3.pdf, without keyed
// modes and longer outputs. The existing libraries bring two modules and thousands of
// lines of assembly to every user's go.mod; here the hash only decides whether a bill
// of materials matches.
package blake3

import (
	"encoding/binary"
	"hash"
	"math/bits"
)

// Size is the length of a hash, in bytes.
const Size = 32

const (
	blockSize = 64
	chunkSize = 1024
)

// Flags of a compression: section 2.2 of the specification.
const (
	chunkStart = 1 << 0
	chunkEnd   = 1 << 1
	parent     = 1 << 2
	root       = 1 << 3
)

type words [8]uint32

var initial = words{0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19}

// A node of the hash tree is the input of its last compression.
type node struct {
	value   words
	block   [blockSize]byte
	length  int // used bytes of block
	counter uint64
	flags   uint32
}

func (n *node) compressed(more uint32) words {
	value := n.value
	compress(&value, &n.block, n.counter, uint32(n.length), n.flags|more)
	return value
}

func parentOf(left, right words) node {
	n := node{value: initial, length: blockSize, flags: parent}
	putWords(n.block[:Size], left)
	putWords(n.block[Size:], right)
	return n
}

// A hasher holds the current chunk and the complete subtrees before it, the largest
// first: one for each bit of the number of chunks.
type hasher struct {
	chunk    node
	blocks   int // of the chunk, already compressed
	subtrees [54]words
	depth    int
}

// New returns a hash of [Size] bytes.
func New() hash.Hash {
	h := &hasher{}
	h.Reset()
	return h
}

// Sum256 returns the hash of b.
func Sum256(b []byte) (sum [Size]byte) {
	h := New()
	h.Write(b)
	return [Size]byte(h.Sum(nil))
}

func (h *hasher) Size() int      { return Size }
func (h *hasher) BlockSize() int { return blockSize }

func (h *hasher) Reset() {
	h.depth = 0
	h.begin(0)
}

// begin starts the chunk with number counter.
func (h *hasher) begin(counter uint64) {
	h.chunk = node{value: initial, counter: counter, flags: chunkStart}
	h.blocks = 0
}

func (h *hasher) Write(p []byte) (int, error) {
	n := len(p)
	for len(p) > 0 {
		if h.chunk.length == blockSize { // not the last block, since more bytes come
			h.next()
		}
		m := copy(h.chunk.block[h.chunk.length:], p)
		h.chunk.length += m
		p = p[m:]
	}
	return n, nil
}

// next makes room for another block.
func (h *hasher) next() {
	c := &h.chunk
	if h.blocks == chunkSize/blockSize-1 {
		h.push(c.compressed(chunkEnd), c.counter+1)
		h.begin(c.counter + 1)
		return
	}
	c.value = c.compressed(0)
	c.block, c.length, c.flags = [blockSize]byte{}, 0, 0
	h.blocks++
}

// push adds the value of the last of chunks chunks, and joins the subtrees that it
// completes.
func (h *hasher) push(value words, chunks uint64) {
	for range bits.TrailingZeros64(chunks) {
		h.depth--
		pair := parentOf(h.subtrees[h.depth], value)
		value = pair.compressed(0)
	}
	h.subtrees[h.depth] = value
	h.depth++
}

func (h *hasher) Sum(b []byte) []byte {
	n := h.chunk
	n.flags |= chunkEnd
	for i := h.depth - 1; i >= 0; i-- {
		n = parentOf(h.subtrees[i], n.compressed(0))
	}
	var sum [Size]byte
	putWords(sum[:], n.compressed(root))
	return append(b, sum[:]...)
}

func putWords(b []byte, w words) {
	for i, v := range w {
		binary.LittleEndian.PutUint32(b[4*i:], v)
	}
}

// schedule is the order in which each round takes the words of a block: the
// specification's permutation, applied once more in each round.
var schedule = [7][16]uint8{
	{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
	{2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8},
	{3, 4, 10, 12, 13, 2, 7, 14, 6, 5, 9, 0, 11, 15, 8, 1},
	{10, 7, 12, 9, 14, 3, 13, 15, 4, 0, 11, 2, 5, 8, 1, 6},
	{12, 13, 9, 11, 15, 10, 14, 8, 7, 2, 5, 3, 0, 1, 6, 4},
	{9, 14, 11, 5, 8, 12, 15, 1, 13, 3, 0, 10, 2, 6, 4, 7},
	{11, 15, 5, 0, 1, 9, 8, 6, 14, 10, 2, 12, 3, 4, 7, 13},
}

// compress is the compression function without the half of its output that longer
// hashes need. The state is in variables, not in an array, so that the compiler keeps
// it in registers.
func compress(value *words, block *[blockSize]byte, counter uint64, length, flags uint32) {
	var m [16]uint32
	for i := range m {
		m[i] = binary.LittleEndian.Uint32(block[4*i:])
	}
	v0, v1, v2, v3, v4, v5, v6, v7 := value[0], value[1], value[2], value[3], value[4], value[5], value[6], value[7]
	v8, v9, v10, v11 := initial[0], initial[1], initial[2], initial[3]
	v12, v13, v14, v15 := uint32(counter), uint32(counter>>32), length, flags
	for round := range schedule {
		s := &schedule[round] // & 15 avoids bounds checks
		v0, v4, v8, v12 = mix(v0, v4, v8, v12, m[s[0]&15], m[s[1]&15])
		v1, v5, v9, v13 = mix(v1, v5, v9, v13, m[s[2]&15], m[s[3]&15])
		v2, v6, v10, v14 = mix(v2, v6, v10, v14, m[s[4]&15], m[s[5]&15])
		v3, v7, v11, v15 = mix(v3, v7, v11, v15, m[s[6]&15], m[s[7]&15])
		v0, v5, v10, v15 = mix(v0, v5, v10, v15, m[s[8]&15], m[s[9]&15])
		v1, v6, v11, v12 = mix(v1, v6, v11, v12, m[s[10]&15], m[s[11]&15])
		v2, v7, v8, v13 = mix(v2, v7, v8, v13, m[s[12]&15], m[s[13]&15])
		v3, v4, v9, v14 = mix(v3, v4, v9, v14, m[s[14]&15], m[s[15]&15])
	}
	*value = words{v0 ^ v8, v1 ^ v9, v2 ^ v10, v3 ^ v11, v4 ^ v12, v5 ^ v13, v6 ^ v14, v7 ^ v15}
}

func mix(a, b, c, d, x, y uint32) (uint32, uint32, uint32, uint32) {
	a += b + x
	d = bits.RotateLeft32(d^a, -16)
	c += d
	b = bits.RotateLeft32(b^c, -12)
	a += b + y
	d = bits.RotateLeft32(d^a, -8)
	c += d
	b = bits.RotateLeft32(b^c, -7)
	return a, b, c, d
}
