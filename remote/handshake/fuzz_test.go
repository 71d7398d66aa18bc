package handshake

import (
	"errors"
	"testing"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/remote/wire"
)

// FuzzAccepter gives two frames of anything to a side that was dialled. Without
// the secret nothing may be accepted, and nothing may panic.
func FuzzAccepter(f *testing.F) {
	a, b := pair()
	d, acc := NewDialler(a, Nonce{1}, actor.NodeID{}, false), NewAccepter(b, Nonce{2})
	hello := d.Hello()
	answer, _, _ := acc.Greeted(frame(hello))
	_, _ = d.Greeted(frame(answer))
	f.Add(uint8(wire.KindHello), hello[wire.HeaderSize:], uint8(wire.KindProof), d.Prove(Attach{Channel: "default", Lane: 1})[wire.HeaderSize:])
	f.Add(uint8(wire.KindRefusal), []byte{8, 1}, uint8(wire.KindProof), []byte{10, 1, 0})
	f.Fuzz(func(t *testing.T, kind1 uint8, head1 []byte, kind2 uint8, head2 []byte) {
		_, cfg := pair()
		acc := NewAccepter(cfg, Nonce{99}) // not the nonce of the seed's proof
		answer, _, err := acc.Greeted(wire.Frame{Kind: wire.Kind(kind1), Head: head1})
		if err != nil {
			checkReason(t, err)
			return
		}
		if len(answer) == 0 {
			t.Fatal("no answer and no error")
		}
		_, _, err = acc.Proven(wire.Frame{Kind: wire.Kind(kind2), Head: head2})
		if err == nil {
			t.Fatal("a proof without the secret")
		}
		checkReason(t, err)
	})
}

// FuzzDialler gives two frames of anything to a side that has dialled.
func FuzzDialler(f *testing.F) {
	a, b := pair()
	d, acc := NewDialler(a, Nonce{1}, actor.NodeID{}, false), NewAccepter(b, Nonce{2})
	answer, _, _ := acc.Greeted(frame(d.Hello()))
	_, _ = d.Greeted(frame(answer))
	_, _, _ = acc.Proven(frame(d.Prove(Attach{Channel: "default", Lane: 1})))
	f.Add(uint8(wire.KindHello), answer[wire.HeaderSize:], uint8(wire.KindProof), acc.Accept(Attach{Channel: "default", Lane: 1})[wire.HeaderSize:])
	f.Add(uint8(wire.KindRefusal), []byte{8, 1}, uint8(wire.KindRefusal), []byte{8, 200})
	f.Fuzz(func(t *testing.T, kind1 uint8, head1 []byte, kind2 uint8, head2 []byte) {
		cfg, _ := pair()
		d := NewDialler(cfg, Nonce{99}, actor.NodeID{}, false)
		d.Hello()
		if _, err := d.Greeted(wire.Frame{Kind: wire.Kind(kind1), Head: head1}); err != nil {
			checkReason(t, err)
			return
		}
		d.Prove(Attach{Channel: "default", Lane: 1})
		_, err := d.Accepted(wire.Frame{Kind: wire.Kind(kind2), Head: head2})
		if err == nil {
			t.Fatal("a proof without the secret")
		}
		checkReason(t, err)
	})
}

// checkReason checks that an error has one of the reasons.
func checkReason(t *testing.T, err error) {
	t.Helper()
	var r *RefusedError
	if codeOf(err) == 0 && !errors.As(err, &r) {
		t.Fatalf("%v has no reason", err)
	}
	if f := frame(Refuse(err)); f.Kind != wire.KindRefusal {
		t.Fatalf("refused by a %v", f.Kind)
	}
}
