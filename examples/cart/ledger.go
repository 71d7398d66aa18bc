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
	sent   map[line]int64 // told of before it was sent: may be there
	acked  map[line]int64 // acknowledged, and so in two nodes' copies: must be there
	writes int
	errors int
}

func newLedger() *ledger {
	return &ledger{sent: make(map[line]int64), acked: make(map[line]int64)}
}

func (l *ledger) record(e event) {
	switch {
	case e.Kind == "sending":
		l.sent[e.line()] += e.Quantity
	case e.Acked:
		l.acked[e.line()] += e.Quantity
		l.writes++
	default:
		l.errors++
	}
}

// carts is one node's view: cart, then item, then quantity.
type carts map[string]map[string]int64

// check holds a view against the ledger. Every acknowledged quantity must be
// there, and nothing beyond what was sent.
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
		if most := l.sent[at]; got < least || got > most {
			faults = append(faults, fmt.Sprintf("%s: %d × %s, but %d acknowledged and %d sent", at.Cart, got, at.Item, least, most))
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
