package floor

import "sync"

// mailbox is the simplest queue of messages that performs: a mutex, and two
// slices that change places when the receiver takes everything.
type mailbox struct {
	// The senders' cache line.
	mu     sync.Mutex
	queue  []any
	parked bool
	_      [64 - 8 - 24 - 8]byte
	// The receiver's.
	batch []any
	wake  chan struct{}
	_     [64 - 24 - 8]byte
}

func newMailbox() *mailbox { return &mailbox{wake: make(chan struct{}, 1)} }

func (m *mailbox) push(msg any) {
	m.mu.Lock()
	m.queue = append(m.queue, msg)
	parked := m.parked
	m.parked = false
	m.mu.Unlock()
	if parked {
		m.wake <- struct{}{}
	}
}

// receive handles n messages.
func (m *mailbox) receive(n int, handle func(any)) {
	for n > 0 {
		m.mu.Lock()
		if len(m.queue) == 0 {
			m.parked = true
			m.mu.Unlock()
			<-m.wake
			continue
		}
		m.batch, m.queue = m.queue, m.batch[:0]
		m.mu.Unlock()
		for i, msg := range m.batch {
			m.batch[i] = nil
			handle(msg)
		}
		n -= len(m.batch)
	}
}
