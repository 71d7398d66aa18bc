package replica_test

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/topos-go/topos/crdtactor/crdt"
)

// basket is a cart of one item and the sets of what was added to it and of what
// was removed. A cart that is given every item once only has runs of one addition;
// here a run goes on, so that one that is let go of too early takes later additions
// with it. Deltas are whole states, so that the cart and the sets agree everywhere.
type basket struct {
	cart          crdt.Cart
	made, removed crdt.GSet
}

const item = "tea"

func (b *basket) Join(o *basket) bool {
	x, y, z := b.cart.Join(&o.cart), b.made.Join(&o.made), b.removed.Join(&o.removed)
	return x || y || z
}

func (b *basket) Clone() *basket {
	return &basket{*b.cart.Clone(), *b.made.Clone(), *b.removed.Clone()}
}

func (b *basket) Equal(o *basket) bool {
	return b.cart.Equal(&o.cart) && b.made.Equal(&o.made) && b.removed.Equal(&o.removed)
}

func (b *basket) IsZero() bool { return b.cart.IsZero() && b.made.IsZero() && b.removed.IsZero() }

func (b *basket) Foldable(me crdt.ReplicaID) bool { return b.cart.Foldable(me) }

func (b *basket) Fold(me crdt.ReplicaID) *basket {
	b.cart.Fold(me)
	return b.Clone()
}

func (b *basket) Compact(me crdt.ReplicaID) *basket { return &basket{cart: *b.cart.Compact(me)} }

func (b *basket) Sweep(lost func(string, uint64) bool) *basket {
	return &basket{cart: *b.cart.Sweep(lost)}
}

func (b *basket) MarshalBinary() ([]byte, error) {
	var all []byte
	for _, part := range []interface{ MarshalBinary() ([]byte, error) }{&b.cart, &b.made, &b.removed} {
		data, err := part.MarshalBinary()
		if err != nil {
			return nil, err
		}
		all = append(binary.AppendUvarint(all, uint64(len(data))), data...)
	}
	return all, nil
}

func (b *basket) UnmarshalBinary(data []byte) error {
	for _, part := range []interface{ UnmarshalBinary([]byte) error }{&b.cart, &b.made, &b.removed} {
		n, k := binary.Uvarint(data)
		if k <= 0 || n > uint64(len(data)-k) {
			return crdt.ErrMalformed
		}
		if err := part.UnmarshalBinary(data[k : k+int(n)]); err != nil {
			return err
		}
		data = data[k+int(n):]
	}
	return nil
}

func baskets() subject[*basket] {
	return subject[*basket]{
		fresh: func() *basket { return new(basket) },
		make: func(b *basket, me crdt.ReplicaID, element string) *basket {
			b.cart.Add(me, item, 1)
			b.made.Add(element)
			return b.Clone()
		},
		lose: func(_ *rand.Rand, b *basket, me crdt.ReplicaID) (*basket, string) {
			if b.cart.Remove(me, item).IsZero() {
				return new(basket), ""
			}
			for e := range b.made.All() {
				b.removed.Add(e)
			}
			return b.Clone(), ""
		},
		has: func(b *basket) (list []string) {
			for e := range b.made.All() {
				list = append(list, e)
			}
			return list
		},
		check: func(b *basket, doubtful map[string]bool) error {
			left, sure := int64(0), int64(0)
			for e := range b.made.All() {
				if !b.removed.Contains(e) {
					left++
					if !doubtful[e] {
						sure++
					}
				}
			}
			if n := b.cart.Quantity(item); n < sure || n > left {
				return fmt.Errorf("the cart shows %d, not between %d and %d", n, sure, left)
			}
			return nil
		},
	}
}

// TestForgottenNodesTakeNoLaterAdditionWithThemOnAnySchedule is
// TestForgottenNodesLeaveNoMarksInCartsOnAnySchedule with runs that go on after
// some of their additions were removed.
func TestForgottenNodesTakeNoLaterAdditionWithThemOnAnySchedule(t *testing.T) {
	gone, removed, left := 0, 0, 0
	for seed := range uint64(*schedules) {
		w := mustRun(t, baskets(), seed, true)
		gone += sites - len(w.there())
		core := w.there()[0].core
		for _, key := range core.Keys() {
			b, _ := core.State(key)
			removed, left = removed+b.removed.Len(), left+int(b.cart.Quantity(item))
		}
	}
	if gone == 0 || removed == 0 || left == 0 {
		t.Errorf("%d nodes gone, %d additions removed and %d left prove nothing", gone, removed, left)
	}
}
