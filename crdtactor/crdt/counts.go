package crdt

import (
	"encoding/binary"
	"slices"
	"sort"
)

// maxCount is the most a replica can count in one direction. Both directions
// together make a sequence number; see [counts.digest].
const maxCount = maxSeq / 2

// count is one replica's share of a counter: all it has ever added and all it
// has ever taken. Only the replica itself raises them, and they never fall, so
// the greater one is always the newer one.
type count struct {
	replica  ReplicaID
	up, down uint64
}

// version grows by at least one with every update of the share.
func (c count) version() uint64 { return c.up + c.down }

// counts is the state of the counters. Invariants: sorted by replica; up and
// down at most maxCount and not both 0.
type counts struct {
	list []count
	last int // where the replica changed last stands: most often the owner's
}

// of returns the share of replica, putting an empty one in place if it has
// none; the caller must raise it at once.
func (c *counts) of(replica ReplicaID) *count {
	if c.last < len(c.list) && c.list[c.last].replica == replica {
		return &c.list[c.last]
	}
	replica.mustBeNamed()
	i := sort.Search(len(c.list), func(i int) bool { return c.list[i].replica >= replica })
	if i == len(c.list) || c.list[i].replica != replica {
		c.list = slices.Insert(c.list, i, count{replica: replica})
	}
	c.last = i
	return &c.list[i]
}

// raise adds n to *total, stopping at maxCount.
func raise(total *uint64, n uint64) {
	*total += min(n, maxCount-*total)
}

// share returns a delta with everything replica has counted.
func (c *counts) share(replica ReplicaID) counts {
	for i := range c.list {
		if c.list[i].replica == replica {
			return counts{list: []count{c.list[i]}}
		}
	}
	return counts{}
}

func (c *counts) join(other *counts) bool {
	changed := false
	i := 0
	for _, theirs := range other.list {
		for i < len(c.list) && c.list[i].replica < theirs.replica {
			i++
		}
		if i == len(c.list) || c.list[i].replica != theirs.replica {
			c.list = slices.Insert(c.list, i, theirs)
			changed = true
			continue
		}
		mine := &c.list[i]
		if theirs.up > mine.up || theirs.down > mine.down {
			mine.up, mine.down = max(mine.up, theirs.up), max(mine.down, theirs.down)
			changed = true
		}
	}
	return changed
}

func (c *counts) clone() counts { return counts{list: slices.Clone(c.list)} }

func (c *counts) equal(other *counts) bool { return slices.Equal(c.list, other.list) }

// digest says how far each share has come. A replica's share passes through
// one chain of versions, so the version alone names it.
func (c *counts) digest() *Digest {
	d := new(Digest)
	for _, share := range c.list {
		d.seen.known = append(d.seen.known, known{share.replica, spans{{1, share.version()}}})
	}
	return d
}

func (c *counts) since(d *Digest) counts {
	var missing counts
	for _, share := range c.list {
		if !d.context().Contains(Dot{share.replica, share.version()}) {
			missing.list = append(missing.list, share)
		}
	}
	return missing
}

// append writes the shares, with their down half only if signed.
func (c *counts) append(b []byte, signed bool) []byte {
	b = binary.AppendUvarint(b, uint64(len(c.list)))
	for _, share := range c.list {
		b = appendString(b, share.replica)
		b = binary.AppendUvarint(b, share.up)
		if signed {
			b = binary.AppendUvarint(b, share.down)
		}
	}
	return b
}

func (r *reader) counts(signed bool) counts {
	n := r.count(3) // id of one byte and one number
	var c counts
	if n > 0 {
		c.list = make([]count, 0, n)
	}
	for i := range n {
		share := count{replica: r.replica(), up: r.upTo(maxCount)}
		if signed {
			share.down = r.upTo(maxCount)
		}
		if share.version() == 0 {
			r.fail("replica that counted nothing")
		}
		if i > 0 && r.err == nil {
			ascending(r, i, c.list[i-1].replica, share.replica)
		}
		if r.err != nil {
			return counts{}
		}
		c.list = append(c.list, share)
	}
	return c
}
