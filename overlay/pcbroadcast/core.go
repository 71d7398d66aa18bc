package pcbroadcast

import (
	"time"

	"github.com/topos-go/topos/overlay"
)

// Core is the protocol of one node. It is made with [New] and is for one
// goroutine. Times given to it must not go backwards. Payloads and messages
// belong to all who have them: nobody changes them.
//
// Invariants, which valid checks:
//
//  1. Links are in the order of their nodes, at most MaxLinks, each with a
//     number of its own.
//  2. Only a link that is silent or being tried has a buffer, of at most MaxBuffer
//     items; all in it is settled.
//  3. A link whose other end has not said hello is silent, and nothing is taken
//     from it.
//  4. A link that is being tried or rests has a time when that ends. What proves
//     it safe are pings that were sent since its buffer began.
//  5. At most MaxOrigins names are settled, each up to a number above 0, with a
//     place kept for this node's own, which is settled up to its last broadcast.
//  6. If no stream comes in and somebody could be asked for one, it is known
//     when the next one is asked.
//  7. The pings of at most MaxPings nodes are remembered.
//  8. What another node waits for is not settled, and at most MaxOrigins names.
type Core[T any] struct {
	cfg     Config
	now     time.Time
	links   []*link // by node
	numbers uint64  // given to links
	pings   uint64  // given to pings and streams
	seq     uint64  // of this node's last broadcast
	settled settled
	passed  passed
	begun   bool      // a stream has begun, in or out
	entered bool      // a stream has begun to come in
	askAt   time.Time // when a stream is asked for, if there is none
	effects Effects
}

// New returns the protocol of cfg.Self, which has no links. The error has all
// that is wrong with cfg.
func New[T any](cfg Config) (*Core[T], error) {
	cfg.setDefaults()
	if err := cfg.Valid(); err != nil {
		return nil, err
	}
	c := &Core[T]{cfg: cfg, passed: passed{max: cfg.MaxPings, byNode: make(map[overlay.Node]uint64)}}
	c.settled = settled{self: cfg.Self.Name, max: cfg.MaxOrigins, forget: cfg.Forget, byName: make(map[string]entry)}
	return c, nil
}

// Step tells the core that ev happened at now.
func (c *Core[T]) Step(now time.Time, ev Event) Effects {
	c.now = now
	switch ev := ev.(type) {
	case LinkUp:
		c.linkUp(ev.Node)
	case LinkDown:
		c.linkDown(ev.Node)
	case Received:
		if l := c.link(ev.From); l != nil {
			c.received(l, ev.Message)
		}
	case Broadcast[T]:
		c.broadcast(ev.Payload)
	}
	c.seek()
	return c.take()
}

// Tick does what has become due by now.
func (c *Core[T]) Tick(now time.Time) Effects {
	c.now = now
	for _, l := range c.links {
		if l.due.IsZero() || now.Before(l.due) {
			continue
		}
		if l.out == resting {
			c.start(l, nil)
		} else {
			c.timeout(l)
		}
	}
	if at := c.settled.sweepAt; !at.IsZero() && !now.Before(at) {
		c.settled.sweep(now)
	}
	if !c.askAt.IsZero() && !now.Before(c.askAt) {
		c.askAgain()
	}
	c.seek()
	return c.take()
}

// Deadline returns when [Core.Tick] is to be called next, the zero time if
// never.
func (c *Core[T]) Deadline() time.Time {
	due := c.settled.sweepAt
	earlier := func(t time.Time) {
		if !t.IsZero() && (due.IsZero() || t.Before(due)) {
			due = t
		}
	}
	earlier(c.askAt)
	for _, l := range c.links {
		earlier(l.due)
	}
	return due
}

// Stats counts what a [Core] holds.
type Stats struct {
	// Links there are; Out of them carry what this node delivers, In bring it
	// what others deliver.
	Links, Out, In int
	// Buffered messages wait for links to become safe.
	Buffered int
	// Origins are the names that are remembered.
	Origins int
}

// Stats returns the present counts.
func (c *Core[T]) Stats() Stats {
	s := Stats{Links: len(c.links), Origins: len(c.settled.byName)}
	for _, l := range c.links {
		if l.out == safe {
			s.Out++
		}
		if l.open {
			s.In++
		}
		s.Buffered += len(l.buffer)
	}
	return s
}

// Safe reports whether what this node delivers goes directly to node.
func (c *Core[T]) Safe(node overlay.Node) bool {
	l := c.link(node)
	return l != nil && l.out == safe
}

func (c *Core[T]) emit(e Effect) { c.effects = append(c.effects, e) }

func (c *Core[T]) take() Effects {
	effects := c.effects
	c.effects = nil
	return effects
}

// broadcast begins a message.
func (c *Core[T]) broadcast(payload T) {
	c.seq++
	m := Data[T]{Origin: c.cfg.Self, Seq: c.seq, Payload: payload}
	mark := Mark{m.Origin, m.Seq}
	it := &item{body: m, origin: m.Origin, before: []Mark{c.settled.at(m.Origin.Name)}}
	if !c.settled.covers(mark) { // it is if a later incarnation of this node has been heard of
		c.settled.set(c.now, mark)
	}
	c.emit(Deliver[T](m))
	c.pass(nil, it)
	c.answer(mark) // if somebody waits for an earlier incarnation of this node
}
