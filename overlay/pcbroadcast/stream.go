package pcbroadcast

import "github.com/topos-go/topos/overlay"

// data delivers a message and passes it on, unless it is settled.
func (c *Core[T]) data(l *link, m Data[T]) {
	if !l.open || m.Seq == 0 || m.Origin.Name == "" || m.Origin == c.cfg.Self {
		return
	}
	mark := Mark{m.Origin, m.Seq}
	if c.settled.covers(mark) {
		c.settled.hear(c.now, m.Origin.Name)
		return
	}
	if !c.settled.room(c.now, mark) {
		c.full(mark)
		return
	}
	before := c.settled.at(m.Origin.Name)
	c.gap(before, Mark{m.Origin, m.Seq - 1})
	c.settled.set(c.now, mark)
	c.emit(Deliver[T](m))
	c.pass(l, &item{body: m, origin: m.Origin, before: []Mark{before}})
	c.answer(mark)
}

// gap reports what lies between two marks, of the later one's origin.
func (c *Core[T]) gap(before, after Mark) {
	first := uint64(1)
	if before.Origin == after.Origin {
		first = before.Seq + 1
	}
	if first <= after.Seq {
		c.emit(Gap{after.Origin, first, after.Seq})
	}
}

// skip settles what the other end has settled without delivering it.
func (c *Core[T]) skip(l *link, m Skip) {
	if !l.open {
		return
	}
	if lack := c.settled.lacking(m.Marks, c.cfg.Self); !c.settled.room(c.now, lack...) {
		c.full(lack[0])
	} else if len(lack) > 0 {
		c.giveUp(l, lack)
	}
}

// giveUp settles marks, which came over l, and has all behind this node do the
// same, before it gets what comes after.
func (c *Core[T]) giveUp(l *link, marks []Mark) {
	it := &item{body: Skip{marks}}
	for _, m := range marks {
		it.before = append(it.before, c.settled.at(m.Origin.Name))
	}
	c.settle(marks, true)
	c.pass(l, it)
	c.answer(marks...)
}

func (c *Core[T]) settle(marks []Mark, report bool) {
	for _, m := range marks {
		if report {
			c.gap(c.settled.at(m.Origin.Name), m)
		}
		c.settled.set(c.now, m)
	}
}

// ping answers a ping, or passes it on.
func (c *Core[T]) ping(l *link, m Ping) {
	switch {
	case !l.open || m.From == c.cfg.Self || m.From.IsZero():
	case m.To == c.cfg.Self:
		if back := c.link(m.From); back != nil && back.theirs != 0 {
			c.send(back, Pong{m.Number})
		}
	case m.Hops <= 1 || !c.passed.add(m.From, m.Number):
	default:
		m.Hops = min(m.Hops, maxHops) - 1
		for _, way := range c.links {
			if way != l && way.out == safe && way.node != m.From {
				c.send(way, m)
			}
		}
	}
}

// question remembers what the other end wants to be settled.
func (c *Core[T]) question(l *link, m Ask) {
	if len(m.Marks) > c.cfg.MaxOrigins {
		return
	}
	l.question, l.wanted = m.Number, make(map[string]Mark)
	for _, mark := range c.settled.lacking(m.Marks, c.cfg.Self) {
		l.wanted[mark.Origin.Name] = mark
	}
	c.answer()
}

// answer answers the questions that can be, now that marks are settled.
func (c *Core[T]) answer(marks ...Mark) {
	for _, l := range c.links {
		if l.wanted == nil {
			continue
		}
		for _, m := range marks {
			if want, ok := l.wanted[m.Origin.Name]; ok && c.settled.covers(want) {
				delete(l.wanted, m.Origin.Name)
			}
		}
		if len(l.wanted) == 0 {
			l.wanted = nil
			c.send(l, Pong{l.question})
		}
	}
}

// passed are the last pings of others that were passed on. When there are too
// many, the node longest known is forgotten, and a ping of it may go round again
// while it has hops.
type passed struct {
	max    int
	byNode map[overlay.Node]uint64
	order  []overlay.Node
}

// add reports whether no ping of node with that number or a later one has come.
func (p *passed) add(node overlay.Node, number uint64) bool {
	last, ok := p.byNode[node]
	if number <= last {
		return false
	}
	if !ok {
		if len(p.order) >= p.max {
			delete(p.byNode, p.order[0])
			p.order = p.order[1:]
		}
		p.order = append(p.order, node)
	}
	p.byNode[node] = number
	return true
}
