package remote

import (
	"context"
	"errors"
	"syscall"
	"time"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/overlay"
	"github.com/topos-go/topos/remote/handshake"
	"github.com/topos-go/topos/remote/wire"
)

// run connects the lane when it is needed and serves its connection, until the
// peer is retired.
func (l *lane) run() {
	for c := l.connect(); c != nil; {
		if c = l.serve(c); c == nil {
			c = l.connect()
		}
	}
}

// connect waits until there is a connection. It returns nil when the peer is
// retired.
func (l *lane) connect() *connection {
	for {
		var c *connection
		switch {
		case l.peer.isRetired():
			return nil
		case l.attempts > 0 && l.sequenced():
			c = l.pause()
		case l.wantsDial():
			c = l.dial()
		default:
			c = l.idle()
		}
		if c != nil {
			return c
		}
	}
}

// idle waits for something to happen.
func (l *lane) idle() *connection {
	select {
	case o := <-l.offers:
		return l.accept(o)
	case <-l.wake:
	case <-l.peer.retired:
	}
	return nil
}

// pause waits before the next attempt to connect. The overlay decides that for
// its own lane.
func (l *lane) pause() *connection {
	wait := time.NewTimer(l.node.backoff(l.attempts - 1))
	defer wait.Stop()
	select {
	case o := <-l.offers:
		return l.accept(o)
	case <-wait.C:
		if l.wantsDial() {
			return l.dial()
		}
		l.attempts = 0
	case <-l.peer.retired:
	}
	return nil
}

// dial makes one attempt to connect.
func (l *lane) dial() *connection {
	ctx, cancel := context.WithCancel(l.node.ctx)
	defer cancel()
	result := make(chan dialResult, 1)
	mine, known := l.peer.numbers()
	l.offered = mine
	attach := handshake.Attach{
		Channel: l.stream.ch.Name, Lane: uint32(l.index), Association: mine, Known: known,
		Epoch: l.epoch, Received: l.received.Load(), Compression: uint32(l.stream.ch.Compression),
	}
	l.peer.wg.Go(func() { result <- l.node.dial(ctx, l.peer, attach) })
	abandon := func() {
		cancel()
		if r := <-result; r.conn != nil {
			r.conn.Close()
		}
	}
	for {
		select {
		case r := <-result:
			if r.err == nil && l.dialled(r.conn) {
				return r.conn
			}
			l.failed(r.err)
			return nil
		case o := <-l.offers:
			if l.node.id.Less(l.peer.id) {
				// Both sides are dialling: the lesser's connection counts.
				o.refuse(handshake.ErrDuplicate)
				continue
			}
			abandon()
			if c := l.accept(o); c != nil {
				return c
			}
			l.failed(handshake.ErrDuplicate)
			return nil
		case <-l.peer.retired:
			abandon()
			return nil
		}
	}
}

// dialled takes over a connection that this side has made. It reports false if
// it belongs to another association.
func (l *lane) dialled(c *connection) bool {
	if !l.peer.associate(c.attach.Association, c.peer.MaxPayload) {
		c.Close()
		return false
	}
	l.epoch = c.attach.Epoch
	if !c.relayed {
		l.peer.dialled.Store(true)
	}
	return true
}

// failed deals with an attempt to connect in vain; a nil err means that what
// was reached belongs to another association.
func (l *lane) failed(err error) {
	l.attempts++
	l.node.stats.dialsFailed.Add(1)
	l.stream.mu.Lock()
	asked := l.asked
	if asked {
		l.peer.asked.store(time.Now()) // it is kept until the overlay has been told
	}
	l.asked, l.invited = false, false
	var stranded [][]byte
	if l.stream.kind == streamPosts {
		stranded = l.postsFailedLocked()
	}
	l.stream.mu.Unlock()
	for _, frame := range stranded {
		l.node.post(detour{l.peer.id, frame})
	}
	if err == nil || errors.Is(err, handshake.ErrStale) {
		if l.peer.renew(l.offered) {
			if asked {
				l.dialOnce()
			}
			return
		}
		l.node.post(peerLost{l.peer, overlay.ErrForgotten})
		return
	}
	l.node.dialRefused(err, "node", l.peer.id, "lane", l)
	if asked || errors.Is(err, syscall.ECONNREFUSED) {
		l.node.post(dialFailed{l.peer, err})
	}
	if l.sequenced() {
		// Perhaps this node cannot reach the other one, but is reached by it.
		l.peer.tell(l.invitation())
	}
}

// accept takes a connection that the peer has dialled. The lane must have none.
func (l *lane) accept(o *offer) *connection {
	mine, theirs := l.peer.numbers()
	epoch := max(l.epoch, o.conn.attach.Epoch) + 1
	answer := handshake.Attach{
		Channel: l.stream.ch.Name, Lane: uint32(l.index), Association: mine, Known: theirs,
		Epoch: epoch, Received: l.received.Load(), Compression: uint32(l.stream.ch.Compression),
	}
	if !o.accept(answer) {
		return nil
	}
	l.epoch = epoch
	return o.conn
}

// serve lets a connection work until it breaks, is replaced, or the peer is
// retired. It returns the connection that replaces it, if there is one.
func (l *lane) serve(c *connection) *connection {
	k, err := newLink(l, c)
	if err != nil {
		c.Close()
		l.node.quiet.warn("connection not used", "node", l.peer.id, "lane", l, "error", err)
		l.attempts++
		return nil
	}
	if !l.attach(k) {
		c.Close()
		k.pipe.close()
		l.node.post(peerLost{l.peer, overlay.ErrForgotten})
		l.attempts++
		return nil
	}
	if l.stream.kind == streamMembership {
		l.node.post(linkUp{l.peer, !c.outgoing})
	}
	k.start()
	next := l.watch(k)
	l.detach(k)
	var replacement *connection
	if next != nil {
		replacement = l.accept(next)
	}
	if l.stream.kind == streamMembership && replacement == nil {
		l.node.post(linkDown{l.peer, k.err})
	}
	return replacement
}

// attach prepares the lane for a new connection. It reports false if the two
// sides do not agree on what has been received.
func (l *lane) attach(k *link) bool {
	limit := l.peer.limit()
	l.peer.asked.store(time.Now())
	l.stream.mu.Lock()
	var withdrawn [][]byte
	if l.sequenced() {
		if !l.out.rewind(k.conn.attach.Received) {
			l.stream.mu.Unlock()
			return false
		}
		withdrawn = l.out.queue.withdraw(limit, void)
		l.out.queue.limit = limit
		l.confirmLocked()
	} else {
		l.out.init(0)
		for _, frame := range l.posts {
			l.pushLocked(0, frame, nil)
		}
		l.posts, l.failures = nil, 0
	}
	l.asked, l.invited, l.link, l.finish, l.asleep = false, false, k, false, false
	l.stream.mu.Unlock()
	for _, frame := range withdrawn {
		l.node.withdrawn(frame)
	}
	return true
}

// void returns the frame that takes the place of one that was withdrawn.
func void(shard uint32) []byte {
	var m wire.After
	if shard < shards {
		m.Shard = shard + 1
	}
	return wire.Append(nil, wire.KindVoid, &m, 0)
}

// withdrawn accounts for what was queued before it was known how little the
// other side takes.
func (n *Node) withdrawn(frame []byte) {
	n.stats.tooLarge.Add(1)
	var m wire.Signal
	if wire.Kind(frame[0]) != wire.KindSignal || m.Unmarshal(frame[wire.HeaderSize:]) != nil {
		return
	}
	n.quiet.warn("message larger than the other node takes", "type", m.Type)
	if m.Kind == uint32(actor.SignalCall) {
		n.sys.Deliver(actor.Signal{Kind: actor.SignalReply, Ref: m.Ref, Reason: ErrTooLarge})
	}
}

// detach ends k and notes whether it was of any use.
func (l *lane) detach(k *link) {
	k.stop()
	l.stream.mu.Lock()
	l.link = nil
	if l.writing { // a sender, which will be done now that the connection is closed
		done := make(chan struct{})
		l.written = done
		l.stream.mu.Unlock()
		<-done
		l.stream.mu.Lock()
	}
	l.stream.mu.Unlock()
	if k.progress() {
		l.attempts = 0
	} else {
		l.attempts++
	}
	if !l.peer.isRetired() {
		l.node.log.Debug("connection lost", "node", l.peer.id, "lane", l, "error", k.err)
	}
}

// watch waits until k has failed, or something else ends it: then it returns
// the offer that replaces it, if that is what did.
func (l *lane) watch(k *link) *offer {
	look := time.NewTicker(l.node.cfg.Heartbeat)
	defer look.Stop()
	for {
		select {
		case <-k.failed:
			return nil
		case o := <-l.offers:
			if k.conn.outgoing && o.conn.attach.Epoch < l.epoch {
				// It was dialled before the peer knew of k.
				o.refuse(handshake.ErrDuplicate)
				continue
			}
			k.fail(errReplaced)
			return o
		case <-look.C:
			switch {
			case l.stream.kind == streamMembership:
				k.slim() // it is never idle: the overlay says when to hang up
			case l.sequenced() && k.stalled():
				k.fail(errStalled)
			case k.idle():
				l.hangUp()
			}
			if l.index == 0 {
				l.stream.shrink()
			}
			k.rejoin()
		case <-l.peer.retired:
			k.drain()
			return nil
		}
	}
}
