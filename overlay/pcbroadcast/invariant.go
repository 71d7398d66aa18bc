package pcbroadcast

import (
	"errors"
	"fmt"
)

// valid reports what is wrong with the invariants.
func (c *Core[T]) valid() error {
	var errs []error
	check := func(ok bool, what string, args ...any) {
		if !ok {
			errs = append(errs, fmt.Errorf("pcbroadcast: invariant broken: "+what, args...))
		}
	}
	numbers := make(map[uint64]bool)
	known := false
	for i, l := range c.links {
		check(i == 0 || c.links[i-1].node.Compare(l.node) < 0, "1: %v out of order", l.node)
		check(l.mine > 0 && l.mine <= c.numbers && !numbers[l.mine], "1: number %d", l.mine)
		numbers[l.mine] = true
		known = known || l.theirs != 0
		errs = append(errs, c.validLink(l))
	}
	check(len(c.links) <= c.cfg.MaxLinks, "1: %d links", len(c.links))
	check(c.settled.room(c.now), "5: %d names", len(c.settled.byName))
	for name, e := range c.settled.byName {
		check(e.Origin.Name == name && e.Seq > 0, "5: mark %v of %s", e.Mark, name)
		check(name == c.cfg.Self.Name || !c.settled.sweepAt.IsZero() && !c.settled.sweepAt.After(e.heard.Add(c.cfg.Forget)),
			"5: %s is not forgotten in time", name)
	}
	check(c.seq == 0 || c.settled.covers(Mark{c.cfg.Self, c.seq}), "5: own broadcast %d", c.seq)
	check((c.alone() && known) == !c.askAt.IsZero(), "6: alone %v, known %v, asked again at %v", c.alone(), known, c.askAt)
	check(len(c.passed.order) == len(c.passed.byNode) && len(c.passed.order) <= c.cfg.MaxPings, "7: pings")
	return errors.Join(errs...)
}

func (c *Core[T]) validLink(l *link) error {
	var errs []error
	check := func(ok bool, what string, args ...any) {
		if !ok {
			errs = append(errs, fmt.Errorf("pcbroadcast: invariant broken: "+what+" of %v", append(args, l.node)...))
		}
	}
	check(len(l.buffer) == 0 || l.out == trying || l.out == silent, "2: buffer")
	check(len(l.buffer) <= c.cfg.MaxBuffer, "2: %d buffered", len(l.buffer))
	for _, it := range l.buffer {
		for _, m := range marksOf[T](it.body) {
			check(c.settled.covers(m), "2: %v is buffered", m)
		}
	}
	check((l.theirs == 0) == (l.out == silent), "3: state %d, number %d", l.out, l.theirs)
	check(!l.open || l.theirs != 0, "3: stream")
	check((l.out == trying || l.out == resting) == !l.due.IsZero(), "4: due %v in state %d", l.due, l.out)
	check(l.out != trying || l.first <= l.last && l.last <= c.pings && l.round < c.cfg.Rounds, "4: pings %d to %d", l.first, l.last)
	for name, m := range l.wanted {
		check(m.Origin.Name == name && !c.settled.covers(m), "8: %v is wanted", m)
	}
	check(len(l.wanted) <= c.cfg.MaxOrigins && (l.wanted == nil || len(l.wanted) > 0), "8: %d wanted", len(l.wanted))
	return errors.Join(errs...)
}

// marksOf returns what an item of a stream settles.
func marksOf[T any](body Body) []Mark {
	switch b := body.(type) {
	case Data[T]:
		return []Mark{{b.Origin, b.Seq}}
	case Skip:
		return b.Marks
	}
	return nil
}
