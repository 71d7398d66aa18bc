package handshake

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"fmt"

	"github.com/topos-go/topos/remote/wire"
)

// Labels keep the proof of one role from serving as that of the other, so that
// nothing is won by sending a side's own proof back to it.
const (
	labelDialler  = "topos 1 dialler"
	labelAccepter = "topos 1 accepter"
)

// prove computes HMAC-SHA256 over the label and the parts of the transcript,
// each with its length before it.
func prove(secret []byte, label string, parts ...[]byte) []byte {
	h := hmac.New(sha256.New, secret)
	write := func(b []byte) {
		var n [8]byte
		binary.BigEndian.PutUint64(n[:], uint64(len(b)))
		h.Write(n[:])
		h.Write(b)
	}
	write([]byte(label))
	for _, part := range parts {
		write(part)
	}
	return h.Sum(nil)
}

func proofFrame(mac, attach []byte) []byte {
	return wire.Append(nil, wire.KindProof, &wire.Proof{Mac: mac, Attach: attach}, 0)
}

// proof decodes the other side's proof.
func proof(f wire.Frame) (wire.Proof, Attach, error) {
	var m wire.Proof
	switch f.Kind {
	case wire.KindProof:
	case wire.KindRefusal:
		return m, Attach{}, refused(f)
	default:
		return m, Attach{}, fmt.Errorf("%w: %v in place of a proof", ErrMalformed, f.Kind)
	}
	if err := m.Unmarshal(f.Head); err != nil {
		return m, Attach{}, fmt.Errorf("%w: proof: %w", ErrMalformed, err)
	}
	attach, err := decodeAttach(m.Attach)
	return m, attach, err
}
