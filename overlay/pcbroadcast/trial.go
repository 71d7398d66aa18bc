package pcbroadcast

import "time"

// start begins to try l: to what is in buffer is added what is delivered from now
// on, until the other end is known to have settled all that was settled before.
func (c *Core[T]) start(l *link, buffer []*item) {
	l.out, l.buffer, l.round, l.late = trying, buffer, 0, false
	l.first = c.pings + 1
	l.since = l.first
	l.due = c.now.Add(c.cfg.Timeout)
	c.launch(l)
}

// launch sends a ping to l's other end, behind all that was sent on safe links. If
// there is none, or a ping has found no way already, the other end is asked what
// it has besides; first of all, and instead, if that is not much, and always if it is
// nothing. A node that has not begun waits to be adopted instead.
func (c *Core[T]) launch(l *link) {
	c.pings++
	l.last, l.astray = c.pings, true
	known := len(c.settled.byName)
	if c.begun && c.cfg.Direct > 0 && known <= c.cfg.Direct && (l.round == 0 || known == 0) {
		l.astray = false // it needs no way
		c.send(l, Ask{Number: l.last, Marks: c.settled.marks(nil)})
		return
	}
	hops := min(c.cfg.Hops<<min(l.round, 16), maxHops)
	ping := Ping{From: c.cfg.Self, To: l.node, Number: l.last, Hops: hops}
	for _, way := range c.links {
		if way.out == safe {
			l.astray = false
			c.send(way, ping)
		}
	}
	if c.begun && (l.astray || l.round > 0) {
		c.send(l, Ask{Number: l.last, Marks: c.settled.marks(nil)})
	}
}

// pong has come over l. It counts if it answers a ping that was sent since the
// buffer began.
func (c *Core[T]) pong(l *link, m Pong) {
	switch {
	case l.out != trying || m.Number > l.last || m.Number < l.since:
	case m.Number < l.first:
		l.late = true
	default:
		c.open(l, Open{}, false)
	}
}

// timeout ends a round of l. After the last one it is certain that there is no
// way for pings, and the link is opened by force; unless some came back too late.
func (c *Core[T]) timeout(l *link) {
	l.round++
	switch {
	case l.round < c.cfg.Rounds:
		l.due = c.now.Add(c.cfg.Timeout)
		c.launch(l)
	case l.late:
		c.rest(l, ErrSlow)
	default:
		c.force(l, false)
	}
}

func (c *Core[T]) rest(l *link, reason error) {
	l.out, l.buffer = resting, nil
	l.due = c.now.Add(c.cfg.Rest)
	c.emit(Unsafe{l.node, reason})
}

// force opens l with all that was settled before its buffer began. Whatever of it
// the other end lacks, it gives up.
func (c *Core[T]) force(l *link, adopt bool) {
	if l.out != trying {
		l.buffer = nil
	}
	c.open(l, Open{Marks: c.settled.marks(l.buffer), Adopt: adopt}, !adopt)
}

// open begins the stream to l's other end, with what is in the buffer. It may be
// the way that pings to others did not have.
func (c *Core[T]) open(l *link, m Open, forced bool) {
	buffer := l.buffer
	c.pings++
	m.Number = c.pings
	l.out, l.buffer, l.opened, l.due = safe, nil, m.Number, time.Time{}
	c.begun = true
	c.send(l, m)
	for _, it := range buffer {
		c.send(l, it.body)
	}
	c.emit(Safe{l.node, forced})
	for _, other := range c.links {
		if other.out == trying && other.astray {
			c.launch(other)
		}
	}
}

// refused: the other end has not let the stream begin, or not go on.
func (c *Core[T]) refused(l *link, m Refuse) {
	switch {
	case l.out != safe || l.opened != m.Number:
	case m.Full:
		c.rest(l, ErrFull)
	default:
		c.emit(Unsafe{l.node, ErrRefused})
		c.start(l, nil)
	}
}

// pass sends an item, which came over from, on all safe links but that, and keeps
// it for those that are tried. Buffers that are full begin anew, with a ping that
// is sent when the item is on its way everywhere.
func (c *Core[T]) pass(from *link, it *item) {
	for _, l := range c.links {
		switch {
		case l == from || l.node == it.origin:
		case l.out == safe:
			c.send(l, it.body)
		case l.out == trying, l.out == silent:
			l.buffer = append(l.buffer, it)
		}
	}
	for _, l := range c.links {
		if len(l.buffer) > c.cfg.MaxBuffer {
			l.buffer = nil
			if l.out == trying {
				l.first = c.pings + 1
				c.launch(l)
			}
		}
	}
}
