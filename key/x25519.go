package key

// The arithmetic is that of Go's own curve packages, kept by the same author;
// the ladder over it is here because crypto/ecdh brings along the curve P-256,
// for a self-test at most: 160 kB in the binary for routers, which have no other
// use for either.

import "filippo.io/edwards25519/field"

// a24 is (486662-2)/4 of Curve25519's A (RFC 7748, section 5).
const a24 = 121665

// x25519 multiplies the point whose u-coordinate is u by a clamped scalar: the
// Montgomery ladder of RFC 7748, section 5, in constant time.
func x25519(scalar, u *[Size]byte) [Size]byte {
	var x1, x2, z2, x3, z3, a, aa, b, bb, e, c, d, da, cb field.Element
	x1.SetBytes(u[:]) // always 32 bytes, of which the last bit is ignored
	x2.One()
	x3.Set(&x1)
	z3.One()
	swap := 0
	for t := 254; t >= 0; t-- {
		bit := int(scalar[t/8]>>(t%8)) & 1
		swap ^= bit
		x2.Swap(&x3, swap)
		z2.Swap(&z3, swap)
		swap = bit

		a.Add(&x2, &z2)
		aa.Square(&a)
		b.Subtract(&x2, &z2)
		bb.Square(&b)
		e.Subtract(&aa, &bb)
		c.Add(&x3, &z3)
		d.Subtract(&x3, &z3)
		da.Multiply(&d, &a)
		cb.Multiply(&c, &b)
		x3.Add(&da, &cb)
		x3.Square(&x3)
		z3.Subtract(&da, &cb)
		z3.Square(&z3)
		z3.Multiply(&z3, &x1)
		x2.Multiply(&aa, &bb)
		z2.Mult32(&e, a24)
		z2.Add(&z2, &aa)
		z2.Multiply(&z2, &e)
	}
	x2.Swap(&x3, swap)
	z2.Swap(&z3, swap)
	z2.Invert(&z2)
	x2.Multiply(&x2, &z2)
	return [Size]byte(x2.Bytes())
}
