// Package handshake lets two nodes prove to each other that they know the
// cluster secret, and agree on what a new connection is for.
//
//	dialler                                   accepter
//	  | Hello: versions, cluster, node, nonce    |
//	  |----------------------------------------->|
//	  |    Hello: the same; or Refusal           |
//	  |<-----------------------------------------|
//	  | Proof: HMAC, Attach: lane, where it is   |
//	  |----------------------------------------->|
//	  |    Proof: HMAC, Attach; or Refusal       |
//	  |<-----------------------------------------|
//
// Each HMAC-SHA256 covers a label for the role and everything said before,
// with both nonces in it, so it cannot be replayed or reflected. The side that
// dialled proves first: nobody without the secret gets anything computed from
// it. The handshake is pure; deadlines and sizes are the driver's.
//
//	d := handshake.NewDialler(cfg, nonce, expect, false)
//	send(d.Hello())
//	peer, err := d.Greeted(receive())
//	send(d.Prove(attach))
//	theirs, err := d.Accepted(receive())
//
// What is not guaranteed: the handshake authenticates itself only. Whoever can
// change the bytes of a connection can take it over afterwards, and a short
// secret can be guessed by a dialled impostor. On a network that others share,
// a connection needs TLS beneath it.
//
// When a side crashes in the middle, the other one's deadline ends the attempt;
// nothing has changed by it.
package handshake
