package rpc

import (
	"context"
	"errors"
	"sync"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/remote"
)

// remoteChannel is where calls do not wait behind other messages.
const remoteChannel = remote.RPCChannel

// maxChannels bounds the sessions that a client keeps, of servers that may have
// ended long ago.
const maxChannels = 1 << 12

// channel is a client's session with one server.
type channel struct {
	server  actor.PID
	session uint64

	mu   sync.Mutex
	last uint64          // request
	done uint64          // every request below it is over
	open map[uint64]bool // requests from done on; true if over
}

// begin gives a request its number, which [channel.end] has to end.
func (ch *channel) begin() (seq uint64) {
	ch.mu.Lock()
	defer ch.mu.Unlock()
	ch.last++
	ch.open[ch.last] = false
	return ch.last
}

// end says that nobody will try the request again.
func (ch *channel) end(seq uint64) {
	ch.mu.Lock()
	defer ch.mu.Unlock()
	ch.open[seq] = true
	for ch.open[ch.done] {
		delete(ch.open, ch.done)
		ch.done++
	}
}

// over is what [Request.Done] says.
func (ch *channel) over() uint64 {
	ch.mu.Lock()
	defer ch.mu.Unlock()
	return ch.done
}

// connect returns the session with the server at to, and opens one if there is
// none. Of several callers, one opens it and the others wait. It reports kept if
// the session is an old one.
func (c *Client) connect(ctx context.Context, from actor.Caller, to actor.Address) (ch *channel, kept bool, err error) {
	for {
		c.mu.Lock()
		if ch := c.channels[to]; ch != nil {
			c.mu.Unlock()
			return ch, true, nil
		}
		opening := c.opening[to]
		if opening == nil {
			opening = make(chan struct{})
			c.opening[to] = opening
			c.mu.Unlock()
			ch, err := c.hello(ctx, from, to, opening)
			return ch, false, err
		}
		c.mu.Unlock()
		select {
		case <-opening:
		case <-ctx.Done():
			return nil, false, ctx.Err()
		case <-c.cfg.callerEnds(from):
			return nil, false, context.Canceled
		}
	}
}

func (c *Client) hello(ctx context.Context, from actor.Caller, to actor.Address, opening chan struct{}) (*channel, error) {
	welcome, err := actor.Call[Welcome](ctx, from, to, Hello{}, c.via...)
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.opening, to)
	close(opening)
	if err != nil {
		return nil, err
	}
	if welcome.Server.IsZero() {
		return nil, actor.ErrReplyType
	}
	ch := &channel{server: welcome.Server, session: welcome.Session, done: 1, open: make(map[uint64]bool)}
	if len(c.channels) >= maxChannels {
		clear(c.channels) // calls that are under way keep theirs, the next open others
	}
	c.channels[to] = ch
	return ch, nil
}

// forget lets the next call of to open a session anew.
func (c *Client) forget(to actor.Address, ch *channel) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.channels[to] == ch {
		delete(c.channels, to)
	}
}

// stale says whether err means that a session is of no use any more: its server
// has ended, or does not know it.
func stale(err error, v Verdict) bool {
	return v.lost() || errors.Is(err, ErrNoSession) || errors.Is(err, ErrForgotten)
}
