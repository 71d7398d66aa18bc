package directory

// Message is what one [Core] sends to another: [Ask], [Answer] or [Tell].
type Message interface{ message() }

// Ask compares directories, and brings what the receiver is known to lack. Each
// is answered.
type Ask struct {
	// ID is repeated in the answer.
	ID uint64
	// Sums are of ranges that may differ, 64 at most.
	Sums []Sum
	// Facts and Values are to be merged, Config.MaxFacts and all registers at
	// most.
	Facts  []Fact
	Values []Register
	// Registers is the sum of all registers.
	Registers uint64
}

// Sum says what the facts of a range add up to, and how many there are. If it
// is equal on two nodes, so are the facts, with a chance of 2^-64 for an error.
type Sum struct {
	Range Range
	Sum   uint64
	Count int
}

// Answer answers an [Ask].
type Answer struct {
	ID uint64
	// Done is how many of the Sums have been dealt with: what did not fit in
	// is to be asked for again.
	Done int
	// Parts are the ranges that differ.
	Parts []Part
	// Registers is the sum of all registers, Values are they, if they differ.
	Registers uint64
	Values    []Register
}

// Part is one range that differs: either its parts, 16, or all facts of it.
type Part struct {
	Range Range
	Sums  []Sum
	Facts []Fact
}

// Tell says some facts, to be merged: to a node that does not know of its own
// obituary, or that this node leaves. Obituaries of others, and introductions of newcomers,
// for all to be told, are for whoever drives the core.
type Tell struct{ Facts []Fact }

func (Ask) message()    {}
func (Answer) message() {}
func (Tell) message()   {}
