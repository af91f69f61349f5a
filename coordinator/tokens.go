package coordinator

import (
	"ginnel/key"
	"ginnel/wire"
)

// maxTokens bounds the cache; a book with more peers than this computes again.
const maxTokens = 16384

// tokens computes and remembers the tokens of peers: an X25519 costs a small
// router milliseconds. Its owner guards it.
type tokens struct {
	private key.PrivateKey
	known   map[key.PublicKey]key.Token
}

func newTokens(k key.PrivateKey) *tokens {
	return &tokens{private: k, known: map[key.PublicKey]key.Token{}}
}

// match tells in constant time whether t is the token of the peer with key k.
// A key with which no token can be made matches nothing.
func (c *tokens) match(k key.PublicKey, t key.Token) bool {
	want, ok := c.known[k]
	if !ok {
		var err error
		if want, err = c.private.Token(k, wire.TokenPurpose); err != nil {
			return false
		}
		if len(c.known) >= maxTokens {
			c.known = map[key.PublicKey]key.Token{}
		}
		c.known[k] = want
	}
	return want.Equal(t)
}
