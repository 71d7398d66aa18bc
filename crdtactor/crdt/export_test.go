package crdt

// Invariants returns an error when an invariant of a state is broken.
func Invariants(state any) error {
	switch s := state.(type) {
	case *Cart:
		return s.items.valid(s.shape())
	case *PNCounter:
		return s.counts.valid()
	case *GCounter:
		return s.counts.valid()
	case interface {
		core() *causal
		shape() shape
	}:
		return s.core().valid(s.shape())
	}
	return nil
}
