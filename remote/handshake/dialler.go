package handshake

import (
	"crypto/hmac"
	"fmt"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/remote/wire"
)

// Dialler is the side that opened the connection. Its methods are called in
// the order Hello, Greeted, Prove, Accepted; an error ends the handshake. If
// Refusal returns a frame, it is sent before the connection is closed.
//
// A Dialler is for one goroutine. It is made with [NewDialler].
type Dialler struct {
	cfg    *Config
	expect actor.NodeID
	probe  bool

	nonce         Nonce
	mine, theirs  []byte // the hellos
	attach, proof []byte
	peer          Peer
}

// NewDialler begins a handshake with expect, or with whoever answers if expect
// is zero. A probe ends with Greeted. cfg must not change.
func NewDialler(cfg *Config, nonce Nonce, expect actor.NodeID, probe bool) *Dialler {
	return &Dialler{cfg: cfg, nonce: nonce, expect: expect, probe: probe}
}

// Hello returns the first frame to send.
func (d *Dialler) Hello() []byte {
	d.mine = d.cfg.hello(d.nonce, d.probe)
	return d.mine
}

// Greeted takes the answer to Hello. The error wraps ErrUnexpected if another
// node answers than the one expected; Peer then says which.
func (d *Dialler) Greeted(f wire.Frame) (Peer, error) {
	_, peer, err := d.cfg.greeted(f)
	if err != nil {
		return Peer{}, err
	}
	if d.peer = peer; !d.expect.IsZero() && peer.Node != d.expect {
		return peer, fmt.Errorf("%w: %v answers, not %v", ErrUnexpected, peer.Node, d.expect)
	}
	if peer.Node.Name == d.cfg.Self.Name {
		return peer, fmt.Errorf("%w: %v answers", ErrSelf, peer.Node)
	}
	d.theirs = append([]byte(nil), f.Head...)
	return peer, nil
}

// Prove returns the frame that proves the secret and asks for the lane.
func (d *Dialler) Prove(a Attach) []byte {
	d.attach = a.encode()
	d.proof = prove(d.cfg.Secret, labelDialler, d.mine[wire.HeaderSize:], d.theirs, d.attach)
	return proofFrame(d.proof, d.attach)
}

// Accepted takes the answer to Prove. After it the other side is known to be
// who it says.
func (d *Dialler) Accepted(f wire.Frame) (Attach, error) {
	m, attach, err := proof(f)
	if err != nil {
		return Attach{}, err
	}
	want := prove(d.cfg.Secret, labelAccepter, d.mine[wire.HeaderSize:], d.theirs, d.attach, d.proof, m.Attach)
	if !hmac.Equal(m.Mac, want) {
		return Attach{}, ErrSecret
	}
	return attach, nil
}
