package remote

import (
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/remote/wire"
)

// receiver is a process of another node as senders know it: its number, or the
// name they send to.
type receiver struct {
	process uint64
	name    actor.Name
}

func receiverOf(sig *actor.Signal) receiver {
	if sig.To == (actor.PID{}) {
		return receiver{name: sig.Name.Name}
	}
	return receiver{process: sig.To.ID()}
}

// brakes are the processes of a peer that have more mail waiting than they may,
// and to which no messages or requests are sent until they have caught up.
type brakes struct {
	count atomic.Int32 // of held
	mu    sync.Mutex
	held  map[receiver]chan struct{} // closed when it goes on
	gone  <-chan struct{}            // closed when the peer is
}

// on reports whether there is any.
func (b *brakes) on() bool { return b.count.Load() > 0 }

// hold stops the sending to r, or lets it go on.
func (b *brakes) hold(r receiver, stop bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	c, held := b.held[r]
	switch {
	case stop && !held:
		if b.held == nil {
			b.held = make(map[receiver]chan struct{})
		}
		b.held[r] = make(chan struct{})
		b.count.Add(1)
	case !stop && held:
		close(c)
		delete(b.held, r)
		b.count.Add(-1)
	}
}

// await returns when sig may be sent, or the error of the channel's policy.
func (b *brakes) await(sig *actor.Signal, ch *Channel, w *wait) error {
	r := receiverOf(sig)
	for {
		b.mu.Lock()
		c := b.held[r]
		b.mu.Unlock()
		if c == nil {
			return nil
		}
		if ch.WhenFull != Block {
			return fmt.Errorf("%w: the receiver does not keep up", ErrQueueFull)
		}
		if err := w.until(c, b.gone, "the receiver has not caught up in time"); err != nil {
			return err
		}
	}
}

// receiveThrottle stops the sending to a process of p, or lets it go on.
func (n *Node) receiveThrottle(p *peer, f wire.Frame) error {
	var m wire.Throttle
	if err := m.Unmarshal(f.Head); err != nil {
		return fmt.Errorf("remote: malformed throttle frame: %w", err)
	}
	if m.Stop {
		n.stats.stops.Add(1)
	}
	p.brakes.hold(receiver{m.Process, actor.Name(m.Name)}, m.Stop)
	return nil
}

// valves are the processes of this node that have more mail waiting than they
// may, and who has been asked to send no more to them.
type valves struct {
	mu     sync.Mutex
	closed map[actor.PID]map[valve]struct{}
}

type valve struct {
	peer *peer
	receiver
}

// overloader is a System that can be asked whether the receiver of a signal has
// more mail waiting than it may.
type overloader interface {
	Overloaded(sig actor.Signal) (actor.PID, bool)
}

// overflowing asks s's node to send no more to the receiver of sig.
func (n *Node) overflowing(s *stream, sig *actor.Signal) {
	sys, ok := n.sys.(overloader)
	if !ok {
		return
	}
	pid, over := sys.Overloaded(*sig)
	if over {
		n.valves.close(pid, valve{s.peer, receiverOf(sig)})
		// If it was relieved before it was in the table, that was in vain.
		_, over = sys.Overloaded(*sig)
	}
	if !over {
		n.valves.open(pid)
	}
}

// close asks v's node to send no more, unless it has been asked.
func (t *valves) close(pid actor.PID, v valve) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, told := t.closed[pid][v]; told {
		return
	}
	if t.closed == nil {
		t.closed = make(map[actor.PID]map[valve]struct{})
	}
	if t.closed[pid] == nil {
		t.closed[pid] = make(map[valve]struct{})
	}
	t.closed[pid][v] = struct{}{}
	v.send(true) // within the lock, so that its end cannot overtake it; it does not wait
}

// open lets those go on that were asked to stop sending to pid.
func (t *valves) open(pid actor.PID) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for v := range t.closed[pid] {
		v.send(false)
	}
	delete(t.closed, pid)
}

// forget takes a peer out that is gone.
func (t *valves) forget(p *peer) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for pid, told := range t.closed {
		for v := range told {
			if v.peer == p {
				delete(told, v)
			}
		}
		if len(told) == 0 {
			delete(t.closed, pid)
		}
	}
}

// Relieved implements actor.Throttle: a process has caught up with its mail.
func (n *Node) Relieved(pid actor.PID) { n.valves.open(pid) }

// send asks the peer to stop, or to go on.
func (v valve) send(stop bool) {
	frame := wire.Append(nil, wire.KindThrottle, &wire.Throttle{Process: v.process, Name: string(v.name), Stop: stop}, 0)
	// If the peer is gone, so are its senders.
	_ = v.peer.data.push(outgoing{pinned: true, frame: frame, must: true}, sameKey{}, &wait{})
}
