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
