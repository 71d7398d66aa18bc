package crdt

import "slices"

// Digest implements [Digester].
func (c *causal) Digest() *Digest {
	c.mustBeWhole()
	d := new(Digest)
	if c.book == nil {
		return d
	}
	d.seen = *c.book.seen.Clone()
	var living []birth
	c.root.each(func(_ *node, b *birth) { living = append(living, *b) })
	slices.SortFunc(living, func(a, b birth) int { return a.Compare(b.Dot) })
	for _, b := range living {
		d.mark(b.Dot, b.adds, b.gone)
	}
	return d
}

// since is the body of DeltaSince. Seen from the replica with the digest, it
// holds
//
//   - what lives here and is unknown there, or lives in an older version there;
//   - the death of what is dead here and either alive or unknown there;
//   - if there was a folding that is unknown there, all that it speaks of and
//     that lives here.
//
// It claims nothing else, so that what lives in both is left alone.
func (c *causal) since(d *Digest) causal {
	c.mustBeWhole()
	delta := fresh()
	if c.book == nil {
		return delta
	}
	delta.book.seen = c.book.seen.minus(d.context())
	c.send(c.root, d, &delta, delta.root)

	deadHere := d.living()
	mine := c.Digest().living()
	deadHere = deadHere.minus(&mine)
	for _, k := range deadHere.known {
		seqs := k.seqs
		if !c.book.seen.superseded(k.replica) {
			seqs = seqs.and(c.book.seen.seqs(k.replica))
		}
		if len(seqs) > 0 && !delta.book.seen.superseded(k.replica) {
			delta.book.seen.entry(k.replica).join(seqs)
		}
	}
	return delta
}

// send copies to delta what the replica with the digest lacks of n and below.
func (c *causal) send(n *node, d *Digest, delta *causal, twin *node) {
	for _, b := range n.births {
		theirs, alive := d.lookup(b.Dot)
		if !d.context().Contains(b.Dot) || delta.book.seen.superseded(b.Replica) ||
			alive && (b.adds > theirs.adds || b.gone > theirs.gone) {
			delta.bear(twin, b)
		}
	}
	for name, kid := range n.kids {
		c.send(kid, d, delta, twin.kid(name))
	}
}
