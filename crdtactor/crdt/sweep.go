package crdt

// Sweeper is a [Compactor] that can drop at once what it keeps on behalf of
// replicas that will never return: nobody else would ever do so. [Cart],
// [ORMap] and [Tally] are Sweepers.
type Sweeper[S any] interface {
	// Sweep does for every replica of which lost says so, by the lineage and the
	// start in its id, what [Compactor] says of a departed one, and is sound when
	// that is: once every copy of its updates has been joined here. It returns the
	// delta. It is cheap when there is nothing to drop.
	Sweep(lost func(lineage string, start uint64) bool) S
}

// sweepLost is the body of Sweep. It needs no index: to build one for each of
// many states takes more memory than they do.
func (c *causal) sweepLost(lost func(string, uint64) bool) causal {
	delta := fresh()
	gone := make(map[ReplicaID]bool)
	for _, k := range c.context().known {
		if lineage, start, ok := k.replica.Lineage(); ok && lost(lineage, start) {
			gone[k.replica] = true
		}
	}
	if len(gone) == 0 {
		return delta
	}
	type place struct {
		node *node
		dot  Dot
	}
	var spent []place
	c.root.each(func(n *node, b *birth) {
		if b.spent() && gone[b.Replica] {
			spent = append(spent, place{n, b.Dot})
		}
	})
	for _, s := range spent {
		c.kill(s.node, s.dot)
		delta.book.seen.Add(s.dot)
	}
	return delta
}

// Sweep implements [Sweeper].
func (c *Cart) Sweep(lost func(lineage string, start uint64) bool) *Cart {
	return &Cart{*c.items.Sweep(lost)}
}

// Sweep implements [Sweeper].
func (m *ORMap[V]) Sweep(lost func(lineage string, start uint64) bool) *ORMap[V] {
	return &ORMap[V]{m.sweepLost(lost)}
}

// Sweep implements [Sweeper].
func (t *Tally) Sweep(lost func(lineage string, start uint64) bool) *Tally {
	return &Tally{t.sweepLost(lost)}
}
