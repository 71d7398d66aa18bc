package mesh

import (
	"slices"
	"sync/atomic"
)

// tally has the numbers of calls under way at a pool's instances. They stand side
// by side, so that the least of many is found by one walk over little memory. It
// is the pool's; what seats count is atomic.
//
// A seat outlives its instance: another one takes it over, if need be with what is
// still under way at the former, which may go on when it serves no more. Each call
// takes back what it has added.
type tally struct {
	blocks []*block
	free   []seat // the last one at which nothing is under way is taken next
}

// block is eight cache lines of counts.
type block [64]atomic.Int64

// seat is one count.
type seat struct {
	block *block
	at    int
}

// take returns a seat that nobody has.
func (t *tally) take() seat {
	if len(t.free) == 0 {
		b := new(block)
		t.blocks = append(t.blocks, b)
		for at := len(b) - 1; at >= 0; at-- {
			t.free = append(t.free, seat{b, at})
		}
	}
	at := len(t.free) - 1
	for i, s := range slices.Backward(t.free) {
		if s.count().Load() == 0 {
			at = i
			break
		}
	}
	s := t.free[at]
	t.free = slices.Delete(t.free, at, at+1)
	return s
}

// give gives a seat back.
func (t *tally) give(s seat) { t.free = append(t.free, s) }

func (s seat) count() *atomic.Int64 { return &s.block[s.at] }

// rows returns the counts of the instances, those that are neighbors together.
func rows(instances []*instance) [][]atomic.Int64 {
	taken := make(map[*block]*[len(block{})]bool)
	var order []*block
	for _, in := range instances {
		if taken[in.seat.block] == nil {
			taken[in.seat.block] = new([len(block{})]bool)
			order = append(order, in.seat.block)
		}
		taken[in.seat.block][in.seat.at] = true
	}
	var rows [][]atomic.Int64
	for _, b := range order {
		for from := 0; from < len(b); from++ {
			to := from
			for to < len(b) && taken[b][to] {
				to++
			}
			if to > from {
				rows = append(rows, b[from:to])
				from = to
			}
		}
	}
	return rows
}

// fewest is the least count of a row. Four at a time do not wait for each other.
func fewest(row []atomic.Int64, least int64) int64 {
	a, b, c, d := least, least, least, least
	for len(row) >= 4 {
		a, b = min(a, row[0].Load()), min(b, row[1].Load())
		c, d = min(c, row[2].Load()), min(d, row[3].Load())
		row = row[4:]
	}
	for i := range row {
		a = min(a, row[i].Load())
	}
	return min(a, b, c, d)
}
