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
	// whole says that the share has in it all that earlier replicas of the
	// lineage have counted; see [Folder].
	whole bool
}

// version grows by at least one with every update of the share.
func (c count) version() uint64 { return c.up + c.down }

// counts is the state of the counters. Invariants: sorted by replica; up and
// down at most maxCount and not both 0; no share of a replica of whose lineage
// there is a later, whole one.
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
	replica.mustBeAlive()
	return c.entry(replica)
}

// entry is of, for the past too.
func (c *counts) entry(replica ReplicaID) *count {
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
			if !c.superseded(theirs.replica) {
				c.list = slices.Insert(c.list, i, theirs)
				changed = true
			}
			continue
		}
		if c.list[i].join(theirs) {
			changed = true
		}
	}
	if changed && other.someWhole() {
		c.supersede()
	}
	return changed
}

// join takes the further of two versions and reports whether that changed c.
func (c *count) join(theirs count) bool {
	if theirs.up <= c.up && theirs.down <= c.down && (c.whole || !theirs.whole) {
		return false
	}
	c.up, c.down = max(c.up, theirs.up), max(c.down, theirs.down)
	c.whole = c.whole || theirs.whole
	return true
}

func (c *counts) clone() counts { return counts{list: slices.Clone(c.list)} }

func (c *counts) equal(other *counts) bool { return slices.Equal(c.list, other.list) }

// digest says how far each share has come. A replica's share passes through
// one chain of versions, so the version alone names it; the past does not.
func (c *counts) digest() *Digest {
	d := new(Digest)
	for _, share := range c.list {
		seqs := spans{{1, share.version()}}
		if share.replica == past {
			seqs = share.halves()
		}
		d.seen.known = append(d.seen.known, known{replica: share.replica, seqs: seqs})
	}
	return d
}

func (c *counts) since(d *Digest) counts {
	var missing counts
	for _, share := range c.list {
		seqs := spans{{share.version(), share.version()}}
		if share.replica == past {
			seqs = share.halves()
		}
		if len(seqs.minus(d.context().seqs(share.replica))) > 0 && !d.context().superseded(share.replica) {
			missing.list = append(missing.list, share)
		}
	}
	return missing
}

// append writes the kind, small if there are whole shares, and the shares, with
// their down half only if signed.
func (c *counts) append(kind, folded string, signed bool) []byte {
	whole := c.someWhole()
	if whole {
		kind = folded
	}
	b := binary.AppendUvarint([]byte(kind), uint64(len(c.list)))
	for _, share := range c.list {
		b = appendString(b, share.replica)
		b = binary.AppendUvarint(b, share.up)
		if signed {
			b = binary.AppendUvarint(b, share.down)
		}
		if whole {
			b = append(b, flag(share.whole))
		}
	}
	return b
}

func flag(set bool) byte {
	if set {
		return 1
	}
	return 0
}

// counts takes what append wrote.
func (r *reader) counts(kind, folded string, signed bool) counts {
	whole := len(r.rest) > 0 && r.rest[0] == folded[0]
	if whole {
		kind = folded
	}
	r.kinds(kind)
	n := r.count(3) // id of one byte and one number
	var c counts
	if n > 0 {
		c.list = make([]count, 0, n)
	}
	for i := range n {
		share := r.share(signed, whole)
		if i > 0 && r.err == nil {
			ascending(r, i, c.list[i-1].replica, share.replica)
		}
		if r.err != nil {
			return counts{}
		}
		c.list = append(c.list, share)
	}
	if whole && (!c.someWhole() || c.supersede()) {
		r.fail("shares that are not as whole as they say")
		return counts{}
	}
	return c
}

// share takes one share of counts.
func (r *reader) share(signed, whole bool) count {
	share := count{replica: r.replica(), up: r.upTo(maxCount)}
	if signed {
		share.down = r.upTo(maxCount)
	}
	if whole {
		share.whole = r.upTo(1) == 1
	}
	if share.version() == 0 {
		r.fail("replica that counted nothing")
	}
	if _, _, ok := share.replica.Lineage(); share.whole && !ok {
		r.fail("replica without a lineage that is whole")
	}
	return share
}
