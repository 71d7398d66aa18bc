package sim

import (
	"cmp"
	"math/bits"
	"slices"
)

// kind is what an event is.
type kind uint8

const (
	timer       kind = iota // of node to
	message                 // comes to node to over a link
	flooded                 // a flooded broadcast comes to node to over a link
	dialled                 // a dial comes to the node that is dialled
	linkUp                  // an accepted dial is known to the dialler
	dialFailed              // a dial that was not accepted is known to the dialler
	linkEnd                 // the other side has closed the link, or it is broken
	unanswered              // what was sent over a link is not acknowledged
	probed                  // node to finds out who is at node from
	probeFailed             // nobody answers
	measured                // node to finds out how far away node from is
	judged                  // the time of a broadcast is over
	posted                  // a message comes to node to without a link
	rejected                // node to learns that it found nobody
	begins                  // node to is started
	kinds
)

// event is something that will happen. It is one cache line.
type event struct {
	at       int64  // nanoseconds since the world began
	seq      uint64 // of two at the same time, which is first
	message  any
	next     int32 // in the list of a slot, or of free events
	to, from int32
	link     int32
	gen      uint32 // of the link, or the incarnation of from
	boot     uint32 // the incarnation of to
	kind     kind
	protocol protocol
	flag     uint8
}

const (
	minSlotBits = 19 // half a millisecond
	maxSlotBits = 21 // two
	slots       = 1 << 15
)

// ref is an event in order.
type ref struct {
	at  int64
	seq uint64
	id  int32
}

func (r ref) compare(s ref) int {
	if r.at != s.at {
		return cmp.Compare(r.at, s.at)
	}
	return cmp.Compare(r.seq, s.seq)
}

// queue holds what will happen: a wheel of slots for what is near, a heap for
// what is far. Only the slot that is current is sorted.
//
// Invariants: every event in the wheel is in a slot between current and current
// + slots; all in far are later; those of the current slot are in now[done:].
type queue struct {
	events  []event
	free    int32
	bits    int     // of time in a slot
	wheel   []int32 // the first event of a slot + 1
	near    int     // events in the wheel
	current int64   // the number of the current slot
	now     []ref
	done    int
	far     []ref // a heap
	seq     uint64
}

// newQueue returns a queue with slots that are at most as long as soonest, if that is not
// too short.
func newQueue(soonest int64) *queue {
	b := bits.Len64(uint64(max(soonest, 1))) - 1
	return &queue{wheel: make([]int32, slots), free: -1, bits: min(max(b, minSlotBits), maxSlotBits)}
}

// width is how long a slot is.
func (q *queue) width() int64 { return 1 << q.bits }

// push adds an event. Its time must not lie before that of the last pop.
func (q *queue) push(e event) {
	id := q.free
	if id >= 0 {
		q.free = q.events[id].next
	} else {
		id = int32(len(q.events))
		q.events = append(q.events, event{})
	}
	q.seq++
	e.seq = q.seq
	q.events[id] = e
	q.place(ref{e.at, e.seq, id})
}

func (q *queue) place(r ref) {
	slot := r.at >> q.bits
	switch {
	case slot <= q.current:
		i, _ := slices.BinarySearchFunc(q.now[q.done:], r, ref.compare)
		q.now = slices.Insert(q.now, q.done+i, r)
	case slot < q.current+slots:
		head := &q.wheel[slot%slots]
		q.events[r.id].next = *head
		*head = r.id + 1
		q.near++
	default:
		q.pushFar(r)
	}
}

// pop takes the next event that is not later than until. It is false if there is
// none.
func (q *queue) pop(until int64) (event, bool) {
	for q.done == len(q.now) {
		if !q.advance(until >> q.bits) {
			return event{}, false
		}
	}
	r := q.now[q.done]
	if r.at > until {
		return event{}, false
	}
	q.done++
	e := &q.events[r.id]
	taken := *e
	e.message, e.next = nil, q.free
	q.free = r.id
	return taken, true
}

// peek returns up to n of the events that pop takes next: of one slot, and not later than
// until. Others may come between them.
func (q *queue) peek(n int, until int64) []ref {
	for q.done == len(q.now) {
		if !q.advance(until >> q.bits) {
			return nil
		}
	}
	batch := q.now[q.done:min(q.done+n, len(q.now))]
	for len(batch) > 0 && batch[len(batch)-1].at > until {
		batch = batch[:len(batch)-1]
	}
	return batch
}

// advance makes the next slot current, up to last.
func (q *queue) advance(last int64) bool {
	if q.current >= last {
		return false
	}
	q.now, q.done = q.now[:0], 0
	q.current++
	if q.near == 0 { // nothing for a while
		q.current = last
		if len(q.far) > 0 {
			q.current = min(last, q.far[0].at>>q.bits)
		}
	}
	for len(q.far) > 0 && q.far[0].at>>q.bits < q.current+slots {
		q.place(q.popFar())
	}
	head := &q.wheel[q.current%slots]
	for id := *head - 1; id >= 0; {
		e := &q.events[id]
		q.now = append(q.now, ref{e.at, e.seq, id})
		id = e.next - 1
		q.near--
	}
	*head = 0
	slices.SortFunc(q.now, ref.compare)
	return true
}

func (q *queue) pushFar(r ref) {
	q.far = append(q.far, r)
	i := len(q.far) - 1
	for i > 0 {
		up := (i - 1) / 4
		if q.far[up].compare(r) <= 0 {
			break
		}
		q.far[i], i = q.far[up], up
	}
	q.far[i] = r
}

func (q *queue) popFar() ref {
	first, last := q.far[0], q.far[len(q.far)-1]
	q.far = q.far[:len(q.far)-1]
	i := 0
	for {
		least := -1
		for k := 4*i + 1; k <= 4*i+4 && k < len(q.far); k++ {
			if least < 0 || q.far[k].compare(q.far[least]) < 0 {
				least = k
			}
		}
		if least < 0 || last.compare(q.far[least]) <= 0 {
			break
		}
		q.far[i], i = q.far[least], least
	}
	if len(q.far) > 0 {
		q.far[i] = last
	}
	return first
}
