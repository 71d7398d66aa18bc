package crdt_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/topos-go/topos/crdtactor/crdt"
	"pgregory.net/rapid"
)

// refusesHostileBytes fuzzes the decoder of a type. Whatever it accepts must be
// the encoding of what it made of it, byte by byte, and must be a state one can
// work with: joined, digested, changed and sent on.
func refusesHostileBytes[S crdt.State[S]](f *testing.F, sub subject[S]) {
	for seed := range 20 {
		f.Add(rapid.Custom(func(t *rapid.T) []byte {
			c := newCluster(sub, 3)
			latest := c.sites[2]
			for i, s := range c.sites {
				s.id = crdt.Incarnation("node", uint64(i))
			}
			for range 20 {
				c.step(t)
			}
			c.settle()
			if f, ok := any(latest.state).(crdt.Folder[S]); ok && seed%2 == 0 {
				f.Fold(latest.id)
			}
			return encoded(t, latest.state)
		}).Example(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		s := sub.zero()
		if err := s.UnmarshalBinary(data); err != nil {
			if !errors.Is(err, crdt.ErrMalformed) {
				t.Fatalf("error %v is not ErrMalformed", err)
			}
			if !s.Equal(sub.zero()) {
				t.Fatal("a failed decode changed the receiver")
			}
			return
		}
		if again := encoded(t, s); !bytes.Equal(again, data) {
			t.Fatalf("decoded % x, encoded % x", data, again)
		}
		if err := crdt.Invariants(s); err != nil {
			t.Fatal(err)
		}
		twin := s.Clone()
		if twin.Join(s) || !twin.Equal(s) {
			t.Fatal("joining a clone changes something")
		}
		fromNothing := sub.zero()
		fromNothing.Join(s)
		if !fromNothing.Equal(s) {
			t.Fatal("joined into nothing it is not the same")
		}
		if d, ok := any(s).(crdt.Digester[S]); ok && fromNothing.Join(d.DeltaSince(d.Digest())) {
			t.Fatal("its own digest lacks something")
		}
		sub.show(s)
	})
}

func FuzzContext(f *testing.F) {
	f.Add([]byte("X\x02\x01a\x02\x00\x01\x00\x03\x01b\x01\x04\x00"))
	f.Fuzz(func(t *testing.T, data []byte) {
		var c crdt.CausalContext
		if c.UnmarshalBinary(data) == nil {
			if again, _ := c.MarshalBinary(); !bytes.Equal(again, data) {
				t.Fatalf("decoded % x, encoded % x", data, again)
			}
		}
	})
}

func FuzzDigest(f *testing.F) {
	cart := cartOf(5)
	for n := range 3 {
		cart.Remove(id(n), "item-00003")
		data, _ := cart.Digest().MarshalBinary()
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var d crdt.Digest
		if d.UnmarshalBinary(data) != nil {
			return
		}
		if again, _ := d.MarshalBinary(); !bytes.Equal(again, data) {
			t.Fatalf("decoded % x, encoded % x", data, again)
		}
		// A digest may lie; the answer must still be true.
		if cart.Join(cart.DeltaSince(&d)) {
			t.Fatal("the delta knows more than the cart")
		}
	})
}
