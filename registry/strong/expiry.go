package strong

import (
	"container/heap"
	"time"
)

// expiry says which leases are to be expired: the leader's part in their end,
// which is a pure core. Times are its own and are never compared with another
// node's.
//
// Invariants:
//  1. A lease is due only when its ttl has passed since the leader saw it
//     acquired or renewed, or since it became the leader, whichever was later.
//  2. deadlines holds what is current; queue may hold more, which is skipped.
type expiry struct {
	deadlines map[string]deadline
	queue     deadlineQueue
}

// deadline is when a lease is due, if it is still the same one by then.
type deadline struct {
	name    string
	at      time.Time
	token   Token
	renewed uint64
}

func newExpiry() *expiry { return &expiry{deadlines: make(map[string]deadline)} }

// saw notes that a lease was acquired, renewed or inherited at now.
func (e *expiry) saw(now time.Time, name string, l lease) {
	d := deadline{name: name, at: now.Add(l.ttl), token: l.token, renewed: l.renewed}
	e.deadlines[name] = d
	heap.Push(&e.queue, d)
	if len(e.queue) > 2*len(e.deadlines)+64 {
		e.compact()
	}
}

// ended notes that a lease is over.
func (e *expiry) ended(name string) { delete(e.deadlines, name) }

// compact drops what is not current from the queue.
func (e *expiry) compact() {
	e.queue = e.queue[:0]
	for _, d := range e.deadlines {
		e.queue = append(e.queue, d)
	}
	heap.Init(&e.queue)
}

// due returns the leases to be expired at now, each once more after again if
// nothing has come of it.
func (e *expiry) due(now time.Time, again time.Duration) []deadline {
	var due []deadline
	for len(e.queue) > 0 && !now.Before(e.queue[0].at) {
		d := heap.Pop(&e.queue).(deadline)
		if e.deadlines[d.name] != d {
			continue
		}
		due = append(due, d)
		d.at = now.Add(again)
		e.deadlines[d.name] = d
		heap.Push(&e.queue, d)
	}
	return due
}

// next returns when due may have something next.
func (e *expiry) next() (at time.Time, ok bool) {
	if len(e.queue) == 0 {
		return time.Time{}, false
	}
	return e.queue[0].at, true
}

// deadlineQueue is a heap of deadlines, the earliest first.
type deadlineQueue []deadline

func (q deadlineQueue) Len() int           { return len(q) }
func (q deadlineQueue) Less(i, j int) bool { return q[i].at.Before(q[j].at) }
func (q deadlineQueue) Swap(i, j int)      { q[i], q[j] = q[j], q[i] }

// Push implements heap.Interface.
func (q *deadlineQueue) Push(x any) { *q = append(*q, x.(deadline)) }

// Pop implements heap.Interface.
func (q *deadlineQueue) Pop() any {
	last := len(*q) - 1
	d := (*q)[last]
	*q = (*q)[:last]
	return d
}
