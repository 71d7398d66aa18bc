package remote

import (
	"fmt"
	"net"
	"sync/atomic"
	"time"

	"github.com/topos-go/topos/remote/wire"
)

// lane is one of the streams of bytes to a peer: a connection at a time, and
// what survives it. The goroutine that runs it owns its connection.
type lane struct {
	node   *Node
	peer   *peer
	stream *stream
	index  int

	offers chan *offer   // connections that the peer has dialled
	wake   chan struct{} // capacity 1: there is something to do

	// received is the number of sequenced frames that have been delivered. Only
	// the reader of the moment adds to it.
	received atomic.Uint64
	spent    atomic.Uint64  // bytes written to connections
	held     atomic.Uint64  // the first frame that waits in the gate; 0 if none does
	freed    atomic.Bool    // held has changed, which is to be told
	parts    wire.Assembler // of the reader of the moment
	heard    remembered     // likewise

	// Of the goroutine that runs the lane.
	epoch    uint64
	attempts int
	offered  uint64 // the association's number at the last attempt

	// Guarded by the stream's lock.
	out      outbox
	repeats  repeats
	pace     pace
	link     *link // the connection at work, if there is one
	closed   bool
	asked    bool          // the overlay has asked for one attempt to dial
	invited  bool          // the peer has asked to be dialled
	finish   bool          // hang up when everything has been written
	slow     bool          // not much can be written at once
	posts    [][]byte      // frames for when there is a connection, of PostChannel
	failures int           // attempts in vain in a row, of PostChannel
	retry    time.Time     // when another one is worth while, likewise
	writing  bool          // somebody writes; bufs and the memory taken are theirs
	asleep   bool          // the link's writer waits for wake
	written  chan struct{} // if not nil, to be closed when nobody writes
	confirms []uint32      // numbers of the peer's dictionary, to be confirmed
	used     time.Time     // when something was last pushed, to the stream's clock
	counted  int           // its part in stream.room
	bulk     int           // of counted, what is of large messages

	pushed uint64        // how many frames there have been
	quiet  atomic.Uint64 // pushed, when everything was last confirmed; read without the lock

	// Of whoever writes.
	bufs, rest net.Buffers
	ack        []byte
}

func newLane(s *stream, index int) *lane {
	l := &lane{
		node: s.peer.node, peer: s.peer, stream: s, index: index,
		offers: make(chan *offer), wake: make(chan struct{}, 1),
	}
	l.out.init(l.node.cfg.MaxMessage)
	l.pace = newPace()
	return l
}

// String names the lane for logs.
func (l *lane) String() string { return fmt.Sprintf("%s/%d", l.stream.ch.Name, l.index) }

// sequenced reports whether the lane's frames survive its connection.
func (l *lane) sequenced() bool { return l.stream.kind < streamMembership }

// poke wakes whoever waits for something to do.
func (l *lane) poke() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// rouse is poke, if it is needed. The stream's lock is held.
func (l *lane) rouse() {
	if l.asleep || l.link == nil {
		l.asleep = false
		l.poke()
	}
}

// Pushed implements order.Lane.
func (l *lane) Pushed() uint64 { return l.pushed }

// Quiet implements order.Lane.
func (l *lane) Quiet() uint64 { return l.quiet.Load() }

// pushLocked queues a frame. The stream's lock is held.
func (l *lane) pushLocked(shard uint32, frame, payload []byte) {
	l.out.push(shard, frame, payload)
	l.pushedLocked()
}

// pushedLocked accounts for a frame that has been queued.
func (l *lane) pushedLocked() {
	l.pushed++
	l.stream.count(l)
}

// confirmLocked notes that something may have been confirmed. The stream's lock
// is held.
func (l *lane) confirmLocked() {
	if l.out.size() == 0 {
		l.quiet.Store(l.pushed)
	}
	l.stream.count(l)
}

// closeLocked lets nothing be queued any more. It returns whether anything ever
// was, and how many frames were not confirmed. The stream's lock is held.
func (l *lane) closeLocked() (used bool, lost uint64) {
	l.closed = true
	if l.sequenced() {
		used, lost = l.pushed > 0, l.out.unconfirmed()
	}
	l.out.init(0)
	l.stream.count(l)
	return used, lost
}

// connected reports whether the lane has a connection.
func (l *lane) connected() bool {
	l.stream.mu.Lock()
	defer l.stream.mu.Unlock()
	return l.link != nil
}

// dialOnce asks for one attempt to connect, of which the overlay is told.
func (l *lane) dialOnce() {
	l.peer.asked.store(time.Now())
	l.stream.mu.Lock()
	l.asked = l.link == nil // else the overlay is about to learn of the link
	l.stream.mu.Unlock()
	l.poke()
}

// invitation returns a frame that asks the peer to dial the lane.
func (l *lane) invitation() []byte {
	return wire.Append(nil, wire.KindMembership, &wire.Membership{
		Kind: membershipDial, Channel: l.stream.ch.Name, Lane: uint32(l.index),
	}, 0)
}

// invite makes one attempt to connect, because the peer cannot.
func (l *lane) invite() {
	l.stream.mu.Lock()
	l.invited = l.link == nil
	l.stream.mu.Unlock()
	l.poke()
}

// hangUp closes the connection when everything queued has been written.
func (l *lane) hangUp() {
	l.stream.mu.Lock()
	l.finish = true
	l.asleep = false
	l.stream.mu.Unlock()
	l.poke()
}

// wantsDial reports whether an attempt to connect is to be made.
func (l *lane) wantsDial() bool {
	l.stream.mu.Lock()
	defer l.stream.mu.Unlock()
	return l.asked || l.invited || l.sequenced() && l.out.unconfirmed() > 0
}
