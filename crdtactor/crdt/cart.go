package crdt

import "iter"

// Cart maps items to quantities. Additions made at several replicas at once add
// up. A removal removes exactly the additions it has seen: one made elsewhere
// at the same time stays, whole and alone. An item that was removed and added
// again counts from the new addition.
//
// A quantity never shows below zero:
//
//   - Taking more than is shown takes what is there, and taking the last unit
//     removes the item, so that concurrent additions stay.
//   - Replicas that take the same units at once can bring the sum of what is
//     known below zero. It then shows as 0, and the next addition starts from
//     0: it first removes what it sees, so one unit added shows as one.
//
// The state has one entry for each item and replica that added to it, however
// many additions and removals there were; removed items leave nothing behind
// once the replicas that added them have heard of the removal and made some
// change to the cart or called [Cart.Compact]. See [Tally] for how.
//
// The zero Cart is empty and ready to use; it must not be copied after first
// use. See [State] for concurrency and ownership, and [Digester] for
// anti-entropy.
type Cart struct {
	items ORMap[*Tally]
}

// Add changes the quantity of item by n, which may be negative, on behalf of
// replica, and returns the delta. The delta carries what the replica has added
// to the item so far, not what others have. It is zero if nothing changes: n is
// 0, or there is nothing to take.
func (c *Cart) Add(replica ReplicaID, item string, n int64) (delta *Cart) {
	replica.mustBeNamed()
	inner := c.items.Update(item, func(t *Tally) *Tally {
		known := t.Value() // below zero if several took the same units
		switch {
		case n < 0 && known <= 0:
			return nil
		case n < 0 && n <= -known:
			return t.Reset(replica)
		case n > 0 && known < 0:
			d := t.Reset(replica)
			d.Join(t.Add(replica, n))
			return d
		default:
			return t.Add(replica, n)
		}
	})
	return &Cart{*inner}
}

// Remove removes item on behalf of replica, as far as it has been seen, and
// returns the delta; it is zero if that changed nothing.
func (c *Cart) Remove(replica ReplicaID, item string) (delta *Cart) {
	return &Cart{*c.items.Remove(replica, item)}
}

// Quantity returns how many of item are in the cart, never less than 0.
func (c *Cart) Quantity(item string) int64 {
	kid := c.items.tree().kids[item]
	if kid == nil {
		return 0
	}
	return max(0, kid.value())
}

// All yields the items whose quantity is not 0, and their quantities, sorted by
// item.
func (c *Cart) All() iter.Seq2[string, int64] {
	return func(yield func(string, int64) bool) {
		for _, item := range c.items.tree().names() {
			if q := c.Quantity(item); q > 0 && !yield(item, q) {
				return
			}
		}
	}
}

// Len returns the number of items whose quantity is not 0. It looks at each.
func (c *Cart) Len() int {
	n := 0
	for _, kid := range c.items.tree().kids {
		if kid.value() > 0 {
			n++
		}
	}
	return n
}

// IsZero reports whether the cart has never held anything: such a delta need
// not be sent.
func (c *Cart) IsZero() bool { return c.items.IsZero() }

// Compact implements [Compactor].
func (c *Cart) Compact(replica ReplicaID) *Cart { return &Cart{*c.items.Compact(replica)} }

// Join implements [State].
func (c *Cart) Join(other *Cart) bool { return other != nil && c.items.Join(&other.items) }

// Clone implements [State].
func (c *Cart) Clone() *Cart { return &Cart{*c.items.Clone()} }

// Equal implements [State].
func (c *Cart) Equal(other *Cart) bool { return c.items.Equal(&other.items) }

// Digest implements [Digester].
func (c *Cart) Digest() *Digest { return c.items.Digest() }

// DeltaSince implements [Digester].
func (c *Cart) DeltaSince(d *Digest) *Cart { return &Cart{*c.items.DeltaSince(d)} }

// Foldable implements [Folder].
func (c *Cart) Foldable(replica ReplicaID) bool { return c.items.Foldable(replica) }

// Fold implements [Folder].
func (c *Cart) Fold(replica ReplicaID) *Cart { return &Cart{*c.items.Fold(replica)} }

// MarshalBinary implements [State].
func (c *Cart) MarshalBinary() ([]byte, error) { return c.items.encode(c.shape()), nil }

// UnmarshalBinary implements [State].
func (c *Cart) UnmarshalBinary(data []byte) error { return c.items.decode(data, c.shape()) }

func (c *Cart) shape() shape { return shape{kinds: kindCart, depth: 1, runs: true} }
