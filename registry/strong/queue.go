package strong

import "sync"

// queue is what waits to be taken by one goroutine, many together. It is safe for
// concurrent use.
type queue[T any] struct {
	limit int
	wake  chan struct{} // capacity 1: there may be something to take

	mu      sync.Mutex
	waiting []T
	closed  bool
}

func newQueue[T any](limit int) queue[T] {
	return queue[T]{limit: limit, wake: make(chan struct{}, 1)}
}

// put lets v wait. It fails with errBusy if too much does, or errClosed.
func (q *queue[T]) put(v T) error {
	q.mu.Lock()
	switch {
	case q.closed:
		q.mu.Unlock()
		return errClosed
	case len(q.waiting) >= q.limit:
		q.mu.Unlock()
		return errBusy
	}
	q.waiting = append(q.waiting, v)
	q.mu.Unlock()
	select {
	case q.wake <- struct{}{}:
	default:
	}
	return nil
}

// take removes the first of what waits, as many as fits says.
func (q *queue[T]) take(fits func(waiting []T) int) []T {
	q.mu.Lock()
	defer q.mu.Unlock()
	n := fits(q.waiting)
	taken := q.waiting[:n:n]
	if q.waiting = q.waiting[n:]; len(q.waiting) == 0 {
		q.waiting = nil
	}
	return taken
}

// close lets nothing more in, and returns what waits.
func (q *queue[T]) close() []T {
	q.mu.Lock()
	defer q.mu.Unlock()
	left := q.waiting
	q.waiting, q.closed = nil, true
	return left
}
