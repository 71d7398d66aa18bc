package plumtree

import "time"

// tree says which neighbors are lazy: a bit for each slot. The others are eager,
// so that the zero tree floods, and no neighbor is ever both or neither.
type tree struct {
	lazy   []uint64
	mended time.Time // when neighbors were last made eager since one was lost, or all were lazy
}

func (t *tree) isLazy(slot int) bool {
	return slot/64 < len(t.lazy) && t.lazy[slot/64]&(1<<(slot%64)) != 0
}

func (t *tree) makeLazy(slot int) {
	for slot/64 >= len(t.lazy) {
		t.lazy = append(t.lazy, 0)
	}
	t.lazy[slot/64] |= 1 << (slot % 64)
}

func (t *tree) makeEager(slot int) {
	if slot/64 < len(t.lazy) {
		t.lazy[slot/64] &^= 1 << (slot % 64)
	}
}
