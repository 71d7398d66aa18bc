package order

import "slices"

// Turn is a sequence as it comes over one lane of a stream: S names the stream, a
// channel.
type Turn[S comparable] struct {
	Stream S
	Lane   int
	Seq    uint32
}

// Need is a [Mark] of a stream: so many messages of a sequence must have been
// delivered.
type Need[S comparable] struct {
	Stream S
	Mark
}

// sequence is what a Need is of.
type sequence[S comparable] struct {
	stream S
	seq    uint32
}

// What a condition and each of its needs take of the memory, about.
const (
	conditionSize = 96
	needSize      = 48
)

// Gate holds what has come from a node until what was sent before has been
// delivered, where that is on another lane. What waits of one turn waits in
// order: a message behind the condition before it, and all that comes after it.
//
// Invariants:
//  1. A queue begins with a condition, and is the only one of its turn. It is in
//     fresh, if that has not been looked at, or among those blocked by the
//     sequence of the condition's first need, which was not met.
//  2. bytes is the sum of the sizes of what waits.
type Gate[S comparable, T any] struct {
	byTurn  map[Turn[S]]*queue[S, T]
	blocked map[sequence[S]][]*queue[S, T]
	fresh   []*queue[S, T]
	begun   uint64 // how many queues there have been
	bytes   int
}

type queue[S comparable, T any] struct {
	turn  Turn[S]
	no    uint64
	items []held[S, T]
}

// held is a condition, or a message that was number no of what came over its lane.
type held[S comparable, T any] struct {
	condition bool
	needs     []Need[S]
	item      T
	no        uint64
	size      int
}

// Waiting returns how many turns wait, Bytes how much memory that takes: the sizes
// of the messages, and about that of the conditions.
func (g *Gate[S, T]) Waiting() int { return len(g.byTurn) }

// Bytes returns the memory that is taken.
func (g *Gate[S, T]) Bytes() int { return g.bytes }

// Condition holds the next message of t, and what comes after it, until needs are
// met. The Gate keeps needs. The caller calls [Gate.Release] next: they may be met.
func (g *Gate[S, T]) Condition(t Turn[S], needs []Need[S]) {
	q := g.byTurn[t]
	if q == nil {
		g.begun++
		q = &queue[S, T]{turn: t, no: g.begun}
		if g.byTurn == nil {
			g.byTurn = make(map[Turn[S]]*queue[S, T])
			g.blocked = make(map[sequence[S]][]*queue[S, T])
		}
		g.byTurn[t] = q
		g.fresh = append(g.fresh, q)
	}
	size := conditionSize + needSize*len(needs)
	g.bytes += size
	q.items = append(q.items, held[S, T]{condition: true, needs: needs, size: size})
}

// Hold takes a message of t that must wait, number no of its lane, which takes so
// much memory. It reports false if it need not.
func (g *Gate[S, T]) Hold(t Turn[S], item T, no uint64, size int) bool {
	q := g.byTurn[t]
	if q == nil {
		return false
	}
	g.bytes += size
	q.items = append(q.items, held[S, T]{item: item, no: no, size: size})
	return true
}

// First returns the number of the first message of a lane that waits, 0 if none
// does: those before it have been delivered.
func (g *Gate[S, T]) First(stream S, lane int) (no uint64) {
	for t, q := range g.byTurn {
		if t.Stream != stream || t.Lane != lane {
			continue
		}
		for i := range q.items {
			if h := &q.items[i]; !h.condition {
				if no == 0 || h.no < no {
					no = h.no
				}
				break
			}
		}
	}
	return no
}

// Release calls deliver for what need not wait any more, in its order. deliver has
// to count the message, so that reached then knows of it. Release is called after
// a condition has been added, and, with its sequence, whenever a message has been
// delivered.
func (g *Gate[S, T]) Release(reached func(Need[S]) bool, deliver func(Turn[S], T), of ...Turn[S]) {
	work := g.fresh
	g.fresh = nil
	for _, t := range of {
		work = append(work, g.unblock(t)...)
	}
	for len(work) > 0 {
		q := work[0]
		work = work[1:]
		if g.advance(q, reached, deliver) {
			work = append(work, g.unblock(q.turn)...)
		}
	}
}

// unblock returns the queues that wait for more of t's sequence.
func (g *Gate[S, T]) unblock(t Turn[S]) []*queue[S, T] {
	if len(g.blocked) == 0 {
		return nil
	}
	key := sequence[S]{t.Stream, t.Seq}
	waiting := g.blocked[key]
	delete(g.blocked, key)
	return waiting
}

// advance delivers what it can of one turn, and reports whether that is anything.
func (g *Gate[S, T]) advance(q *queue[S, T], reached func(Need[S]) bool, deliver func(Turn[S], T)) (delivered bool) {
	for len(q.items) > 0 {
		h := &q.items[0]
		for len(h.needs) > 0 {
			n := h.needs[0]
			if !reached(n) {
				key := sequence[S]{n.Stream, n.Seq}
				g.blocked[key] = append(g.blocked[key], q)
				return delivered
			}
			h.needs = h.needs[1:]
		}
		item, condition := h.item, h.condition
		g.bytes -= h.size
		*h = held[S, T]{}
		q.items = q.items[1:]
		if !condition {
			deliver(q.turn, item)
			delivered = true
		}
	}
	delete(g.byTurn, q.turn)
	return delivered
}

// Flush delivers all that waits: what it waits for does not come any more. The
// turns go in the order in which they began to wait.
func (g *Gate[S, T]) Flush(deliver func(Turn[S], T)) {
	queues := make([]*queue[S, T], 0, len(g.byTurn))
	for _, q := range g.byTurn {
		queues = append(queues, q)
	}
	slices.SortFunc(queues, func(a, b *queue[S, T]) int { return int(a.no) - int(b.no) })
	clear(g.blocked)
	g.fresh = nil
	for _, q := range queues {
		g.advance(q, func(Need[S]) bool { return true }, deliver)
	}
}
