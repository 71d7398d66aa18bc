package plumtree

import (
	"cmp"
	"slices"
	"time"
)

// kept is a message that is retained: to be announced, grafted and repaired.
type kept struct {
	from    *origin
	seq     uint64
	round   int       // in which this node has it
	parent  *peer     // who has sent it; nil if that was no neighbor, or this node
	born    time.Time // when it was broadcast
	payload []byte
	evicted bool // it is retained no more; announcements may still point here
	alone   bool // it is this node's own, broadcast when there was no neighbor
}

// block is some of them, allocated at once: they come and go in about the same order. What
// is evicted stays allocated as long as another of its block is kept: with those that a peer
// makes expire by turns, seven times what is kept, without payloads. With seven it fits a
// size of the heap's.
type block struct {
	used int
	all  [7]kept
}

// keep returns where k is.
func (c *Core) keep(k kept) *kept {
	b := c.block
	if b == nil || b.used == len(b.all) {
		b = new(block)
		c.block = b
	}
	b.all[b.used] = k
	b.used++
	return &b.all[b.used-1]
}

func (k *kept) id() ID { return ID{k.from.node, k.seq} }

// gossip returns what a neighbor is sent of k.
func (k *kept) gossip(now time.Time) Gossip {
	return Gossip{ID: k.id(), Round: k.round + 1, Age: now.Sub(k.born), Payload: k.payload}
}

func (o *origin) findKept(seq uint64) (int, bool) {
	return slices.BinarySearchFunc(o.kept, seq, func(k *kept, n uint64) int { return cmp.Compare(k.seq, n) })
}

// retained returns the message, if it is retained.
func (o *origin) retained(seq uint64) *kept {
	if i, ok := o.findKept(seq); ok {
		return o.kept[i]
	}
	return nil
}

// above returns what is retained of numbers above low.
func (o *origin) above(low uint64) []*kept {
	if n := len(o.kept); n == 0 || o.kept[n-1].seq <= low {
		return nil
	}
	i, _ := o.findKept(low + 1)
	return o.kept[i:]
}

// retain keeps k until it is too old, or there are too many, or they are too
// large: then the oldest go first, which may be k.
func (c *Core) retain(k *kept) {
	i := len(c.cache)
	for i > 0 && c.cache[i-1].born.After(k.born) {
		i--
	}
	c.cache = slices.Insert(c.cache, i, k)
	i, _ = k.from.findKept(k.seq)
	k.from.kept = slices.Insert(k.from.kept, i, k)
	c.bytes += len(k.payload)
	for len(c.cache) > c.cfg.MaxRetained || c.bytes > c.cfg.MaxBytes {
		c.evict(c.cache[0])
	}
}

// expire evicts what is too old.
func (c *Core) expire(now time.Time) {
	for len(c.cache) > 0 && now.Sub(c.cache[0].born) >= c.cfg.Retain {
		c.evict(c.cache[0])
	}
	if len(c.cache) == 0 {
		c.block = nil
	}
}

func (c *Core) evict(k *kept) {
	k.evicted = true
	c.bytes -= len(k.payload)
	k.payload = nil
	i, _ := slices.BinarySearchFunc(c.cache, k.born, func(k *kept, t time.Time) int { return k.born.Compare(t) })
	for c.cache[i] != k {
		i++
	}
	c.cache = without(c.cache, i)
	i, _ = k.from.findKept(k.seq)
	k.from.kept = without(k.from.kept, i)
}

// without returns list without the i-th. It is mostly the first, for which the others
// need not be moved.
func without(list []*kept, i int) []*kept {
	if i == 0 {
		list[0] = nil
		list = list[1:]
	} else {
		list = slices.Delete(list, i, i+1)
	}
	if len(list) == 0 {
		return nil
	}
	return list
}
