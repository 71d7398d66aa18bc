package server

import (
	"cmp"
	"context"
	"errors"
	"iter"
	"maps"
	"slices"
	"sync"

	"github.com/topos-go/topos/actor"
)

// ErrNoRequests is returned by a wait for the next response of a collection in
// which there are none.
var ErrNoRequests = errors.New("server: no requests to wait for")

// Requests collects requests under labels, and hands out their responses in the
// order in which they come: OTP's request id collection. The zero value is
// empty. It may be used by any goroutine, and must not be copied.
type Requests[L, R any] struct {
	mu      sync.Mutex
	entries map[*actor.Request[R]]labelled[L]
	added   uint64
	ready   []*actor.Request[R] // those with a response, removed ones among them
	more    chan struct{}       // capacity 1: something was added to ready
}

type labelled[L any] struct {
	label L
	nth   uint64
}

// Response is the outcome of one request of a collection.
type Response[L, R any] struct {
	Label L
	Value R
	Err   error
}

// Send is actor.SendRequest and [Requests.Add].
func (c *Requests[L, R]) Send(ctx context.Context, from actor.Caller, to actor.Address, req any, label L, opts ...actor.SendOption) *actor.Request[R] {
	r := actor.SendRequest[R](ctx, from, to, req, opts...)
	c.Add(label, r)
	return r
}

// Add puts r into the collection. A request can be in one only once; adding it
// again gives it another label.
func (c *Requests[L, R]) Add(label L, r *actor.Request[R]) {
	c.mu.Lock()
	if c.entries == nil {
		c.entries = make(map[*actor.Request[R]]labelled[L])
	}
	_, again := c.entries[r]
	c.added++
	c.entries[r] = labelled[L]{label, c.added}
	c.signal()
	c.mu.Unlock()
	if !again {
		r.AfterFunc(func() { c.responded(r) })
	}
}

// signal returns the channel that says that something is ready. c.mu is held.
func (c *Requests[L, R]) signal() chan struct{} {
	if c.more == nil {
		c.more = make(chan struct{}, 1)
	}
	return c.more
}

func (c *Requests[L, R]) responded(r *actor.Request[R]) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, wanted := c.entries[r]; wanted {
		c.ready = append(c.ready, r)
		c.wake()
	}
}

// wake lets one of those look again who wait. c.mu is held.
func (c *Requests[L, R]) wake() {
	select {
	case c.signal() <- struct{}{}:
	default:
	}
}

// Len is how many requests there are whose responses have not been taken out.
func (c *Requests[L, R]) Len() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.entries)
}

// All iterates over the requests in the order in which they were added. It
// looks at the collection as it is when the iteration begins.
func (c *Requests[L, R]) All() iter.Seq2[L, *actor.Request[R]] {
	return func(yield func(L, *actor.Request[R]) bool) {
		c.mu.Lock()
		entries := maps.Clone(c.entries)
		c.mu.Unlock()
		byAge := func(a, b *actor.Request[R]) int { return cmp.Compare(entries[a].nth, entries[b].nth) }
		for _, r := range slices.SortedFunc(maps.Keys(entries), byAge) {
			if !yield(entries[r].label, r) {
				return
			}
		}
	}
}

// Remove takes r out without its response. It reports false if r is not in the
// collection.
func (c *Requests[L, R]) Remove(r *actor.Request[R]) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, ok := c.entries[r]
	delete(c.entries, r)
	c.wake()
	return ok
}

// Check takes a response out if there is one, the one that came first. It does
// not wait.
func (c *Requests[L, R]) Check() (Response[L, R], bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for len(c.ready) > 0 {
		r := c.ready[0]
		c.ready[0] = nil
		c.ready = c.ready[1:]
		if e, ok := c.entries[r]; ok {
			delete(c.entries, r)
			c.wake() // others may wait, for the next one or to know that there is none
			value, err, _ := r.Check()
			return Response[L, R]{e.label, value, err}, true
		}
	}
	return Response[L, R]{}, false
}

// Wait takes out the response that comes first. The error says only that there
// was none: [ErrNoRequests], actor.ErrTimeout when ctx's deadline passed, or
// ctx's error; how the request itself went is in the Response. The requests
// stand when it fails.
func (c *Requests[L, R]) Wait(ctx context.Context) (Response[L, R], error) {
	for {
		if response, ok := c.Check(); ok {
			return response, nil
		}
		c.mu.Lock()
		more, left := c.signal(), len(c.entries)
		if left == 0 {
			c.wake() // whoever else waits is to know
		}
		c.mu.Unlock()
		if left == 0 {
			return Response[L, R]{}, ErrNoRequests
		}
		select {
		case <-more:
		case <-ctx.Done():
			if response, ok := c.Check(); ok { // it came with the end
				return response, nil
			}
			return Response[L, R]{}, actor.ContextError(ctx)
		}
	}
}

// Receive is [Requests.Wait], except that all requests are abandoned and removed
// when ctx ends first.
func (c *Requests[L, R]) Receive(ctx context.Context) (Response[L, R], error) {
	response, err := c.Wait(ctx)
	if err != nil {
		c.Abandon()
	}
	return response, err
}

// Abandon gives all requests up and removes them.
func (c *Requests[L, R]) Abandon() {
	c.mu.Lock()
	entries := c.entries
	c.entries, c.ready = nil, nil
	c.wake()
	c.mu.Unlock()
	for r := range entries {
		r.Abandon()
	}
}
