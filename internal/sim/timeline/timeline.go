// Package timeline orders what is to happen in a simulated world: by time, and of two
// at the same time, the first to be put there first. So one seed gives one course of
// events.
//
//	var queue timeline.Timeline[func()]
//	queue.Put(now.Add(latency), func() { receive(msg) })
//	for at, do, ok := queue.Take(until); ok; at, do, ok = queue.Take(until) {
//		now = at
//		do()
//	}
package timeline

import "time"

// Timeline is what is to happen. Its zero value is empty and ready for use. It is for
// one goroutine.
type Timeline[T any] struct {
	heap []happening[T] // of values, as there may be millions
	seq  uint64
}

type happening[T any] struct {
	at   time.Time
	seq  uint64
	what T
}

func (h *happening[T]) before(o *happening[T]) bool {
	c := h.at.Compare(o.at)
	return c < 0 || c == 0 && h.seq < o.seq
}

// Len returns how much is still to happen.
func (l *Timeline[T]) Len() int { return len(l.heap) }

// Put says that what is to happen at a time.
func (l *Timeline[T]) Put(at time.Time, what T) {
	l.seq++
	l.heap = append(l.heap, happening[T]{at, l.seq, what})
	h := l.heap
	for i := len(h) - 1; i > 0; {
		up := (i - 1) / 2
		if !h[i].before(&h[up]) {
			return
		}
		h[i], h[up] = h[up], h[i]
		i = up
	}
}

// Take takes out what happens next, and says when. It reports false if nothing
// happens until then.
func (l *Timeline[T]) Take(until time.Time) (at time.Time, what T, ok bool) {
	if len(l.heap) == 0 || l.heap[0].at.After(until) {
		return time.Time{}, what, false
	}
	h, last := l.heap, len(l.heap)-1
	first := h[0]
	h[0], h[last] = h[last], happening[T]{}
	h = h[:last]
	l.heap = h
	for i := 0; ; {
		least := i
		for down := 2*i + 1; down <= 2*i+2 && down < len(h); down++ {
			if h[down].before(&h[least]) {
				least = down
			}
		}
		if least == i {
			return first.at, first.what, true
		}
		h[i], h[least] = h[least], h[i]
		i = least
	}
}
