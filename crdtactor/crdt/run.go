package crdt

import "math"

// run is one replica's unbroken run of additions to one counter. It carries
// the run's total rather than its additions, so its size does not grow, and it
// carries which part of the total has been removed.
//
// Only the replica itself advances adds and total, together. Anyone may remove:
// that copies the run as far as he has seen it to gone and lost. Joining takes
// the further of each pair, so of two removals the one that saw more stands,
// and additions a removal did not see stay.
//
// Invariant: gone <= adds. The zero run stands for a dot that counts nothing.
type run struct {
	adds  uint64 // additions in the run: the version of total
	total int64  // their sum
	gone  uint64 // additions removed, always the first ones of the run
	lost  int64  // their sum
}

// join takes the further of each pair and reports whether that changed r. Two
// different totals for one number of additions come only of a [ReplicaID] used
// twice; taking the greater keeps the replicas equal.
func (r *run) join(other run) bool {
	before := *r
	if other.adds > r.adds || (other.adds == r.adds && other.total > r.total) {
		r.adds, r.total = other.adds, other.total
	}
	if other.gone > r.gone || (other.gone == r.gone && other.lost > r.lost) {
		r.gone, r.lost = other.gone, other.lost
	}
	return *r != before
}

// plain reports whether the dot counts nothing.
func (r *run) plain() bool { return r.adds == 0 }

// spent reports whether every addition has been removed.
func (r *run) spent() bool { return r.adds > 0 && r.gone == r.adds }

// cancel removes every addition.
func (r *run) cancel() { r.gone, r.lost = r.adds, r.total }

// addTo adds what is left of the run to s.
func (r *run) addTo(s *sum) {
	if !r.spent() {
		s.add(r.total)
		s.sub(r.lost)
	}
}

// fits reports whether the run can take n more without overflow. If not, the
// replica begins another run.
func (r *run) fits(n int64) bool {
	if r.adds == maxSeq {
		return false
	}
	if n >= 0 {
		return r.total <= math.MaxInt64-n
	}
	return r.total >= math.MinInt64-n
}
