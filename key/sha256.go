package key

import "encoding/binary"

// The hash is here because crypto/sha256 brings along every cipher and random
// generator of Go's FIPS module, for their self-tests, which are linked and never
// run: 168 kB in the binary for routers, which have no other use for them.

// block is how many bytes SHA-256 takes at a time.
const block = 64

// initial is the state that SHA-256 starts with (FIPS 180-4, section 5.3.3).
var initial = [8]uint32{0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19}

// rounds are the constants of the rounds (section 4.2.2).
var rounds = [64]uint32{
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
	0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
	0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
	0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
	0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
	0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
	0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
	0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
}

// SHA256 returns the SHA-256 of b (FIPS 180-4), in a time that depends on
// nothing but its length. It does not change b.
func SHA256(b []byte) (sum [32]byte) {
	state := initial
	whole := len(b) / block * block
	for at := 0; at < whole; at += block {
		compress(&state, b[at:at+block])
	}
	for last := padding(b[whole:], len(b)); len(last) > 0; last = last[block:] {
		compress(&state, last[:block])
	}
	for i, s := range state {
		binary.BigEndian.PutUint32(sum[4*i:], s)
	}
	return sum
}

// padding returns the last one or two blocks of a message of n bytes, whose
// rest fills no block: the rest, a bit, zeros, and n in bits (section 5.1.1).
func padding(rest []byte, n int) []byte {
	end := block
	if len(rest) >= block-8 {
		end = 2 * block
	}
	last := make([]byte, end)
	copy(last, rest)
	last[len(rest)] = 0x80
	binary.BigEndian.PutUint64(last[end-8:], 8*uint64(n))
	return last
}

// compress takes one block into state (section 6.2.2).
func compress(state *[8]uint32, b []byte) {
	var w [64]uint32
	for i := range w {
		if i < 16 {
			w[i] = binary.BigEndian.Uint32(b[4*i:])
			continue
		}
		x, y := w[i-15], w[i-2]
		w[i] = w[i-16] + w[i-7] + ((x>>7 | x<<25) ^ (x>>18 | x<<14) ^ x>>3) + ((y>>17 | y<<15) ^ (y>>19 | y<<13) ^ y>>10)
	}
	s := *state
	for i := range w {
		a, b, c, e, f, g := s[0], s[1], s[2], s[4], s[5], s[6]
		t := s[7] + ((e>>6 | e<<26) ^ (e>>11 | e<<21) ^ (e>>25 | e<<7)) + (e&f ^ ^e&g) + rounds[i] + w[i]
		u := ((a>>2 | a<<30) ^ (a>>13 | a<<19) ^ (a>>22 | a<<10)) + (a&b ^ a&c ^ b&c)
		s = [8]uint32{t + u, a, b, c, s[3] + t, e, f, g}
	}
	for i := range s {
		state[i] += s[i]
	}
}

// hmac returns the HMAC-SHA256 of message (RFC 2104) for a secret of at most a
// block.
func hmac(secret, message []byte) [32]byte {
	var inner, outer [block]byte
	copy(inner[:], secret)
	copy(outer[:], secret)
	for i := range block {
		inner[i] ^= 0x36
		outer[i] ^= 0x5c
	}
	sum := SHA256(append(inner[:], message...))
	return SHA256(append(outer[:], sum[:]...))
}

// hkdf derives 32 bytes from secret with HKDF-SHA256 (RFC 5869), without a salt:
// one extraction, and one round of expansion.
func hkdf(secret []byte, info string) [32]byte {
	extracted := hmac(nil, secret)
	return hmac(extracted[:], append([]byte(info), 1))
}
