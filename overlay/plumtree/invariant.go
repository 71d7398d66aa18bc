package plumtree

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// valid reports what is wrong with the invariants.
func (c *Core) valid() error {
	v := validity{c: c}
	v.peers()
	v.lists()
	retained, want, bytes, trees := 0, 0, 0, 0
	for i, o := range c.origins {
		v.check(i == 0 || c.origins[i-1].node.Compare(o.node) < 0, "2: origins out of order")
		v.origin(o)
		retained, want = retained+len(o.kept), want+len(o.want)
		for _, k := range o.kept {
			bytes += len(k.payload)
		}
		if o.tree != nil {
			trees++
		}
	}
	v.check(len(c.origins) <= c.cfg.MaxOrigins, "2: %d origins", len(c.origins))
	for i, o := range c.recent {
		v.check(o == nil || c.known(o.node) == o && !slices.Contains(c.recent[:i], o), "2: a recent one is forgotten, or twice there")
	}
	v.check(c.own == c.known(c.cfg.Self), "2: own is not this node's")
	v.check(c.leader == nil || c.leader == c.known(c.leader.node) && c.leader.tree == nil, "2: who leads is forgotten, or has its own tree")
	v.check(retained == len(c.cache) && bytes == c.bytes, "4: cache %d of %d bytes, lists %d of %d", len(c.cache), c.bytes, retained, bytes)
	v.check(want == len(c.timers), "5: %d timers, %d listed", len(c.timers), want)
	v.check(trees == c.trees && trees <= c.cfg.MaxTrees && (trees == 0 || c.cfg.PerOrigin), "7: %d trees, %d counted", trees, c.trees)
	return errors.Join(v.errs...)
}

type validity struct {
	c    *Core
	errs []error
}

func (v *validity) check(ok bool, what string, args ...any) {
	if !ok {
		v.errs = append(v.errs, fmt.Errorf("plumtree: invariant broken: "+what, args...))
	}
}

func (v *validity) peers() {
	c := v.c
	var used tree
	queued := false
	for i, p := range c.peers {
		v.check(i == 0 || c.peers[i-1].node.Compare(p.node) < 0, "1: peers out of order")
		v.check(p.node != c.cfg.Self && !p.node.IsZero() && !p.gone, "1: %v is no neighbor", p.node)
		v.check(!used.isLazy(p.slot), "1: slot %d twice", p.slot)
		used.makeLazy(p.slot)
		v.check(len(p.announce) < c.cfg.MaxIHave, "6: %d announcements", len(p.announce))
		queued = queued || p.announce != nil
	}
	open := make(map[*peer]int)
	for _, m := range c.timers {
		open[m.first]++
	}
	for _, p := range c.peers {
		v.check(p.open == open[p] && p.open <= c.cfg.share(), "5: %d announced first, counted %d", open[p], p.open)
	}
	v.check(!queued || !c.flushAt.IsZero(), "6: announcements without a time")
}

func (v *validity) lists() {
	c := v.c
	v.check(len(c.cache) <= c.cfg.MaxRetained && c.bytes <= c.cfg.MaxBytes, "4: %d retained, %d bytes", len(c.cache), c.bytes)
	for i, k := range c.cache {
		v.check(i == 0 || !c.cache[i-1].born.After(k.born), "4: cache out of order")
		v.check(!k.evicted && k.from.retained(k.seq) == k && c.known(k.from.node) == k.from, "4: %v is not its origin's", k.id())
	}
	v.check(len(c.timers) <= c.cfg.MaxMissing, "5: %d timers", len(c.timers))
	for i, m := range c.timers {
		at, found := c.findTimer(m)
		v.check(found && at == i, "5: timers out of order")
		v.check(m.from.wanted(m.seq) == m && c.known(m.from.node) == m.from, "5: %v#%d is not its origin's", m.from.node, m.seq)
		for j, a := range m.who {
			v.check(!a.peer.gone && c.peer(a.peer.node) == a.peer, "5: the announcer %v is no neighbor", a.peer.node)
			v.check(!slices.ContainsFunc(m.who[:j], func(b announcer) bool { return a.peer == b.peer }), "5: %v announces twice", a.peer.node)
		}
		v.check(m.asked == nil || !m.asked.gone, "5: who was asked is no neighbor")
	}
}

func (v *validity) origin(o *origin) {
	have := o.have(nil)
	v.check(have.valid(v.c.cfg.MaxHoles), "3: %+v", have)
	v.check(len(o.seen.above) == 0 || o.doom != nil, "3: holes of %v without an end", o.node)
	v.check(o.doom == nil || o.doom.upTo > o.seen.low && !o.doom.at.IsZero(), "3: %v is doomed up to %d, low is %d", o.node, o.doomed(), o.seen.low)
	if o == v.c.own {
		v.check(len(o.seen.above) == 0 && o.doom == nil && len(o.want) == 0, "2: own has holes")
	}
	for i, k := range o.kept {
		v.check(k.from == o && o.seen.has(k.seq) && (i == 0 || o.kept[i-1].seq < k.seq), "4: retained %d of %v", k.seq, o.node)
	}
	for i, m := range o.want {
		v.check(m.from == o && !o.seen.has(m.seq) && (i == 0 || o.want[i-1].seq < m.seq), "5: missing %d of %v", m.seq, o.node)
	}
	v.check(o.last.After(time.Time{}), "2: %v has no time", o.node)
}
