package cluster

import (
	"slices"
	"time"

	"github.com/topos-go/topos/overlay"
	"github.com/topos-go/topos/overlay/directory"
)

// notice is what this node has found out, a death or a newcomer, and will say unless
// somebody else does first.
type notice struct {
	fact directory.Fact
	due  time.Time
	sent int          // to how many collectors it was sent
	to   overlay.Node // the last of them
}

// notices are some that wait, each of another node.
type notices []notice

// wait has f wait until due, in place of what was known of the same node.
func (all *notices) wait(f directory.Fact, due time.Time) {
	o := notice{fact: f, due: due}
	if i := all.of(f.Node); i >= 0 {
		(*all)[i] = o
	} else {
		*all = append(*all, o)
	}
}

// of returns the index of the one about a node, -1 if there is none.
func (all notices) of(node overlay.Node) int {
	return slices.IndexFunc(all, func(o notice) bool { return o.fact.Node == node })
}

// overhear drops what f says as well, or worse: a later death, or the same for certain.
// A death is worse than that its node has come.
func (all *notices) overhear(f directory.Fact) {
	i := all.of(f.Node)
	if i < 0 {
		return
	}
	if mine := (*all)[i].fact; f.Number > mine.Number || f.Number == mine.Number && f.Status >= mine.Status {
		*all = slices.Delete(*all, i, i+1)
	}
}

// count returns how many are of a kind.
func (all notices) count(kind func(directory.Fact) bool) (n int) {
	for _, o := range all {
		if kind(o.fact) {
			n++
		}
	}
	return n
}

// next returns when the first is due; the zero time if none waits.
func (all notices) next() (next time.Time) {
	for _, o := range all {
		if next.IsZero() || o.due.Before(next) {
			next = o.due
		}
	}
	return next
}

// due reports whether one is.
func (all notices) due(now time.Time) bool { return len(all) > 0 && !now.Before(all.next()) }

func (all notices) facts() []directory.Fact {
	var facts []directory.Fact
	for _, o := range all {
		facts = append(facts, o.fact)
	}
	return facts
}
