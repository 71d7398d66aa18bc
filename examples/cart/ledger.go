package main

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
)

// line is one item in one cart.
type line struct {
	Cart string
	Item string
}

// ledger is what the writers know of their writes: the truth that the carts
// are held against.
type ledger struct {
	acked   map[line]int64 // acknowledged, and so in two nodes' copies
	unknown map[line]int64 // attempted without an answer: may be there or not
	writes  int
	errors  int
}

func newLedger() *ledger {
	return &ledger{acked: make(map[line]int64), unknown: make(map[line]int64)}
}

func (l *ledger) record(e event) {
	if e.Acked {
		l.acked[e.line()] += e.Quantity
		l.writes++
	} else {
		l.unknown[e.line()] += e.Quantity
		l.errors++
	}
}

// carts is one node's view: cart, then item, then quantity.
type carts map[string]map[string]int64

// check holds a view against the ledger. Every acknowledged quantity must be
// there, and nothing beyond what was acknowledged or is of unknown outcome.
func (l *ledger) check(view carts) []string {
	var faults []string
	lines := make(map[line]bool)
	for at := range l.acked {
		lines[at] = true
	}
	for cart, items := range view {
		for item := range items {
			lines[line{cart, item}] = true
		}
	}
	for _, at := range slices.SortedFunc(maps.Keys(lines), compareLines) {
		got, least := view[at.Cart][at.Item], l.acked[at]
		if most := least + l.unknown[at]; got < least || got > most {
			faults = append(faults, fmt.Sprintf("%s: %d × %s, but %d acknowledged and at most %d sent", at.Cart, got, at.Item, least, most))
		}
	}
	return faults
}

func compareLines(a, b line) int {
	return cmp.Or(cmp.Compare(a.Cart, b.Cart), cmp.Compare(a.Item, b.Item))
}

func (c carts) equal(d carts) bool {
	return maps.EqualFunc(c, d, func(a, b map[string]int64) bool { return maps.Equal(a, b) })
}

// total is how many pieces lie in one cart, and how many kinds.
func (c carts) total(cart string) (pieces int64, kinds int) {
	for _, n := range c[cart] {
		pieces += n
	}
	return pieces, len(c[cart])
}
