package remote

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/topos-go/topos/remote/order"
	"github.com/topos-go/topos/remote/wire"
)

// gate holds what has come from a peer until what was sent before has been
// delivered, where that is on another lane; see package order.
//
// Several readers deliver at once. A reader first counts what it has delivered
// and then looks whether anything waits; one that makes something wait first
// says so and then looks whether it has to. So one of the two sees the other.
type gate struct {
	node    *Node
	waiting atomic.Int32 // the turns that wait

	mu   sync.Mutex
	held order.Gate[*stream, arrival]
}

// turn is a sequence as it comes over one lane.
type turn = order.Turn[*stream]

// need is how far a sequence must have come.
type need = order.Need[*stream]

func reached(n need) bool { return n.Stream.delivered[n.Seq].Load() >= n.Count }

// errGate is why a peer is given up that makes too much wait.
var errGate = errors.New("remote: too much waits for its turn")

// maxHeld bounds the memory of what waits in a gate: as much as two channels
// queue. What waits is not confirmed, so that an honest peer's queues bound it.
const maxHeld = 2 * DefaultQueueBytes

// arrivalSize is about the memory of an arrival, besides its message.
const arrivalSize = 512

// condition holds the next signal of t until needs are met.
func (g *gate) condition(t turn, needs []need) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.held.Condition(t, needs)
	g.waiting.Store(int32(g.held.Waiting()))
	return errors.Join(g.releaseLocked(), g.overLocked())
}

// overLocked returns an error if too much waits.
func (g *gate) overLocked() error {
	if bytes := g.held.Bytes(); bytes > maxHeld {
		return fmt.Errorf("%w: %d bytes", errGate, bytes)
	}
	return nil
}

// open reports whether nothing waits.
func (g *gate) open() bool { return g.waiting.Load() == 0 }

// hold takes a signal that must wait. It reports false if it need not.
func (g *gate) hold(t turn, a *arrival) (bool, error) {
	if g.open() {
		return false, nil
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	no := a.lane.received.Load() + 1
	if !g.held.Hold(t, *a, no, a.sig.Size+arrivalSize) {
		return false, nil
	}
	a.lane.held.CompareAndSwap(0, no)
	return true, g.overLocked()
}

// release delivers what need not wait any more. It is called after something
// of t's sequence has been delivered.
func (g *gate) release(t turn) error {
	if g.open() {
		return nil
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.releaseLocked(t)
}

// releaseLocked delivers within the lock, so that nothing overtakes; delivering
// does not wait.
func (g *gate) releaseLocked(of ...turn) (err error) {
	var from []*lane
	g.held.Release(reached, func(t turn, a arrival) {
		err = errors.Join(err, g.node.admitted(&a))
		t.Stream.delivered[t.Seq].Add(1)
		if !slices.Contains(from, a.lane) {
			from = append(from, a.lane)
		}
	}, of...)
	g.waiting.Store(int32(g.held.Waiting()))
	for _, l := range from {
		l.held.Store(g.held.First(l.stream, l.index))
		l.confirmFreed()
	}
	return err
}

// flush delivers all that waits: what it waits for does not come any more.
func (g *gate) flush() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.held.Flush(func(_ turn, a arrival) { _ = g.node.admitted(&a) })
	g.waiting.Store(0)
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
	needs := make([]need, 0, len(m.Marks))
	for _, w := range m.Marks {
		if w == nil || w.Shard >= shards+maxLanes || len(w.Channel) > maxChannelName {
			return fmt.Errorf("remote: malformed condition: mark %v", w)
		}
		s, _ := l.peer.stream(w.Channel)
		if s == nil || s.kind != streamData {
			return fmt.Errorf("remote: malformed condition: mark %v", w)
		}
		needs = append(needs, need{Stream: s, Mark: order.Mark{Seq: w.Shard, Count: w.Seq}})
	}
	return n.tolerate(l.peer, l.peer.gate.condition(turn{Stream: l.stream, Lane: l.index, Seq: m.Shard - 1}, needs))
}
