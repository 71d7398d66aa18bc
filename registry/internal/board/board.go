// Package board tells things one after the other, on a goroutine of its own, so
// that whoever has news need not wait for those who want them.
package board

import "sync"

// Board runs what is posted, in order. Make one with [New], Start it and Close
// it. It is safe for concurrent use.
type Board struct {
	mu    sync.Mutex
	queue []func()
	wake  chan struct{} // capacity 1
	stop  chan struct{}
	done  chan struct{}
}

// New returns a board that runs nothing until it is started.
func New() *Board {
	return &Board{wake: make(chan struct{}, 1), stop: make(chan struct{}), done: make(chan struct{})}
}

// Start lets it run what has been posted and what will be.
func (b *Board) Start() { go b.run() }

// Post lets f run after what was posted before. It does not wait. The queue has
// no bound: what is posted must be quick. After Close it does nothing.
func (b *Board) Post(f func()) {
	select {
	case <-b.stop:
		return
	default:
	}
	b.mu.Lock()
	b.queue = append(b.queue, f)
	b.mu.Unlock()
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

// Close waits for what is running; what has not begun is left out. It must have
// been started, and not be closed by what is posted.
func (b *Board) Close() {
	close(b.stop)
	<-b.done
}

func (b *Board) run() {
	defer close(b.done)
	for {
		b.mu.Lock()
		queue := b.queue
		b.queue = nil
		b.mu.Unlock()
		for _, f := range queue {
			select {
			case <-b.stop:
				return
			default:
				f()
			}
		}
		if len(queue) > 0 {
			continue
		}
		select {
		case <-b.wake:
		case <-b.stop:
			return
		}
	}
}
