package crdt

// PNCounter is a counter that goes up and down. Each replica keeps its own
// totals of what it added and what it took; the value is the sum over all
// replicas. Joining takes the greater of two totals of one replica and never
// adds them, which is why an update heard twice counts once.
//
// The state has one entry for each replica that ever counted, however many
// updates there were. The zero PNCounter is 0 and ready to use; it must not be
// copied after first use. See [State] for concurrency and ownership, and
// [Digester] for anti-entropy.
//
// A replica can add and take at most 2^61-1 in total each; what goes
// beyond is not counted.
//
// It is the PN-counter of Shapiro, Preguiça, Baquero and Zawirski, "A
// comprehensive study of convergent and commutative replicated data types"
// (2011), with deltas as in Almeida et al. (2018).
type PNCounter struct {
	counts counts
	spare  *PNCounter // a delta that was given back
}

// Add counts n, which may be negative, for replica, and returns the delta. The
// delta carries everything replica has counted so far, so a later one makes up
// for earlier ones that were lost. Adding 0 changes nothing; its delta is zero.
func (c *PNCounter) Add(replica ReplicaID, n int64) (delta *PNCounter) {
	if n == 0 {
		return new(PNCounter)
	}
	share := c.raise(replica, n)
	if one := c.spare; one != nil {
		c.spare = nil
		one.counts.list = append(one.counts.list, *share)
		return one
	}
	one := &ownPNCounter{share: [1]count{*share}}
	one.counts.list = one.share[:]
	return &one.PNCounter
}

// ownPNCounter is a counter that one replica has counted in, in one piece of
// memory: there is one for each update.
type ownPNCounter struct {
	PNCounter
	share [1]count
}

// Reuse gives back a delta that [PNCounter.Add] has made and that nobody will use
// any more: it is zero afterwards, and the next Add may make its own of it. To
// make one anew takes longer than to count.
func (c *PNCounter) Reuse(delta *PNCounter) {
	if delta != nil && delta != c && cap(delta.counts.list) == 1 {
		clear(delta.counts.list)
		*delta = PNCounter{counts: counts{list: delta.counts.list[:0]}}
		c.spare = delta
	}
}

// Accumulate counts like [PNCounter.Add] and makes no delta: it allocates
// nothing once the replica has an entry. [PNCounter.Share] makes one delta for
// any number of updates afterwards.
func (c *PNCounter) Accumulate(replica ReplicaID, n int64) {
	if n != 0 {
		c.raise(replica, n)
	}
}

func (c *PNCounter) raise(replica ReplicaID, n int64) *count {
	share := c.counts.of(replica)
	if n > 0 {
		raise(&share.up, uint64(n))
	} else {
		raise(&share.down, magnitude(n))
	}
	return share
}

// Share returns a delta with everything replica has counted so far; zero when
// it has not counted.
func (c *PNCounter) Share(replica ReplicaID) *PNCounter {
	return &PNCounter{counts: c.counts.share(replica)}
}

// Value returns the count, or the nearest int64 if it does not fit.
func (c *PNCounter) Value() int64 {
	var total sum
	for i := range c.counts.list {
		total.addUnsigned(c.counts.list[i].up)
		total.subUnsigned(c.counts.list[i].down)
	}
	return total.int64()
}

// IsZero reports whether nobody has counted: such a delta need not be sent.
func (c *PNCounter) IsZero() bool { return len(c.counts.list) == 0 }

// Join implements [State].
func (c *PNCounter) Join(other *PNCounter) bool {
	return other != nil && c.counts.join(&other.counts)
}

// Clone implements [State].
func (c *PNCounter) Clone() *PNCounter { return &PNCounter{counts: c.counts.clone()} }

// Equal implements [State].
func (c *PNCounter) Equal(other *PNCounter) bool { return c.counts.equal(&other.counts) }

// Digest implements [Digester].
func (c *PNCounter) Digest() *Digest { return c.counts.digest() }

// DeltaSince implements [Digester].
func (c *PNCounter) DeltaSince(d *Digest) *PNCounter { return &PNCounter{counts: c.counts.since(d)} }

// MarshalBinary implements [State].
func (c *PNCounter) MarshalBinary() ([]byte, error) {
	return c.counts.append(kindPNCounter, kindFoldedPNCounter, true), nil
}

// UnmarshalBinary implements [State].
func (c *PNCounter) UnmarshalBinary(data []byte) error {
	r := reader{rest: data}
	decoded := r.counts(kindPNCounter, kindFoldedPNCounter, true)
	if err := r.end(); err != nil {
		return err
	}
	c.counts = decoded
	return nil
}
