package remote

import (
	"context"
	"maps"
	"slices"
	"sync"

	"github.com/topos-go/topos/actor"
)

// newsDesk tells subscribers of members, one event after the other, on a
// goroutine of its own.
type newsDesk struct {
	mu    sync.Mutex
	queue []news
	wake  chan struct{} // capacity 1

	// Of the goroutine.
	members map[actor.NodeID]bool
	readers []*reader
}

// news is something for the desk to do, after before is closed. after is closed
// when it is done.
type news struct {
	event     MemberEvent
	subscribe *reader
	cancel    *reader
	before    <-chan struct{}
	after     chan struct{}
}

type reader struct {
	tell func(MemberEvent)

	mu        sync.Mutex
	cancelled bool
}

func (d *newsDesk) init() {
	d.wake = make(chan struct{}, 1)
	d.members = make(map[actor.NodeID]bool)
}

// Subscribe calls f for every member that comes or goes, until cancel is
// called. It begins with a MemberUp for each present one. This node itself is
// not reported.
//
// All calls come from one goroutine, one after the other, and for one node in
// this order: MemberUp; then the payloads it sends with SendControl; then,
// after the system has been told by NodeDown, MemberDown or MemberLeft; and
// only after that the MemberUp of the same name's next incarnation, or of the
// same one come back. f should be quick, since it delays all that, and must not
// wait for another node; it may call any other method but Close and Leave.
// After cancel has returned, no further call begins.
func (n *Node) Subscribe(f func(MemberEvent)) (cancel func()) {
	r := &reader{tell: f}
	n.news.publish(news{subscribe: r})
	return func() {
		r.mu.Lock()
		r.cancelled = true
		r.mu.Unlock()
		n.news.publish(news{cancel: r})
	}
}

func (d *newsDesk) publish(item news) {
	d.mu.Lock()
	d.queue = append(d.queue, item)
	d.mu.Unlock()
	select {
	case d.wake <- struct{}{}:
	default:
	}
}

// run works until ctx ends.
func (d *newsDesk) run(ctx context.Context) {
	for {
		d.mu.Lock()
		items := d.queue
		d.queue = nil
		d.mu.Unlock()
		for _, item := range items {
			if !d.handle(ctx, item) {
				return
			}
		}
		if len(items) > 0 {
			continue
		}
		select {
		case <-d.wake:
		case <-ctx.Done():
			return
		}
	}
}

// handle reports false if ctx has ended.
func (d *newsDesk) handle(ctx context.Context, item news) bool {
	if item.before != nil {
		select {
		case <-item.before:
		case <-ctx.Done():
			return false
		}
	}
	switch {
	case item.subscribe != nil:
		d.readers = append(d.readers, item.subscribe)
		for _, id := range sortedNodes(d.members) {
			item.subscribe.notify(MemberEvent{Kind: MemberUp, Node: id})
		}
	case item.cancel != nil:
		for i, r := range d.readers {
			if r == item.cancel {
				d.readers = append(d.readers[:i:i], d.readers[i+1:]...)
				break
			}
		}
	case item.event.Kind == 0: // only before and after count
	default:
		if item.event.Kind == MemberUp {
			d.members[item.event.Node] = true
		} else {
			delete(d.members, item.event.Node)
		}
		for _, r := range d.readers {
			r.notify(item.event)
		}
	}
	if item.after != nil {
		close(item.after)
	}
	return ctx.Err() == nil
}

func (r *reader) notify(ev MemberEvent) {
	r.mu.Lock()
	cancelled := r.cancelled
	r.mu.Unlock()
	if !cancelled {
		r.tell(ev)
	}
}

func sortedNodes(set map[actor.NodeID]bool) []actor.NodeID {
	return slices.SortedFunc(maps.Keys(set), func(a, b actor.NodeID) int { return overlayNode(a).Compare(overlayNode(b)) })
}
