package swim

import (
	"errors"
	"fmt"
	"slices"

	"github.com/topos-go/topos/overlay"
)

// checker collects what is wrong.
type checker []error

func (e *checker) check(ok bool, what string, args ...any) {
	if !ok {
		*e = append(*e, fmt.Errorf("swim: invariant broken: "+what, args...))
	}
}

// valid reports what is wrong with the invariants.
func (c *Core) valid() error {
	var e checker
	if c.validIndex(&e); len(e) > 0 { // the others find by it
		return errors.Join(e...)
	}
	c.validMembers(&e)
	c.validSuspicions(&e)
	c.validProbes(&e)
	c.validRumors(&e)
	for _, q := range c.tempo.asked {
		state := c.members.all[max(q.target, 0):]
		e.check(q.seq == 0 || len(state) > 0 && (state[0].state == Alive || state[0].state == Suspect), "9: waits for %d", q.target)
	}
	e.check(0 <= c.slack() && c.slack() <= mostSlack*c.cfg.Period, "9: slack %v", c.slack())
	e.check(0 <= c.health && c.health <= c.cfg.MaxHealth && (!c.cfg.Plain || c.health == 0), "7: health %d", c.health)
	e.check(c.turnAt.IsZero() == (len(c.members.order) == 0), "8: turn at %v", c.turnAt)
	e.check(c.reviveAt.IsZero() == (len(c.members.failed) == 0), "8: revival at %v", c.reviveAt)
	e.check(c.gossipAt.IsZero() == (c.rumors.loud == 0 || len(c.members.order) == 0), "8: gossip at %v, %d loud", c.gossipAt, c.rumors.loud)
	return errors.Join(e...)
}

func (c *Core) validIndex(e *checker) {
	t, used := &c.members, 0
	for at, s := range t.index.slots {
		if s == empty {
			continue
		}
		used++
		i := int(s & idMask)
		e.check(i < len(t.all) && t.all[i].state != 0, "1: slot %d is of %d", at, i)
	}
	e.check(used == t.count(), "1: %d of %d in the index", used, t.count())
}

func (c *Core) validMembers(e *checker) {
	t := &c.members
	e.check(t.count() <= c.cfg.MaxMembers && t.count()+len(t.free) == len(t.all), "1: %d members", t.count())
	e.check(len(t.order)+len(t.failed) == t.count() && 0 <= t.next && t.next <= len(t.order), "2: next %d", t.next)
	used := 0
	for n, m := range t.all {
		if m.state == 0 {
			continue
		}
		i, node := id(n), t.node(id(n))
		used++
		e.check(t.find(node) == i, "1: %v is found at %d, not %d", node, t.find(node), i)
		e.check(node != c.cfg.Self && !node.IsZero(), "1: %v watched", node)
		list := t.order
		if m.state == Confirm {
			list = t.failed
		}
		e.check(int(m.place) < len(list) && list[m.place] == i, "2: place of %v", node)
		e.check((m.state == Suspect) == (t.suspected[i] != nil), "3: suspicion of %v", node)
		_, more := t.incarnations[i]
		e.check((m.incarnation == many) == more && t.incarnation(i) >= uint64(m.incarnation), "1: incarnation of %v", node)
	}
	e.check(used == t.count(), "1: %d members of %d", used, t.count())
	for n, i := range c.near {
		e.check(t.all[i].state != 0 && !slices.Contains(c.near[:n], i), "1: %d near", i)
	}
	for _, i := range t.free {
		_, more := t.incarnations[i]
		e.check(t.all[i] == member{} && t.suspected[i] == nil && !more, "1: free place in use")
	}
}

func (c *Core) validSuspicions(e *checker) {
	e.check(len(c.members.suspected) == len(c.suspicions), "3: %d suspects", len(c.members.suspected))
	for n, s := range c.suspicions {
		e.check(c.members.suspicion(s.member) == s && s.slot == n, "3: slot %d", n)
		e.check(n == 0 || !c.suspicions.Less(n, (n-1)/2), "3: heap at %d", n)
		e.check(s.expires.Equal(s.since.Add(s.timeout())), "3: expires %v", s.expires)
		asked := slices.ContainsFunc(c.probes, func(p *probe) bool { return p.kind == recheck && p.target == s.member })
		e.check(!s.hidden || s.own && c.cfg.Discreet && asked, "3: hidden, asked %v", asked)
		e.check(s.own == slices.Contains(s.accusers, c.cfg.Self), "3: own")
		e.check(1 <= len(s.accusers) && len(s.accusers) <= s.most+1, "3: %d accusers", len(s.accusers))
		seen := make(map[overlay.Node]bool)
		for _, by := range s.accusers {
			e.check(!seen[by], "3: %v accuses twice", by)
			seen[by] = true
		}
	}
}

func (c *Core) validProbes(e *checker) {
	type one struct {
		target id
		kind   kind
	}
	seen := make(map[one]bool)
	numbers := make(map[uint64]bool)
	turns := 0
	for _, p := range c.probes {
		m := c.members.all[p.target]
		e.check(m.state == Alive || m.state == Suspect, "4: probe of %d, %v", p.target, m.state)
		e.check(p.kind != recheck || c.suspects(p.target), "4: recheck of %d", p.target)
		e.check(!seen[one{p.target, p.kind}] && !numbers[p.seq] && 0 < p.seq && p.seq <= c.seq, "4: probe %d", p.seq)
		seen[one{p.target, p.kind}], numbers[p.seq] = true, true
		if p.kind == inTurn {
			turns++
		}
		e.check(!p.end.IsZero() && len(p.asked) <= p.helpers && p.helpers <= c.cfg.Indirect*(1+len(p.earlier)), "4: probe %d", p.seq)
		e.check(len(p.earlier) == 0 || p.kind == reset && len(p.earlier) <= resets && slices.Max(p.earlier) < p.seq, "4: probe %d was %v", p.seq, p.earlier)
		e.check(p.active() || p.helpers == 0 && len(p.refused) == 0 && !p.again && p.direct.IsZero(), "4: probe %d has been left to others, and has begun", p.seq)
		e.check(!p.lingers || p.kind == second, "4: probe %d lingers", p.seq)
		e.check(0 <= p.slack && p.slack <= mostSlack*c.cfg.Period, "4: probe %d has %v more", p.seq, p.slack)
		for _, i := range append(p.asked[:len(p.asked):len(p.asked)], p.refused...) {
			e.check(c.members.all[i].state != 0, "4: a helper that is forgotten")
		}
	}
	e.check(c.checks(reset, true) <= c.cfg.MaxChecks && c.checks(reset, false) <= c.cfg.MaxChecks, "4: %d checks, and %d that are left to others", c.checks(reset, true), c.checks(reset, false))
	e.check(turns <= 1 && len(c.probes)-turns <= 2*c.cfg.MaxChecks+2*rechecks, "4: %d in turn of %d", turns, len(c.probes))
	e.check(len(c.relays) <= c.cfg.MaxRelays, "5: %d relays", len(c.relays))
	for n, r := range c.relays {
		e.check(n == 0 || !r.end.Before(c.relays[n-1].end), "5: relays out of order")
		e.check(c.members.all[r.target].state != 0, "5: relay to nobody")
	}
	for n, x := range c.crashed {
		twice := slices.ContainsFunc(c.crashed[:n], func(y crash) bool { return x.node == y.node })
		e.check(c.members.find(x.node) == nobody && !twice, "5: %v has crashed", x.node)
	}
	e.check(len(c.crashed) <= maxCrashed, "5: %d have crashed", len(c.crashed))
	for i := range c.refusals {
		e.check(c.members.all[i].state != 0, "5: a refusal by nobody")
	}
	e.check(c.nudge == nobody || c.members.all[c.nudge].state != 0, "5: nudge to nobody")
}

func (c *Core) validRumors(e *checker) {
	count, loud := 0, 0
	for _, bucket := range c.rumors.bySends {
		for _, x := range bucket {
			count++
			if !x.quiet {
				loud++
			}
			if x.fact.Node == c.cfg.Self {
				e.check(x.fact == c.defence(), "6: %+v", x.fact)
				continue
			}
			i := c.members.find(x.fact.Node)
			e.check(i != nobody, "6: rumor about %v", x.fact.Node)
			if i != nobody {
				f, known := c.members.charge(i, c.cfg.Self)
				if !known {
					f = c.members.alive(i)
				}
				e.check(f.State == x.fact.State && f.Incarnation == x.fact.Incarnation, "6: %+v, but %+v", x.fact, f)
			}
		}
	}
	e.check(count == c.rumors.count && loud == c.rumors.loud && count <= c.cfg.MaxRumors, "6: %d rumors, %d loud", count, loud)
}
