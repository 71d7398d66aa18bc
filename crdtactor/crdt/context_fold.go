package crdt

import "slices"

// superseded reports whether a later, whole entry stands for replica's dots.
func (c *CausalContext) superseded(replica ReplicaID) bool {
	if c.wholes == 0 {
		return false
	}
	return slices.ContainsFunc(c.known, func(k known) bool { return k.fold > 0 && replica.Before(k.replica) })
}

// mark makes the entry of replica whole if fold, which is one of its dots, is
// not 0.
func (c *CausalContext) mark(replica ReplicaID, fold uint64) {
	if fold == 0 {
		return
	}
	if i, ok := c.find(replica); ok && c.known[i].fold == 0 {
		c.known[i].fold = fold
		c.wholes++
	}
}

// whole reports whether replica's entry is whole.
func (c *CausalContext) whole(replica ReplicaID) bool {
	i, ok := c.find(replica)
	return ok && c.known[i].fold > 0
}

// owns reports whether only replica may speak for the runs of other: they are
// its own, or of an earlier one that was folded into it.
func (c *CausalContext) owns(replica, other ReplicaID) bool {
	return other == replica || c.wholes > 0 && c.whole(replica) && other.Before(replica)
}

// drop takes a dot that has died out of the list, if it was only there because
// it lived.
func (c *CausalContext) drop(d Dot) {
	if !c.superseded(d.Replica) {
		return
	}
	if i, ok := c.find(d.Replica); ok {
		c.known[i].seqs = c.known[i].seqs.minus(spans{{d.Seq, d.Seq}})
		if len(c.known[i].seqs) == 0 {
			c.known = slices.Delete(c.known, i, i+1)
		}
	}
}

// settle takes out of the entries that later ones stand for what is not living.
func (c *CausalContext) settle(living *CausalContext) {
	kept := make([]known, 0, len(c.known))
	for _, k := range c.known {
		if c.superseded(k.replica) {
			k.seqs, k.fold = k.seqs.and(living.seqs(k.replica)), 0
		}
		if len(k.seqs) > 0 {
			kept = append(kept, k)
		}
	}
	c.known, c.wholes = kept, 0
	for _, k := range kept {
		if k.fold > 0 {
			c.wholes++
		}
	}
}

// foldable reports whether there is anything of earlier replicas that can be
// folded into replica's entry.
func (c *CausalContext) foldable(replica ReplicaID) bool {
	lineage, start, ok := replica.Lineage()
	return ok && !c.whole(replica) &&
		slices.ContainsFunc(c.known, func(k known) bool { return k.replica.precedes(lineage, start) })
}

// foldable is Foldable of [Folder].
func (c *causal) foldable(replica ReplicaID) bool { return c.context().foldable(replica) }

// fold is the body of Fold of [Folder]. From then on the state has every dot of
// the earlier replicas: what does not live here is dead, or was lost with them.
// So the delta, which says the same, must have all of theirs that live.
func (c *causal) fold(replica ReplicaID) causal {
	delta := fresh()
	if !c.foldable(replica) {
		return delta
	}
	next := c.book.seen.Next(replica)
	c.book.seen.mark(replica, next.Seq)
	c.sweep(replica, &delta)
	c.settle()
	delta.book.seen.Add(next)
	delta.book.seen.mark(replica, next.Seq)
	c.supply(c.root, &delta, delta.root)
	delta.settle()
	return delta
}

// supply puts into delta what lives in n and below and is claimed by an entry of
// delta that is whole.
func (c *causal) supply(n *node, delta *causal, twin *node) {
	for _, b := range n.births {
		if delta.book.seen.superseded(b.Replica) {
			delta.bear(twin, b)
		}
	}
	for name, kid := range n.kids {
		c.supply(kid, delta, twin.kid(name))
	}
}

// settle brings the context into its normal form after an entry became whole.
func (c *causal) settle() {
	var living CausalContext
	c.root.each(func(_ *node, b *birth) { living.Add(b.Dot) })
	c.book.seen.settle(&living)
}
