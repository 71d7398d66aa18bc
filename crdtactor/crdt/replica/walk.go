package replica

import "github.com/topos-go/topos/crdtactor/crdt"

// walk goes through all keys, some at a time: a hundred thousand counters take
// longer than anybody should wait. Those that are not in the tree when it begins
// are not met.
type walk struct{ leaf uint64 }

// walkOn visits the next keys, and reports whether there are no more.
func (c *Core[S]) walkOn(w *walk, visit func(*entry[S])) bool {
	for left := c.cfg.AtOnce; w.leaf < fanOut*fanOut; {
		if _, ok := c.tree.tops[w.leaf/fanOut]; !ok {
			w.leaf += fanOut - w.leaf%fanOut
			continue
		}
		if left <= 0 {
			return false
		}
		for _, e := range c.tree.in(w.leaf) {
			visit(e)
			left--
		}
		w.leaf++
	}
	return true
}

// moves is what has become settled and is being moved into the past. That takes
// several steps, but nobody sees it: a state is moved at the latest when it is
// looked at, and while there are states left, nothing is compared and no Batch is
// begun, so that a disk has all of them or none.
type moves struct {
	list  []move
	begun uint64 // how many there ever were; the last of them are in list
	walk  walk
}

// move is one settlement.
type move struct {
	own     string
	dropped uint64 // the replicas of own that are dropped started before
	bound   func(node string) (uint64, bool)
}

func (m *move) settled(lineage string, start uint64) bool {
	n, _ := m.bound(lineage)
	return start < n
}

func (m *move) drops(lineage string, start uint64) bool {
	return start < m.dropped && lineage == m.own
}

func (m *moves) begin(next move) {
	m.list = append(m.list, next)
	m.begun++
	m.walk = walk{}
}

func (m *moves) busy() bool { return len(m.list) > 0 }

// catchUp moves what is to be moved in e.
func (c *Core[S]) catchUp(e *entry[S]) {
	if e.moved == c.moves.begun {
		return
	}
	s := any(e.state).(crdt.Settler[S])
	// What is behind by more than there is in the list is behind by all of it.
	behind := min(int(c.moves.begun-e.moved), len(c.moves.list))
	e.moved = c.moves.begun
	for _, m := range c.moves.list[len(c.moves.list)-behind:] {
		if m.dropped > 0 && s.Strip(m.drops) {
			c.touch(e)
			c.note(e)
		}
		if delta := s.Settle(m.settled); !isZero(delta) {
			c.touch(e)
			if c.cfg.Durable {
				c.saving.add(e.key, delta)
			}
		}
	}
}

// Busy reports whether there is something to do for [Core.Work], or another part
// of a [Batch] to be taken.
func (c *Core[S]) Busy() bool { return c.moves.busy() || c.saving.open }

// Work goes on with what takes many steps, by one. While it is needed, it should
// be called as often as other calls allow; Tick calls it too.
func (c *Core[S]) Work() {
	if c.moves.busy() {
		if c.walkOn(&c.moves.walk, c.catchUp) {
			c.moves.list = nil
		}
		c.sums()
	}
}
