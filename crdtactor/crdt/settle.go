package crdt

import (
	"iter"
	"slices"
)

// Settler is a [State] in which what replicas that will never return have left
// can be put into one entry for all of them, the past, so that a state grows
// with the replicas there are and not with those there ever were. The counters
// are Settlers.
//
// Settling does not change what a state shows. The past has no owner and says
// nothing of whose counts are in it: of two pasts Join takes the greater. So
// states may only be joined if the same replicas are settled in both, and what
// a settled replica has counted must be stripped off whatever is joined later.
// A copy that has missed some of a replica's counts puts less into its past,
// which joining with one that has not makes good. Package replica has the
// protocol that sees to this, and the proof.
//
// Types that can remove are no Settlers. A context without an entry for a replica
// would have to mean that what does not live of it is dead. Of a total a copy may
// lack some, and is made good; a copy that says so and lacks a living dot kills it
// everywhere. There are such copies: a replica that began after all were heard
// out, and an old disk. So a state would have to carry for whom it may speak,
// which is the names; or a number for a set of them, on which all would have to
// agree, even two nodes that settle at the same time. Nor can dots be numbered
// anew in one line: the numbers depend on the order in which nodes are settled.
// What is left of a gone replica is its id and one span in each state that it has
// changed, as long as nothing of it lives, and see [Sweeper].
type Settler[S any] interface {
	// Lives yields the lineage and the start of each replica that has an entry
	// of its own and whose id is made by [Incarnation].
	Lives() iter.Seq2[string, uint64]
	// Settle moves the entries of the replicas that lost says into the past,
	// and returns it as a delta for a disk; zero if there was nothing to move.
	// No other copy may join that delta unless it settles the same.
	Settle(lost func(lineage string, start uint64) bool) S
	// Strip drops the entries of the replicas that lost says, and reports
	// whether there were any.
	Strip(lost func(lineage string, start uint64) bool) bool
}

// past is the id of the share of all replicas that are settled. It is none that
// a replica can have: it has a mark of Incarnation and no start.
const past ReplicaID = "#"

// mustBeAlive panics on the id of the past.
func (r ReplicaID) mustBeAlive() {
	if r == past {
		panic("crdt: ReplicaID " + string(past) + " stands for the past")
	}
}

// halves names a version of the past: its two totals grow each by itself, so
// that no single number does.
func (c count) halves() spans {
	var s spans
	if c.up > 0 {
		s.add(1, c.up)
	}
	if c.down > 0 {
		s.add(maxCount+1, maxCount+c.down)
	}
	return s
}

func (c *counts) lives() iter.Seq2[string, uint64] {
	return func(yield func(string, uint64) bool) {
		for _, share := range c.list {
			if lineage, start, ok := share.replica.Lineage(); ok && !yield(lineage, start) {
				return
			}
		}
	}
}

// strip takes out the shares of the replicas that lost says, and returns their
// totals.
func (c *counts) strip(lost func(string, uint64) bool) (total count) {
	c.list = slices.DeleteFunc(c.list, func(share count) bool {
		lineage, start, ok := share.replica.Lineage()
		if !ok || !lost(lineage, start) {
			return false
		}
		raise(&total.up, share.up)
		raise(&total.down, share.down)
		return true
	})
	return total
}

func (c *counts) settle(lost func(string, uint64) bool) counts {
	total := c.strip(lost)
	if total.version() == 0 {
		return counts{}
	}
	p := c.entry(past)
	raise(&p.up, total.up)
	raise(&p.down, total.down)
	return c.share(past)
}

// Lives implements [Settler].
func (c *GCounter) Lives() iter.Seq2[string, uint64] { return c.counts.lives() }

// Settle implements [Settler].
func (c *GCounter) Settle(lost func(lineage string, start uint64) bool) *GCounter {
	return &GCounter{counts: c.counts.settle(lost)}
}

// Strip implements [Settler].
func (c *GCounter) Strip(lost func(lineage string, start uint64) bool) bool {
	total := c.counts.strip(lost)
	return total.version() > 0
}

// Lives implements [Settler].
func (c *PNCounter) Lives() iter.Seq2[string, uint64] { return c.counts.lives() }

// Settle implements [Settler].
func (c *PNCounter) Settle(lost func(lineage string, start uint64) bool) *PNCounter {
	return &PNCounter{counts: c.counts.settle(lost)}
}

// Strip implements [Settler].
func (c *PNCounter) Strip(lost func(lineage string, start uint64) bool) bool {
	total := c.counts.strip(lost)
	return total.version() > 0
}
