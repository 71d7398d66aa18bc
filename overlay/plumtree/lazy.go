package plumtree

import (
	"cmp"
	"slices"
	"time"
)

// missing is a message that was announced and has not come. Its timer is
// Core.timers.
type missing struct {
	from  *origin
	seq   uint64
	at    time.Time // when the next announcer is asked
	order uint64    // which of several at the same time is first
	who   []announcer
	first *peer // who announced it first
	asked *peer // who was asked last
}

// announcer has announced a message, for a round.
type announcer struct {
	peer  *peer
	round int
}

// drop takes the announcements of p away.
func (m *missing) drop(p *peer) {
	m.who = slices.DeleteFunc(m.who, func(a announcer) bool { return a.peer == p })
	if m.asked == p {
		m.asked = nil
	}
}

// best returns the announcer with the shortest path, the first of several.
func (m *missing) best() (announcer, bool) {
	if len(m.who) == 0 {
		return announcer{}, false
	}
	return slices.MinFunc(m.who, func(a, b announcer) int { return cmp.Compare(a.round, b.round) }), true
}

func (o *origin) findWanted(seq uint64) (int, bool) {
	return slices.BinarySearchFunc(o.want, seq, func(m *missing, n uint64) int { return cmp.Compare(m.seq, n) })
}

// wanted returns the message that was announced, or nil.
func (o *origin) wanted(seq uint64) *missing {
	if i, ok := o.findWanted(seq); ok {
		return o.want[i]
	}
	return nil
}

// announce puts k on the list for p, which is sent when it is long enough, or after a
// while. While messages come all the time, that is longer: meanwhile p says itself of most
// that it has them.
func (c *Core) announce(now time.Time, p *peer, k *kept) {
	p.announce = append(p.announce, k)
	if len(p.announce) >= c.cfg.MaxIHave {
		c.flush(p)
	} else if c.flushAt.IsZero() {
		c.flushAt = now.Add(c.cfg.Lazy)
		if next := c.flushed.Add(busy * c.cfg.Lazy); c.flushAt.Before(next) {
			c.flushAt = next
		}
	}
}

// busy is how many times Config.Lazy is between two lists of announcements, at least.
const busy = 3

// flush sends p what it has to be told of.
func (c *Core) flush(p *peer) {
	list := make([]Announcement, 0, len(p.announce))
	for _, k := range p.announce {
		if !k.evicted {
			list = append(list, Announcement{ID: k.id(), Round: k.round + 1})
		}
	}
	p.announce = nil
	if len(list) > 0 {
		c.stats.IHaveSent++
		c.stats.Announced += uint64(len(list))
		c.send(p, IHave{Messages: list})
	}
}

// announced takes a list of announcements.
func (c *Core) announced(now time.Time, p *peer, m IHave) {
	if len(m.Messages) > c.cfg.MaxIHave {
		c.stats.Malformed++
		return
	}
	for i := range m.Messages {
		a := &m.Messages[i]
		if !a.valid() {
			c.stats.Malformed++
			continue
		}
		o := c.origin(a.ID.Origin)
		if a.ID.Origin == c.cfg.Self || o != nil && o.seen.has(a.ID.Seq) {
			if o != nil {
				if k := o.retained(a.ID.Seq); k != nil {
					p.has(k)
					c.optimize(now, k, announcer{p, a.Round})
				}
			}
			continue
		}
		c.miss(now, a.ID, announcer{p, a.Round})
	}
}

// miss notes that by has a message that has not come here: it is asked for when
// the timer fires, not before, as the payload may well be on its way.
func (c *Core) miss(now time.Time, id ID, by announcer) {
	var m *missing
	o := c.origin(id.Origin)
	if o != nil {
		m = o.wanted(id.Seq)
	}
	if m == nil {
		if len(c.timers) >= c.cfg.MaxMissing || by.peer.open >= c.cfg.share() {
			c.stats.Refused++
			return
		}
		if o = c.meet(now, id.Origin, now); o == nil {
			c.stats.Refused++
			return
		}
		m = &missing{from: o, seq: id.Seq, first: by.peer}
		by.peer.open++
		i, _ := o.findWanted(id.Seq)
		o.want = slices.Insert(o.want, i, m)
		c.start(m, now.Add(c.cfg.First))
		c.stir(now, o)
	}
	if !slices.ContainsFunc(m.who, func(a announcer) bool { return a.peer == by.peer }) {
		m.who = append(m.who, by)
	}
	if m.asked == nil && now.Before(by.peer.hasty) {
		c.graft(now, m)
	}
}

// start starts m's timer.
func (c *Core) start(m *missing, at time.Time) {
	c.order++
	m.at, m.order = at, c.order
	i, _ := c.findTimer(m)
	c.timers = slices.Insert(c.timers, i, m)
}

func (c *Core) findTimer(m *missing) (int, bool) {
	return slices.BinarySearchFunc(c.timers, m, func(a, b *missing) int {
		return cmp.Or(a.at.Compare(b.at), cmp.Compare(a.order, b.order))
	})
}

// stop stops m's timer.
func (c *Core) stop(m *missing) {
	i, _ := c.findTimer(m)
	if c.timers = slices.Delete(c.timers, i, i+1); len(c.timers) == 0 {
		c.timers = nil
	}
}

// cancel ends the wait for m.
func (c *Core) cancel(m *missing) {
	c.stop(m)
	m.first.open--
	i, _ := m.from.findWanted(m.seq)
	if m.from.want = slices.Delete(m.from.want, i, i+1); len(m.from.want) == 0 {
		m.from.want = nil
	}
}

// graft asks the first of m's announcers, and the next one after the second
// timeout. When all were asked, the exchange is left to find the message.
func (c *Core) graft(now time.Time, m *missing) {
	if len(m.who) == 0 {
		c.cancel(m)
		return
	}
	c.stop(m)
	t := c.treeOf(m.from)
	i := max(0, slices.IndexFunc(m.who, func(a announcer) bool { return !t.isLazy(a.peer.slot) }))
	p := m.who[i].peer
	m.who = slices.Delete(m.who, i, i+1)
	m.asked = p
	once := !c.leads(m.from)
	if !once {
		t.makeEager(p.slot)
	}
	c.stats.GraftSent++
	c.send(p, Graft{ID: ID{m.from.node, m.seq}, Once: once})
	c.start(m, now.Add(c.cfg.Second))
}
