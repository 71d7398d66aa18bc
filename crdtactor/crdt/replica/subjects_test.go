package replica_test

import (
	"encoding/binary"
	"fmt"
	"iter"
	"math/rand/v2"

	"github.com/topos-go/topos/crdtactor/crdt"
)

// ledger is a counter and the set of what it has counted. Each delta has all of
// its replica, so that the two agree in every state, whatever is lost: but for
// what the counter drops of a replica that was folded.
type ledger struct {
	count crdt.PNCounter
	made  crdt.GSet
}

func (l *ledger) Join(o *ledger) bool {
	a, b := l.count.Join(&o.count), l.made.Join(&o.made)
	return a || b
}
func (l *ledger) Clone() *ledger                   { return &ledger{*l.count.Clone(), *l.made.Clone()} }
func (l *ledger) Equal(o *ledger) bool             { return l.count.Equal(&o.count) && l.made.Equal(&o.made) }
func (l *ledger) IsZero() bool                     { return l.count.IsZero() && l.made.IsZero() }
func (l *ledger) Lives() iter.Seq2[string, uint64] { return l.count.Lives() }
func (l *ledger) Settle(lost func(string, uint64) bool) *ledger {
	return &ledger{count: *l.count.Settle(lost)}
}
func (l *ledger) Strip(lost func(string, uint64) bool) bool { return l.count.Strip(lost) }
func (l *ledger) Foldable(me crdt.ReplicaID) bool           { return l.count.Foldable(me) }

// Fold says what was folded and what is me's own, too: whoever hears of the count
// must know of what, though the delta before was lost.
func (l *ledger) Fold(me crdt.ReplicaID) *ledger {
	delta := &ledger{count: *l.count.Fold(me)}
	for e := range l.made.All() {
		if by(e) == string(me) || crdt.ReplicaID(by(e)).Before(me) {
			delta.made.Add(e)
		}
	}
	return delta
}

func (l *ledger) MarshalBinary() ([]byte, error) {
	a, _ := l.count.MarshalBinary()
	b, err := l.made.MarshalBinary()
	return append(append(binary.AppendUvarint(nil, uint64(len(a))), a...), b...), err
}

func (l *ledger) UnmarshalBinary(data []byte) error {
	n, k := binary.Uvarint(data)
	if k <= 0 || n > uint64(len(data)-k) {
		return crdt.ErrMalformed
	}
	if err := l.count.UnmarshalBinary(data[k : k+int(n)]); err != nil {
		return err
	}
	return l.made.UnmarshalBinary(data[k+int(n):])
}

func ledgers() subject[*ledger] {
	elements := func(l *ledger) (list []string) {
		for e := range l.made.All() {
			list = append(list, e[:len(e)-len(by(e))-1])
		}
		return list
	}
	return subject[*ledger]{
		fresh: func() *ledger { return new(ledger) },
		make: func(l *ledger, me crdt.ReplicaID, element string) *ledger {
			delta := &ledger{count: *l.count.Add(me, 1)}
			l.made.Add(element + " " + string(me))
			for e := range l.made.All() {
				if by(e) == string(me) || !l.Foldable(me) && crdt.ReplicaID(by(e)).Before(me) {
					delta.made.Add(e)
				}
			}
			return delta
		},
		has: elements,
		check: func(l *ledger, doubtful map[string]bool) error {
			sure := 0
			for _, e := range elements(l) {
				if !doubtful[e] {
					sure++
				}
			}
			if v := l.count.Value(); v < int64(sure) || v > int64(l.made.Len()) {
				return fmt.Errorf("the counter shows %d of %d made, %d of them certainly", v, l.made.Len(), sure)
			}
			return nil
		},
	}
}

// by returns who made an element of a ledger.
func by(e string) string {
	for i := range len(e) {
		if e[i] == ' ' {
			return e[i+1:]
		}
	}
	return ""
}

func carts() subject[*crdt.Cart] {
	items := func(c *crdt.Cart) (list []string) {
		for item := range c.All() {
			list = append(list, item)
		}
		return list
	}
	return subject[*crdt.Cart]{
		fresh: func() *crdt.Cart { return new(crdt.Cart) },
		make:  func(c *crdt.Cart, me crdt.ReplicaID, item string) *crdt.Cart { return c.Add(me, item, 1) },
		lose: func(r *rand.Rand, c *crdt.Cart, me crdt.ReplicaID) (*crdt.Cart, string) {
			all := items(c)
			if len(all) == 0 {
				return new(crdt.Cart), ""
			}
			item := all[r.IntN(len(all))]
			return c.Remove(me, item), item
		},
		has: items,
		check: func(c *crdt.Cart, _ map[string]bool) error {
			for item, n := range c.All() {
				if n != 1 {
					return fmt.Errorf("%d of %s, which was added once", n, item)
				}
			}
			return nil
		},
	}
}
