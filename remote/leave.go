package remote

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Leave leaves the cluster and closes the node: what has been sent so far is
// written out and confirmed, then the members are told, for whom this node is
// gone at once. It returns when they have been, or ctx has ended, and all
// goroutines of the node have. The system should have been closed before. A
// node that was never started, or is closed, is only closed.
func (n *Node) Leave(ctx context.Context) error {
	n.state.Lock()
	member := n.started && !n.closed
	n.state.Unlock()
	if !member {
		return n.Close(ctx)
	}
	flushed := n.flush(ctx)
	told := make(chan struct{})
	n.post(leave{told})
	select {
	case <-told:
		n.awaitHangUp(ctx)
	case <-n.ctx.Done():
	case <-ctx.Done():
	}
	return errors.Join(flushed, n.Close(ctx))
}

// flush waits until all that has been sent to other nodes has been confirmed, or
// they are down.
func (n *Node) flush(ctx context.Context) error {
	peers := n.peers.all()
	return n.await(ctx, func() bool {
		for _, p := range peers {
			if !p.settled() && n.current(p) {
				return false
			}
		}
		return true
	})
}

// awaitHangUp waits until the members have been told goodbye.
func (n *Node) awaitHangUp(ctx context.Context) {
	_ = n.await(ctx, func() bool {
		for _, p := range n.peers.all() {
			if p.membership.connected() {
				return false
			}
		}
		return true
	})
}

// await looks until done reports true.
func (n *Node) await(ctx context.Context, done func() bool) error {
	const look = 2 * time.Millisecond
	tick := time.NewTicker(look)
	defer tick.Stop()
	for !done() {
		select {
		case <-tick.C:
		case <-n.ctx.Done():
			return nil // it is closed meanwhile
		case <-ctx.Done():
			return fmt.Errorf("remote: leaving: %w", ctx.Err())
		}
	}
	return nil
}
