package remote

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/topos-go/topos/remote/wire"
)

// gate holds what has come from a peer until what was sent before has been
// delivered, where that is on another lane.
//
// A lane delivers in order by itself. When a shard moves to another lane, or a
// signal follows messages on other channels, an After frame tells how far other
// sequences must have come before the next message of the shard on that lane is
// delivered. It waits in the gate, and with it all that comes after it of the
// same shard on the same lane.
//
// Several readers deliver at once. A reader first counts what it has delivered
// and then looks whether anything waits; one that makes something wait first
// says so and then looks whether it has to. So one of the two sees the other.
//
// Invariants:
//  1. waiting is the number of queues.
//  2. The first item of a queue is a condition that has not been met.
type gate struct {
	node    *Node
	waiting atomic.Int32

	mu     sync.Mutex
	queues map[turn]*held
	bytes  int
}

// turn is a sequence as it comes over one lane.
type turn struct {
	stream *stream
	lane   int
	shard  uint32
}

// held is what waits of one turn.
type held struct{ items []waiting }

// waiting is a condition, or a signal that waits for those before it.
type waiting struct {
	marks  []mark
	signal arrival
}

// mark is how far a sequence must have come.
type mark struct {
	stream *stream
	shard  uint32
	seq    uint64
}

// reached reports whether the sequences have come so far.
func reached(marks []mark) bool {
	for _, m := range marks {
		if m.stream.delivered[m.shard].Load() < m.seq {
			return false
		}
	}
	return true
}

// errGate is why a peer is given up that makes too much wait.
var errGate = errors.New("remote: too much waits for its turn")

// maxHeld bounds the bytes that wait in a gate: as much as two channels queue.
const maxHeld = 2 * DefaultQueueBytes

// condition holds the next signal of t until marks are met.
func (g *gate) condition(t turn, marks []mark) {
	g.mu.Lock()
	defer g.mu.Unlock()
	h := g.queues[t]
	if h == nil {
		h = new(held)
		if g.queues == nil {
			g.queues = make(map[turn]*held)
		}
		g.queues[t] = h
		g.waiting.Add(1)
	}
	h.items = append(h.items, waiting{marks: marks})
	g.releaseLocked()
}

// open reports whether nothing waits.
func (g *gate) open() bool { return g.waiting.Load() == 0 }

// hold takes a signal that must wait. It reports false if it need not.
func (g *gate) hold(t turn, a *arrival) (bool, error) {
	if g.waiting.Load() == 0 {
		return false, nil
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	h := g.queues[t]
	if h == nil {
		return false, nil
	}
	if g.bytes += a.sig.Size; g.bytes > maxHeld {
		return true, fmt.Errorf("%w: %d bytes", errGate, g.bytes)
	}
	h.items = append(h.items, waiting{signal: *a})
	return true, nil
}

// release delivers what need not wait any more. It is called after something
// has been delivered.
func (g *gate) release() error {
	if g.waiting.Load() == 0 {
		return nil
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.releaseLocked()
}

// releaseLocked delivers within the lock, so that nothing overtakes; delivering
// does not wait.
func (g *gate) releaseLocked() error {
	var errs []error
	for again := true; again; {
		again = false
		for t, h := range g.queues {
			delivered, err := g.advanceLocked(t, h)
			again = again || delivered
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// advanceLocked delivers what it can of one turn.
func (g *gate) advanceLocked(t turn, h *held) (delivered bool, err error) {
	for len(h.items) > 0 {
		item := h.items[0]
		if item.marks != nil && !reached(item.marks) {
			return delivered, err
		}
		h.items[0] = waiting{}
		h.items = h.items[1:]
		if item.marks == nil {
			delivered = true
			g.bytes -= item.signal.sig.Size
			err = errors.Join(err, g.node.admitted(&item.signal))
			t.stream.delivered[t.shard].Add(1)
		}
	}
	delete(g.queues, t)
	g.waiting.Add(-1)
	return delivered, err
}

// flush delivers all that waits: what it waits for does not come any more.
func (g *gate) flush() {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, h := range g.queues {
		for i := range h.items {
			if h.items[i].marks != nil {
				h.items[i].marks = []mark{}
			}
		}
	}
	_ = g.releaseLocked()
}

// receiveAfter holds the next signal of a shard.
func (n *Node) receiveAfter(l *lane, f wire.Frame) error {
	var m wire.After
	if err := m.Unmarshal(f.Head); err != nil {
		return fmt.Errorf("remote: malformed condition: %w", err)
	}
	if m.Shard == 0 || m.Shard > shards || len(m.Marks) > maxChannels*(shards+maxLanes) {
		return fmt.Errorf("remote: malformed condition: shard %d, %d marks", m.Shard, len(m.Marks))
	}
	marks := make([]mark, 0, len(m.Marks))
	for _, w := range m.Marks {
		if w == nil || w.Shard >= shards+maxLanes || len(w.Channel) > maxChannelName {
			return fmt.Errorf("remote: malformed condition: mark %v", w)
		}
		s, _ := l.peer.stream(w.Channel)
		if s == nil || s.kind != streamData {
			return fmt.Errorf("remote: malformed condition: mark %v", w)
		}
		marks = append(marks, mark{s, w.Shard, w.Seq})
	}
	l.peer.gate.condition(turn{l.stream, l.index, m.Shard - 1}, marks)
	return nil
}
