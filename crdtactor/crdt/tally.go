package crdt

// Tally is a counter that can be removed: the value of an [ORMap] whose values
// count, and what a [Cart] has for each item. Reset removes exactly the
// additions it has seen; an addition made elsewhere at the same time stays,
// whole and alone.
//
// A replica's additions form a run that is born with a dot and carries its
// total, so the state has one entry a replica, however many additions there
// were. Resetting kills the replica's own run; in the runs of others it marks
// how far it has seen them. Those marks are kept until the run's owner, the
// only one who knows that nothing of the run is still under way, lets go of it
// at its next change of the same state, or in [Tally.Compact].
//
// Outside a map a [PNCounter] is smaller unless Reset is needed. The zero Tally
// is 0 and ready to use; it must not be copied after first use. See [State] for
// concurrency and ownership, and [Digester] for anti-entropy.
//
// The simpler way, to give a replica's whole total a new dot with every addition
// and let Reset kill the dots it saw, is not sound: a Reset that runs against an
// addition loses to all of the total, and what was removed comes back. The run
// and its marks are there to prevent that.
type Tally struct {
	causal
}

// Add counts n, which may be negative, for replica, and returns the delta. The
// delta carries the replica's run so far, so a later one makes up for earlier
// ones that were lost. Adding 0 changes nothing; its delta is zero.
func (t *Tally) Add(replica ReplicaID, n int64) (delta *Tally) {
	replica.mustBeNamed()
	if n == 0 {
		return new(Tally)
	}
	t.open()
	delta = &Tally{fresh()}
	t.sweep(replica, &delta.causal)
	own := t.own(replica)
	if own != nil && own.fits(n) {
		own.adds++
		own.total += n // it was not spent and is not now: the index is right
		delta.bear(delta.root, *own)
	} else {
		first := birth{t.book.seen.Next(replica), run{adds: 1, total: n}}
		t.bear(t.root, first)
		delta.bear(delta.root, first)
	}
	return delta
}

// own returns the run replica is in, or nil. After a sweep it is not spent.
func (t *Tally) own(replica ReplicaID) *birth {
	for i := len(t.root.births) - 1; i >= 0; i-- {
		if b := &t.root.births[i]; b.Replica == replica {
			return b
		}
	}
	return nil
}

// Reset removes, on behalf of replica, every addition seen so far and returns
// the delta; it is zero if that changed nothing.
func (t *Tally) Reset(replica ReplicaID) (delta *Tally) {
	replica.mustBeNamed()
	delta = &Tally{fresh()}
	if t.book != nil {
		t.sweep(replica, &delta.causal)
		t.clear(t.root, replica, &delta.causal, delta.root)
	}
	return delta
}

// Value returns the count, or the nearest int64 if it does not fit.
func (t *Tally) Value() int64 { return t.tree().value() }

// value returns the sum of the runs that live in n.
func (n *node) value() int64 {
	var total sum
	for i := range n.births {
		n.births[i].addTo(&total)
	}
	return total.int64()
}

// Compact implements [Compactor].
func (t *Tally) Compact(replica ReplicaID) *Tally { return &Tally{t.compact(replica)} }

// Join implements [State].
func (t *Tally) Join(other *Tally) bool { return other != nil && t.join(&other.causal) }

// Clone implements [State].
func (t *Tally) Clone() *Tally { return &Tally{t.clone()} }

// Equal implements [State].
func (t *Tally) Equal(other *Tally) bool { return t.equal(&other.causal) }

// DeltaSince implements [Digester].
func (t *Tally) DeltaSince(d *Digest) *Tally { return &Tally{t.since(d)} }

// Foldable implements [Folder].
func (t *Tally) Foldable(replica ReplicaID) bool { return t.foldable(replica) }

// Fold implements [Folder].
func (t *Tally) Fold(replica ReplicaID) *Tally { return &Tally{t.fold(replica)} }

// MarshalBinary implements [State].
func (t *Tally) MarshalBinary() ([]byte, error) { return t.encode(t.shape()), nil }

// UnmarshalBinary implements [State].
func (t *Tally) UnmarshalBinary(data []byte) error { return t.decode(data, t.shape()) }

func (*Tally) shape() shape         { return shape{kinds: kindTally, runs: true} }
func (*Tally) nest(c causal) *Tally { return &Tally{c} }

func (t *Tally) core() *causal {
	if t == nil {
		return nil
	}
	return &t.causal
}
