package handshake

import (
	"crypto/hmac"
	"fmt"

	"github.com/topos-go/topos/remote/wire"
)

// Accepter is the side that was dialled. Its methods are called in the order
// Greeted, Proven, Accept; an error ends the handshake, and [Refuse] makes the
// frame that says why.
//
// An Accepter is for one goroutine. It is made with [NewAccepter].
type Accepter struct {
	cfg *Config

	nonce        Nonce
	mine, theirs []byte // the hellos
	proof        []byte
	attach       []byte
	peer         Peer
}

// NewAccepter waits for a hello. cfg must not change.
func NewAccepter(cfg *Config, nonce Nonce) *Accepter { return &Accepter{cfg: cfg, nonce: nonce} }

// Greeted takes the other side's hello and returns the answer. A probe ends
// with it; then probe is true.
func (a *Accepter) Greeted(f wire.Frame) (answer []byte, probe bool, err error) {
	hello, peer, err := a.cfg.greeted(f)
	if err != nil {
		return nil, false, err
	}
	if peer.Node.Name == a.cfg.Self.Name && !hello.Probe {
		return nil, false, fmt.Errorf("%w: %v", ErrSelf, peer.Node)
	}
	a.peer = peer
	a.theirs = append([]byte(nil), f.Head...)
	a.mine = a.cfg.hello(a.nonce, false)
	return a.mine, hello.Probe, nil
}

// Proven takes the other side's proof. After it the other side is known to be
// who it says; whether it may have the lane is for the caller to decide.
func (a *Accepter) Proven(f wire.Frame) (Peer, Attach, error) {
	m, attach, err := proof(f)
	if err != nil {
		return Peer{}, Attach{}, err
	}
	want := prove(a.cfg.Secret, labelDialler, a.theirs, a.mine[wire.HeaderSize:], m.Attach)
	if !hmac.Equal(m.Mac, want) {
		return Peer{}, Attach{}, ErrSecret
	}
	a.proof, a.attach = m.Mac, m.Attach
	return a.peer, attach, nil
}

// Accept returns the frame that proves the secret in turn and grants the lane.
func (a *Accepter) Accept(attach Attach) []byte {
	encoded := attach.encode()
	mac := prove(a.cfg.Secret, labelAccepter, a.theirs, a.mine[wire.HeaderSize:], a.attach, a.proof, encoded)
	return proofFrame(mac, encoded)
}
