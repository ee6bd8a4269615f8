package packtest

import (
	"encoding/binary"
	"math/bits"
)

// Sizes in bytes and flags of BLAKE3, from its specification,
// https://github.com/BLAKE3-team/BLAKE3-specs/blob/master/blake3.pdf.
const (
	blake3Chunk = 1024
	blake3Block = 64

	chunkStart = 1 << 0
	chunkEnd   = 1 << 1
	parent     = 1 << 2
	root       = 1 << 3
)

type blake3Words [8]uint32

var (
	blake3IV = blake3Words{0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19}

	blake3Order = [16]int{2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8}
)

// blake3 returns the BLAKE3 hash of b. A pack's bill of materials is written
// in it, and it is not worth a dependency: only packs made for tests are
// hashed here, and nothing rests on its speed.
func blake3(b []byte) [32]byte {
	var out [32]byte
	for i, w := range blake3Tree(b, 0, root) {
		binary.LittleEndian.PutUint32(out[4*i:], w)
	}
	return out
}

// blake3Tree hashes b, whose first chunk is number counter. The left branch
// holds the largest power of two of whole chunks that leaves some for the
// right one.
func blake3Tree(b []byte, counter uint64, flags uint32) blake3Words {
	if len(b) <= blake3Chunk {
		return blake3ChunkOf(b, counter, flags)
	}
	chunks := (len(b) - 1) / blake3Chunk
	half := 1 << (bits.Len(uint(chunks)) - 1)
	left := blake3Tree(b[:half*blake3Chunk], counter, 0)
	right := blake3Tree(b[half*blake3Chunk:], counter+uint64(half), 0)
	var block [16]uint32
	copy(block[:8], left[:])
	copy(block[8:], right[:])
	return blake3Compress(blake3IV, block, 0, blake3Block, parent|flags)
}

func blake3ChunkOf(b []byte, counter uint64, flags uint32) blake3Words {
	cv, start := blake3IV, uint32(chunkStart)
	for len(b) > blake3Block {
		cv = blake3Compress(cv, blake3Load(b[:blake3Block]), counter, blake3Block, start)
		b, start = b[blake3Block:], 0
	}
	return blake3Compress(cv, blake3Load(b), counter, uint32(len(b)), start|chunkEnd|flags)
}

func blake3Load(b []byte) (block [16]uint32) {
	var padded [blake3Block]byte
	copy(padded[:], b)
	for i := range block {
		block[i] = binary.LittleEndian.Uint32(padded[4*i:])
	}
	return block
}

func blake3Compress(cv blake3Words, block [16]uint32, counter uint64, length, flags uint32) (out blake3Words) {
	var s [16]uint32
	copy(s[:8], cv[:])
	copy(s[8:12], blake3IV[:4])
	s[12], s[13], s[14], s[15] = uint32(counter), uint32(counter>>32), length, flags
	for range 7 {
		blake3Round(&s, &block)
		var permuted [16]uint32
		for i, from := range blake3Order {
			permuted[i] = block[from]
		}
		block = permuted
	}
	for i := range out {
		out[i] = s[i] ^ s[i+8]
	}
	return out
}

func blake3Round(s, m *[16]uint32) {
	mix := func(a, b, c, d int, x, y uint32) {
		s[a] += s[b] + x
		s[d] = bits.RotateLeft32(s[d]^s[a], -16)
		s[c] += s[d]
		s[b] = bits.RotateLeft32(s[b]^s[c], -12)
		s[a] += s[b] + y
		s[d] = bits.RotateLeft32(s[d]^s[a], -8)
		s[c] += s[d]
		s[b] = bits.RotateLeft32(s[b]^s[c], -7)
	}
	for i := range 4 { // the columns, then the diagonals
		mix(i, 4+i, 8+i, 12+i, m[2*i], m[2*i+1])
	}
	for i := range 4 {
		mix(i, 4+(i+1)%4, 8+(i+2)%4, 12+(i+3)%4, m[8+2*i], m[9+2*i])
	}
}
