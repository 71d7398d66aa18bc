package crdt

import "slices"

// Folder is a [State] in which what earlier replicas of a lineage have left can
// be folded into what the latest one has, so that a state need not grow with
// restarts. See [Incarnation].
//
// Folding does not change what a state shows, and it commutes with everything
// else that happens to a state anywhere: its delta is joined as any other.
//
// Folding is for the latest replica alone. It is sound only once every copy of
// the earlier ones' updates has been joined here, partitioned members' copies
// included, and no new ones can come: updates of theirs that are found later
// are dropped by everybody who has heard of the folding. Package replica has
// the protocol that sees to it, and the proof.
type Folder[S any] interface {
	// Foldable reports whether there is anything to fold into replica.
	Foldable(replica ReplicaID) bool
	// Fold folds and returns the delta, which others join as any other. What
	// the state shows does not change.
	Fold(replica ReplicaID) S
}

func (c *counts) foldable(replica ReplicaID) bool {
	lineage, start, ok := replica.Lineage()
	return ok && slices.ContainsFunc(c.list, func(share count) bool { return share.replica.precedes(lineage, start) })
}

// fold adds what the earlier replicas of the lineage have counted to replica's
// share, which stands for all of them from then on.
func (c *counts) fold(replica ReplicaID) counts {
	if !c.foldable(replica) {
		return counts{}
	}
	lineage, start, _ := replica.Lineage()
	var up, down uint64
	for _, share := range c.list {
		if share.replica.precedes(lineage, start) {
			raise(&up, share.up)
			raise(&down, share.down)
		}
	}
	mine := c.of(replica)
	raise(&mine.up, up)
	raise(&mine.down, down)
	mine.whole = true
	c.supersede()
	return c.share(replica)
}

// superseded reports whether a later, whole share stands for replica's.
func (c *counts) superseded(replica ReplicaID) bool {
	return slices.ContainsFunc(c.list, func(share count) bool { return share.whole && replica.Before(share.replica) })
}

// supersede drops the shares that whole ones stand for, and reports whether
// there were any.
func (c *counts) supersede() bool {
	before := len(c.list)
	kept := make([]count, 0, before)
	for _, share := range c.list {
		if !c.superseded(share.replica) {
			kept = append(kept, share)
		}
	}
	c.list, c.last = kept, 0
	return len(kept) != before
}

// someWhole reports whether any share stands for earlier ones.
func (c *counts) someWhole() bool {
	return slices.ContainsFunc(c.list, func(share count) bool { return share.whole })
}

// Foldable implements [Folder].
func (c *GCounter) Foldable(replica ReplicaID) bool { return c.counts.foldable(replica) }

// Fold implements [Folder].
func (c *GCounter) Fold(replica ReplicaID) *GCounter {
	return &GCounter{counts: c.counts.fold(replica)}
}

// Foldable implements [Folder].
func (c *PNCounter) Foldable(replica ReplicaID) bool { return c.counts.foldable(replica) }

// Fold implements [Folder].
func (c *PNCounter) Fold(replica ReplicaID) *PNCounter {
	return &PNCounter{counts: c.counts.fold(replica)}
}
