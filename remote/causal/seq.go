package causal

import "strconv"

const (
	// countBits leaves 44 bits for the messages of one epoch, 200 days of a
	// million a second to one node, and 20 bits for the epochs, a million
	// obituaries in the life of one incarnation.
	countBits = 44
	maxCount  = 1<<countBits - 1
	// maxEpoch is never sent in, so that there is always a number after an
	// epoch.
	maxEpoch = 1<<(64-countBits) - 1
)

// Seq numbers the messages of one label from one node to one other node. It is
// an epoch and a count: counts grow by one, beginning with 1, and a new epoch
// begins when the sender has buried the receiver in between. Numbers are
// ordered, and a later epoch says that there will be nothing more of the
// earlier ones. The zero Seq is before everything.
type Seq uint64

func makeSeq(epoch, count uint64) Seq { return Seq(epoch<<countBits | count) }

// Epoch returns the sender's version of its view when the numbering began.
func (s Seq) Epoch() uint64 { return uint64(s) >> countBits }

// Count returns the place within the epoch.
func (s Seq) Count() uint64 { return uint64(s) & maxCount }

// String formats s as "epoch.count".
func (s Seq) String() string {
	return strconv.FormatUint(s.Epoch(), 10) + "." + strconv.FormatUint(s.Count(), 10)
}

// numbers reports whether s can be the number of a message.
func (s Seq) numbers() bool { return s.Count() > 0 && s.Epoch() < maxEpoch }

// over returns the number before the first of the next epoch: whoever has
// passed it expects nothing more of s's epoch.
func (s Seq) over() Seq { return makeSeq(min(s.Epoch()+1, maxEpoch), 0) }
