package causal

import (
	"errors"
	"fmt"
	"math/bits"
)

// Stats counts what a [Group] holds.
type Stats struct {
	// Members are the incarnations in the view, this one and the Buried ones
	// included.
	Members, Buried int
	// Waiting messages are held, which take Bytes.
	Waiting, Bytes int
	// Live are the pairs of nodes that the next stamps tell of: at most
	// (Members-1) squared.
	Live int
	// Version of the view.
	Version uint64
}

// Stats returns the present counts.
func (g *Group[T]) Stats() Stats {
	s := Stats{Members: len(g.members), Buried: g.buried, Waiting: g.waiting, Bytes: g.bytes, Version: g.version}
	for _, r := range g.rows {
		if r != nil {
			s.Live += bits.OnesCount64(r.live)
		}
	}
	return s
}

// valid reports what is wrong with the invariants.
func (g *Group[T]) valid() error {
	var errs []error
	check := func(ok bool, what string, args ...any) {
		if !ok {
			errs = append(errs, fmt.Errorf("causal: invariant broken: "+what, args...))
		}
	}
	waiting, bytes, buried, members := 0, 0, 0, 0
	for i, m := range g.slots {
		check((m == nil) == (g.rows[i] == nil), "5: a slot without a row")
		if m == nil {
			continue
		}
		members++
		check(g.members[m.id] == m && m.slot == i && !m.freed, "5: a slot is not its member's")
		check(g.graves.byNode[m.id] == nil, "5: a member with a grave")
		if m.buried {
			buried++
		}
		for _, h := range m.held {
			waiting, bytes = waiting+1, bytes+h.size
		}
		errs = append(errs, g.validMember(m), g.validRow(i))
	}
	check(g.self() != nil && g.self().id == g.cfg.Self && members == len(g.members), "5: slot 0 or members")
	check(waiting == g.waiting && bytes == g.bytes && buried == g.buried, "4: counts")
	check(waiting <= g.cfg.MaxHeld && bytes <= g.cfg.MaxBytes, "4: too much is held")
	queued := 0
	for _, h := range g.queue {
		if !h.ended {
			queued++
		}
	}
	check(queued == waiting && len(g.queue) <= 32+2*max(waiting, 1), "4: %d queued, %d of them waiting", len(g.queue), queued)
	check(len(g.graves.order) == len(g.graves.byNode) && len(g.graves.order) <= maxGraves, "6: graves")
	return errors.Join(errs...)
}

func (g *Group[T]) validMember(m *member[T]) error {
	last := m.passed
	for _, h := range m.held {
		if h.stamp.Seq <= last || h.ended || h.from != m {
			return fmt.Errorf("causal: invariant broken: 1: %v held after %v", h.stamp.Seq, last)
		}
		if g.ready(h) {
			return fmt.Errorf("causal: invariant broken: 3: %v could be delivered", h.stamp.Seq)
		}
		last = h.stamp.Seq
	}
	if err := errors.Join(m.gone.valid(m.passed+1, 2*maxSpans), m.skipped.valid(1, maxSpans), m.lost.valid(1, maxSpans)); err != nil {
		return err
	}
	if n := len(m.skipped); n > 0 && m.skipped[n-1].Last > m.passed {
		return fmt.Errorf("causal: invariant broken: 1: skipped %v, passed %v", m.skipped, m.passed)
	}
	for i, told := range m.told {
		for ; told != 0; told &= told - 1 {
			if d := bits.TrailingZeros64(told); g.slots[i] == nil || g.slots[d] == nil || i == d {
				return fmt.Errorf("causal: invariant broken: 6: told of %d>%d", i, d)
			}
		}
	}
	return nil
}

func (g *Group[T]) validRow(i int) error {
	r := g.rows[i]
	for d := range g.slots {
		live := r.live&(1<<d) != 0
		if live != (r.sent[d] > r.done[d]) {
			return fmt.Errorf("causal: invariant broken: 2: live is not sent > done for %d>%d", i, d)
		}
		if live && (d == 0 || d == i || g.slots[d] == nil) {
			return fmt.Errorf("causal: invariant broken: 2: %d>%d is live", i, d)
		}
	}
	return nil
}

// valid reports whether s is not a set of numbers from first on, in at most most
// spans.
func (s spans) valid(first Seq, most int) error {
	ok := len(s) <= most
	for i, v := range s {
		ok = ok && v.First >= first && v.Last >= v.First && (i == 0 || v.First > s[i-1].Last+1)
	}
	if !ok {
		return fmt.Errorf("causal: invariant broken: 6: spans %v", s)
	}
	return nil
}
