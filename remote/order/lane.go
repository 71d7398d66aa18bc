package order

// Lane is what the sending side knows of one lane. It must be comparable.
type Lane interface {
	// Pushed returns how many frames have been sent over it, or wait to be.
	Pushed() uint64
	// Quiet returns what Pushed was when everything had last been confirmed. It is
	// also called for lanes of other channels than the [Table]'s.
	Quiet() uint64
}

// Standing is how far a lane has to be confirmed for some message to have come.
// The zero Standing is reached.
type Standing struct {
	lane Lane
	mark uint64
}

// Reached reports whether the lane has been confirmed so far.
func (s Standing) Reached() bool { return s.lane == nil || s.lane.Quiet() >= s.mark }

// Home returns the lane that a shard belongs to when there are n: the jump
// consistent hash of Lamping and Veach ("A fast, minimal memory, consistent hash
// algorithm", 2014), so that of n+1 lanes the new one takes its share from all
// others and nothing else moves.
func Home(shard uint32, n int) int {
	key := (uint64(shard) + 1) * 0x9e3779b97f4a7c15
	lane, next := 0, 0
	for next < n {
		lane = next
		key = key*2862933555777941757 + 1
		next = int(float64(lane+1) * (float64(1<<31) / float64((key>>33)+1)))
	}
	return lane
}
