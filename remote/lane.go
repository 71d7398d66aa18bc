package remote

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
)

// laneKind says what a lane carries. The numbers are part of the protocol.
type laneKind uint32

const (
	laneMembership laneKind = iota // heartbeats and member lists; not sequenced
	laneData                       // signals between processes
	laneControl                    // topics of higher layers
	laneCount
)

func (k laneKind) String() string { return [...]string{"membership", "default", "control"}[k] }

// lane is one of the streams to a peer: a TCP connection at a time, and what
// survives it. The goroutine that runs it owns its connection.
type lane struct {
	node *Node
	peer *peer
	kind laneKind

	offers chan *offer   // connections that the peer has dialled
	wake   chan struct{} // capacity 1: there is something to do

	// received is the number of sequenced frames that have been delivered. Only
	// the reader of the moment adds to it.
	received atomic.Uint64

	// Of the goroutine that runs the lane.
	epoch    uint64
	attempts int

	mu       sync.Mutex
	out      outbox
	closed   bool
	asked    bool // the overlay has asked for one attempt to dial
	attached bool
	finish   bool // hang up when everything has been written
}

func newLane(p *peer, kind laneKind) *lane {
	l := &lane{node: p.node, peer: p, kind: kind, offers: make(chan *offer), wake: make(chan struct{}, 1)}
	l.out.init()
	return l
}

// sequenced reports whether the lane's frames survive its connection.
func (l *lane) sequenced() bool { return l.kind != laneMembership }

// poke wakes whoever waits for something to do.
func (l *lane) poke() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// errOverflow says that the lane's queue is beyond even what signals may use.
var errOverflow = errors.New("remote: queue overflow")

// push queues a frame; see outbox.push. Unless it must be kept at any price,
// it is refused when too much waits. It does not wait.
func (l *lane) push(head, payload []byte, must bool) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	limit := l.node.cfg.QueueBytes
	switch {
	case l.closed:
		return fmt.Errorf("%w: %v", ErrNotMember, l.peer.id.Name)
	case !l.sequenced() && !l.attached:
		return ErrNotMember // it would be stale when the lane is connected
	case l.out.bytes >= limit && !must:
		return ErrQueueFull
	case l.out.bytes >= 2*limit+l.node.cfg.MaxMessage:
		return errOverflow
	}
	l.out.push(head, payload)
	l.poke()
	return nil
}

// close lets nothing be queued any more. It returns whether anything ever was,
// and how many frames were not confirmed.
func (l *lane) close() (used bool, lost uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	if l.sequenced() {
		used, lost = l.out.next > 1, l.out.unconfirmed()
	}
	l.out = outbox{}
	l.out.init()
	return used, lost
}

// last returns the number of the last frame queued.
func (l *lane) last() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.out.next - 1
}

// confirmed reports whether the frames up to number n have been confirmed.
func (l *lane) confirmed(n uint64) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.out.acked >= n
}

// connected reports whether the lane has a connection.
func (l *lane) connected() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.attached
}

// dialOnce asks for one attempt to connect, of which the overlay is told.
func (l *lane) dialOnce() {
	l.mu.Lock()
	l.asked = !l.attached // else the overlay is about to learn of the link
	l.mu.Unlock()
	l.poke()
}

// hangUp closes the connection when everything queued has been written.
func (l *lane) hangUp() {
	l.mu.Lock()
	l.finish = true
	l.mu.Unlock()
	l.poke()
}

// wantsDial reports whether an attempt to connect is to be made.
func (l *lane) wantsDial() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.asked || l.sequenced() && l.out.unconfirmed() > 0
}
