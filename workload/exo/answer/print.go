package answer

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"hash"
)

// print makes a fingerprint of an answer, however it came in pieces. It is keyed, and that protects it: with the key a guess
// at the text can be checked, though none can be got back of 32 bits; without it, nothing can be told.
type print struct {
	hash    hash.Hash
	thought bool // what was said last
}

func newPrint(key []byte) *print { return &print{hash: hmac.New(sha256.New, key)} }

func (p *print) add(text string, thought bool) {
	if thought != p.thought {
		_, _ = p.hash.Write([]byte{0xff}) // never in UTF-8; writing to a hash cannot fail
		p.thought = thought
	}
	_, _ = p.hash.Write([]byte(text))
}

// sum is never 0.
func (p *print) sum() uint64 { return 1<<32 | uint64(binary.BigEndian.Uint32(p.hash.Sum(nil))) }
