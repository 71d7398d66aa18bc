package pcbroadcast

import (
	"cmp"
	"slices"
	"time"
)

// alone reports whether no stream comes in: then nothing is on its way to this
// node.
func (c *Core[T]) alone() bool {
	return !slices.ContainsFunc(c.links, func(l *link) bool { return l.open })
}

// seek asks another node for a stream, if none comes in: one node at a time, so
// that there is one place where this node goes on. It answers those that ask it
// as soon as it has begun itself.
func (c *Core[T]) seek() {
	if c.begun {
		c.grant()
	}
	if !c.alone() {
		c.askAt = time.Time{}
		for _, l := range c.links {
			l.asked = 0
		}
		return
	}
	var next *link
	hopeless := !c.begun // those asked wait for an answer from this node
	for _, l := range c.links {
		if l.theirs == 0 {
			continue
		}
		hopeless = hopeless && (l.asked == 0 || l.begs)
		if next == nil || cmp.Or(cmp.Compare(l.asked, next.asked), cmp.Compare(l.mine, next.mine)) < 0 {
			next = l
		}
	}
	switch {
	case next == nil:
		c.askAt = time.Time{}
	case c.askAt.IsZero(), hopeless && next.asked == 0:
		next.asked++
		c.askAt = c.now.Add(c.cfg.Timeout)
		c.send(next, Adopt{})
	}
}

// grant begins streams to those who have asked for one.
func (c *Core[T]) grant() {
	for _, l := range c.links {
		if l.begs && l.out != safe {
			c.force(l, true)
		}
		l.begs = false
	}
}

// askAgain gives up hope of an answer. A node that has not begun, and has asked
// everybody, begins where it is: those who have asked it may wait for it as it
// waits for others.
func (c *Core[T]) askAgain() {
	c.askAt = time.Time{}
	if !c.begun && !slices.ContainsFunc(c.links, func(l *link) bool { return l.theirs != 0 && l.asked == 0 }) {
		c.grant()
	}
}

// opening begins a stream from l's other end, if all that came before it can be
// settled. A node to which nothing else leads does so quietly: it lost it anyway.
// Otherwise the others lose with it what is on its way to them, so this is not
// done for a mere adoption that is not needed any more.
func (c *Core[T]) opening(l *link, m Open) {
	lack := c.settled.lacking(m.Marks, c.cfg.Self)
	l.open, l.stream = false, m.Number
	switch {
	case !c.settled.room(c.now, lack...):
		l.open = true // and refused with the others
		c.full(lack[0])
		return
	case len(lack) == 0:
		l.open = true
	case c.alone():
		c.adopted(l, lack)
		return // which has begun
	case m.Adopt:
		c.send(l, Refuse{Number: m.Number})
		return
	default:
		l.open = true
		c.giveUp(l, lack)
	}
	c.begin(l)
}

// adopted goes on where l's other end is. Whoever has had a stream from this node
// does not know what it has settled now, which may still be on its way there: so
// that others do not have to give it up, they are tried anew.
func (c *Core[T]) adopted(l *link, lack []Mark) {
	c.settle(lack, c.entered)
	l.open = true
	var again []*link
	for _, other := range c.links {
		switch {
		case other == l || other.out == resting:
			continue
		case other.out == silent:
			other.buffer = nil
			continue
		case other.out == safe:
			c.send(other, Shut{})
			c.emit(Unsafe{other.node, ErrRestart})
		}
		other.out, other.astray = trying, false // so that no ping goes this way
		again = append(again, other)
	}
	c.emit(Adopted{l.node})
	c.begin(l)
	for _, other := range again {
		c.start(other, nil)
	}
	c.answer(lack...)
}

// begin answers the first stream of all with one: nothing that this node has
// settled is unknown to l's other end, but for its own broadcasts, which nobody
// has.
func (c *Core[T]) begin(l *link) {
	first := !c.begun
	c.begun, c.entered = true, true
	if first && l.out == trying {
		own := slices.DeleteFunc(c.settled.marks(l.buffer), func(m Mark) bool { return m.Origin != c.cfg.Self })
		c.open(l, Open{Marks: own}, false)
	}
}

// full: mark finds no place, so nothing that comes after it can be taken from
// anybody. The streams are refused, and asked for again when something can be
// forgotten.
func (c *Core[T]) full(mark Mark) {
	c.emit(Full{mark.Origin})
	for _, l := range c.links {
		if l.open {
			l.open = false
			c.send(l, Refuse{Number: l.stream, Full: true})
		}
	}
	c.askAt = c.settled.sweepAt
	if c.askAt.IsZero() || c.askAt.Before(c.now.Add(c.cfg.Rest)) {
		c.askAt = c.now.Add(c.cfg.Rest)
	}
}
