package remote

import (
	"context"
	"fmt"
	"time"

	"github.com/topos-go/topos/actor"
)

// lives is a System that knows until when a process of its may wait.
type lives interface {
	ProcessContext(pid actor.PID) context.Context
}

// wait is one sender's wait for room: no longer than its channel says, its
// request has time, or it lives. The zero wait is over at once.
type wait struct {
	node   *Node
	ch     *Channel
	from   actor.PID
	latest time.Time // zero: as long as the channel says

	timer *time.Timer // once it has begun
	life  context.Context
}

// waitOf is the wait of sig's sender.
func (n *Node) waitOf(sig *actor.Signal, ch *Channel) wait {
	return wait{node: n, ch: ch, from: sig.From, latest: sig.Deadline}
}

// until returns when one of the channels is closed: nil for room, ErrNotMember
// for gone, or why the wait is over. what says what there is no room for.
func (w *wait) until(room, gone <-chan struct{}, what string) error {
	if w.node == nil {
		return fmt.Errorf("%w: %s", ErrQueueFull, what)
	}
	if w.timer == nil {
		w.begin()
	}
	select {
	case <-room:
		return nil
	case <-gone:
		return ErrNotMember
	case <-w.life.Done():
		return context.Cause(w.life)
	case <-w.timer.C:
		return fmt.Errorf("%w: %s", ErrQueueFull, what)
	}
}

func (w *wait) begin() {
	if most := time.Now().Add(w.ch.Wait); w.latest.IsZero() || w.latest.After(most) {
		w.latest = most
	}
	w.timer = time.NewTimer(time.Until(w.latest))
	w.life = context.Background()
	if sys, ok := w.node.sys.(lives); ok && !w.from.IsZero() {
		w.life = sys.ProcessContext(w.from)
	}
}

// end gives back what the wait has taken.
func (w *wait) end() {
	if w.timer != nil {
		w.timer.Stop()
	}
}
