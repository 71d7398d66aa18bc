package order

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

// Gate holds what has come from a node until what was sent before has been
// delivered, where that is on another lane. What waits of one turn waits in
// order: a message behind the condition before it, and all that comes after it.
//
// Invariants:
//  1. Each queue begins with a condition that was not met when it was last looked
//     at, and is the only one of its turn.
//  2. bytes is the sum of the sizes of what waits.
type Gate[S comparable, T any] struct {
	queues []*queue[S, T] // in the order in which they began
	byTurn map[Turn[S]]*queue[S, T]
	bytes  int
}

type queue[S comparable, T any] struct {
	turn  Turn[S]
	items []held[S, T]
}

// held is a condition, or a message.
type held[S comparable, T any] struct {
	condition bool
	needs     []Need[S]
	item      T
	size      int
}

// Waiting returns how many turns wait, Bytes how much the messages amount to.
func (g *Gate[S, T]) Waiting() int { return len(g.queues) }

// Bytes returns the sizes of the messages that wait, all in all.
func (g *Gate[S, T]) Bytes() int { return g.bytes }

// Condition holds the next message of t, and what comes after it, until needs are
// met. The caller calls [Gate.Release] next: they may be.
func (g *Gate[S, T]) Condition(t Turn[S], needs []Need[S]) {
	q := g.byTurn[t]
	if q == nil {
		q = &queue[S, T]{turn: t}
		if g.byTurn == nil {
			g.byTurn = make(map[Turn[S]]*queue[S, T])
		}
		g.byTurn[t] = q
		g.queues = append(g.queues, q)
	}
	q.items = append(q.items, held[S, T]{condition: true, needs: needs})
}

// Hold takes a message of t that must wait. It reports false if it need not.
func (g *Gate[S, T]) Hold(t Turn[S], item T, size int) bool {
	q := g.byTurn[t]
	if q == nil {
		return false
	}
	g.bytes += size
	q.items = append(q.items, held[S, T]{item: item, size: size})
	return true
}

// Release calls deliver for what need not wait any more, in its order. deliver
// has to count the message, so that reached then knows of it. Release is called
// whenever something has been delivered.
func (g *Gate[S, T]) Release(reached func(Need[S]) bool, deliver func(Turn[S], T)) {
	for again := true; again; {
		again = false
		rest := g.queues[:0]
		for _, q := range g.queues {
			if g.advance(q, reached, deliver) {
				again = true
			}
			if len(q.items) > 0 {
				rest = append(rest, q)
			} else {
				delete(g.byTurn, q.turn)
			}
		}
		clear(g.queues[len(rest):])
		g.queues = rest
	}
}

// advance delivers what it can of one turn, and reports whether that is anything.
func (g *Gate[S, T]) advance(q *queue[S, T], reached func(Need[S]) bool, deliver func(Turn[S], T)) (delivered bool) {
	for len(q.items) > 0 {
		h := q.items[0]
		for _, n := range h.needs {
			if !reached(n) {
				return delivered
			}
		}
		q.items[0] = held[S, T]{}
		q.items = q.items[1:]
		if !h.condition {
			g.bytes -= h.size
			deliver(q.turn, h.item)
			delivered = true
		}
	}
	return delivered
}

// Flush delivers all that waits: what it waits for does not come any more.
func (g *Gate[S, T]) Flush(deliver func(Turn[S], T)) {
	g.Release(func(Need[S]) bool { return true }, deliver)
}
