package publickey

import (
	"math/big"
	"slices"
	"sync"
)

// Points of the curve edwards25519, RFC 8032, section 5.1.

// prime is 2^255 - 19: y is a number below it.
var prime = new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 255), big.NewInt(19))

// curveD is the constant d of the curve, -121665/121666.
var curveD = sync.OnceValue(func() *big.Int {
	d := new(big.Int).ModInverse(big.NewInt(121666), prime)
	d.Mul(d, big.NewInt(-121665))
	return d.Mod(d, prime)
})

// smallOrder has the y of the eight points whose order divides 8: of the order 4 is 0, of
// the order 1 is 1, of the order 2 is -1, the other two are of the order 8.
var smallOrder = sync.OnceValue(func() []*big.Int {
	return []*big.Int{
		big.NewInt(0),
		big.NewInt(1),
		new(big.Int).Sub(prime, big.NewInt(1)),
		fromHex("7a03ac9277fdc74ec6cc392cfa53202a0f67100d760b3cba4fd84d3d706a17c7"),
		fromHex("05fc536d880238b13933c6d305acdfd5f098eff289f4c345b027b2c28f95e826"),
	}
})

func fromHex(digits string) *big.Int {
	n, _ := new(big.Int).SetString(digits, 16) // the digits above are right
	return n
}

// ordinate returns the y that 32 bytes encode: little-endian, without the highest bit, the
// sign of x. It may be prime or more, which is not canonical.
func ordinate(point []byte) *big.Int {
	bytes := slices.Clone(point)
	slices.Reverse(bytes)
	bytes[0] &= 0x7f
	return new(big.Int).SetBytes(bytes)
}

// isSmallOrder tells whether 32 bytes encode a point of small order, canonically or not.
func isSmallOrder(point []byte) bool {
	y := ordinate(point)
	y.Mod(y, prime)
	return slices.ContainsFunc(smallOrder(), func(small *big.Int) bool { return small.Cmp(y) == 0 })
}

// checkPoint refuses the 32 bytes of an Ed25519 key that crypto/ed25519 takes and should
// not. One signature verifies every message under a key of small order, and a key that is
// not canonical has two identities.
func checkPoint(point []byte) error {
	y := ordinate(point)
	switch {
	case isSmallOrder(point):
		return refused("an Ed25519 key of small order: one signature would verify every message")
	case y.Cmp(prime) >= 0:
		return refused("an Ed25519 key that is not canonical")
	case !isOnCurve(y):
		return refused("not a public key: no point of the curve of Ed25519")
	}
	return nil
}

// isOnCurve tells whether a point has this y: x² = (y² - 1) / (dy² + 1) has a root.
func isOnCurve(y *big.Int) bool {
	one, square := big.NewInt(1), new(big.Int).Mul(y, y)
	above := new(big.Int).Sub(square, one)
	below := new(big.Int).Mul(curveD(), square)
	below.Add(below, one).Mod(below, prime).ModInverse(below, prime) // never 0: -1/d is no square
	return big.Jacobi(above.Mod(above.Mul(above, below), prime), prime) >= 0
}
