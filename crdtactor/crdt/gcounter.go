package crdt

// GCounter is a counter that only goes up: a [PNCounter] without the second
// half. It suits counts of things that happened.
//
// The state has one entry for each replica that ever counted. The zero
// GCounter is 0 and ready to use; it must not be copied after first use. See
// [State] for concurrency and ownership, and [Digester] for anti-entropy.
//
// A replica can add at most 2^61-1 in total; what goes beyond is not
// counted.
type GCounter struct {
	counts counts
	spare  *GCounter // a delta that was given back
}

// Add counts n for replica and returns the delta, which carries everything
// replica has counted so far. Adding 0 changes nothing; its delta is zero.
func (c *GCounter) Add(replica ReplicaID, n uint64) (delta *GCounter) {
	if n == 0 {
		return new(GCounter)
	}
	share := c.raise(replica, n)
	if one := c.spare; one != nil {
		c.spare = nil
		one.counts.list = append(one.counts.list, *share)
		return one
	}
	one := &ownGCounter{share: [1]count{*share}}
	one.counts.list = one.share[:]
	return &one.GCounter
}

// ownGCounter is a counter that one replica has counted in, in one piece of
// memory: there is one for each update.
type ownGCounter struct {
	GCounter
	share [1]count
}

// Reuse gives back a delta that [GCounter.Add] has made and that nobody will use
// any more: it is zero afterwards, and the next Add may make its own of it. To
// make one anew takes longer than to count.
func (c *GCounter) Reuse(delta *GCounter) {
	if delta != nil && delta != c && cap(delta.counts.list) == 1 {
		clear(delta.counts.list)
		*delta = GCounter{counts: counts{list: delta.counts.list[:0]}}
		c.spare = delta
	}
}

// Accumulate counts like [GCounter.Add] and makes no delta: it allocates
// nothing once the replica has an entry. [GCounter.Share] makes one delta for
// any number of updates afterwards.
func (c *GCounter) Accumulate(replica ReplicaID, n uint64) {
	if n != 0 {
		c.raise(replica, n)
	}
}

func (c *GCounter) raise(replica ReplicaID, n uint64) *count {
	share := c.counts.of(replica)
	raise(&share.up, n)
	return share
}

// Share returns a delta with everything replica has counted so far; zero when
// it has not counted.
func (c *GCounter) Share(replica ReplicaID) *GCounter {
	return &GCounter{counts: c.counts.share(replica)}
}

// Value returns the count, or math.MaxUint64 if it does not fit.
func (c *GCounter) Value() uint64 {
	var total sum
	for i := range c.counts.list {
		total.addUnsigned(c.counts.list[i].up)
	}
	return total.uint64()
}

// IsZero reports whether nobody has counted: such a delta need not be sent.
func (c *GCounter) IsZero() bool { return len(c.counts.list) == 0 }

// Join implements [State].
func (c *GCounter) Join(other *GCounter) bool {
	return other != nil && c.counts.join(&other.counts)
}

// Clone implements [State].
func (c *GCounter) Clone() *GCounter { return &GCounter{counts: c.counts.clone()} }

// Equal implements [State].
func (c *GCounter) Equal(other *GCounter) bool { return c.counts.equal(&other.counts) }

// Digest implements [Digester].
func (c *GCounter) Digest() *Digest { return c.counts.digest() }

// DeltaSince implements [Digester].
func (c *GCounter) DeltaSince(d *Digest) *GCounter { return &GCounter{counts: c.counts.since(d)} }

// MarshalBinary implements [State].
func (c *GCounter) MarshalBinary() ([]byte, error) {
	return c.counts.append(kindGCounter, kindFoldedGCounter, false), nil
}

// UnmarshalBinary implements [State].
func (c *GCounter) UnmarshalBinary(data []byte) error {
	r := reader{rest: data}
	decoded := r.counts(kindGCounter, kindFoldedGCounter, false)
	if err := r.end(); err != nil {
		return err
	}
	c.counts = decoded
	return nil
}
