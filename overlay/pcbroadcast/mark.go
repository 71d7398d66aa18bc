package pcbroadcast

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/topos-go/topos/overlay"
)

// compare orders marks of one name: by incarnation, then by number.
func (m Mark) compare(n Mark) int {
	return cmp.Or(m.Origin.Compare(n.Origin), cmp.Compare(m.Seq, n.Seq))
}

// settled is how far each name is settled: one mark a name, since what comes of
// an incarnation after something of a later one is not delivered. It grows only
// by what a stream says, and says on: were the older incarnations of this node
// settled because it knows that it is a later one, those behind it would not
// know.
type settled struct {
	self    string // never forgotten
	max     int
	forget  time.Duration
	byName  map[string]entry
	sweepAt time.Time // when one of them may be forgotten; zero if there is none
}

type entry struct {
	Mark
	heard time.Time
}

// covers reports whether m is settled.
func (s *settled) covers(m Mark) bool {
	have, ok := s.byName[m.Origin.Name]
	return ok && have.compare(m) >= 0
}

// at returns how far name is settled. Of one that is not known, nothing is: its
// mark has the number 0 of the zero incarnation.
func (s *settled) at(name string) Mark {
	if have, ok := s.byName[name]; ok {
		return have.Mark
	}
	return Mark{Origin: overlay.Node{Name: name}}
}

// set settles m, which is not settled.
func (s *settled) set(now time.Time, m Mark) {
	s.byName[m.Origin.Name] = entry{m, now}
	if s.sweepAt.IsZero() && m.Origin.Name != s.self {
		s.sweepAt = now.Add(s.forget)
	}
}

// hear says that a copy of something of name has come.
func (s *settled) hear(now time.Time, name string) {
	if have, ok := s.byName[name]; ok {
		have.heard = now
		s.byName[name] = have
	}
}

// room reports whether all marks find a place, for which the long silent may be
// forgotten.
func (s *settled) room(now time.Time, marks ...Mark) bool {
	fits := func() bool {
		more := 0
		if _, ok := s.byName[s.self]; !ok {
			more++
		}
		for _, m := range marks {
			if _, ok := s.byName[m.Origin.Name]; !ok && m.Origin.Name != s.self {
				more++
			}
		}
		return len(s.byName)+more <= s.max
	}
	if fits() {
		return true
	}
	s.sweep(now)
	return fits()
}

// sweep forgets names of which nothing has been heard for too long.
func (s *settled) sweep(now time.Time) {
	if s.sweepAt.IsZero() || now.Before(s.sweepAt) {
		return
	}
	s.sweepAt = time.Time{}
	for name, e := range s.byName {
		if name == s.self {
			continue
		}
		at := e.heard.Add(s.forget)
		if !at.After(now) {
			delete(s.byName, name)
		} else if s.sweepAt.IsZero() || at.Before(s.sweepAt) {
			s.sweepAt = at
		}
	}
}

// marks returns what was settled before the items of buffer, by name: at the
// time when the first of them was about to be put in.
func (s *settled) marks(buffer []*item) []Mark {
	before := make(map[string]Mark)
	for _, it := range slices.Backward(buffer) {
		for _, m := range it.before {
			before[m.Origin.Name] = m
		}
	}
	var marks []Mark
	for name, e := range s.byName {
		m, ok := before[name]
		if !ok {
			m = e.Mark
		}
		if m.Seq > 0 { // else it was not known before
			marks = append(marks, m)
		}
	}
	slices.SortFunc(marks, func(a, b Mark) int { return strings.Compare(a.Origin.Name, b.Origin.Name) })
	return marks
}

// lacking returns those of marks that are not settled, each name once, without
// those of node, which knows best itself, and those that say nothing.
func (s *settled) lacking(marks []Mark, node overlay.Node) []Mark {
	var lack []Mark
	for _, m := range marks {
		if m.Seq > 0 && m.Origin.Name != "" && m.Origin != node && !s.covers(m) {
			lack = append(lack, m)
		}
	}
	slices.SortFunc(lack, func(a, b Mark) int { // the greatest of a name first
		return cmp.Or(strings.Compare(a.Origin.Name, b.Origin.Name), b.compare(a))
	})
	return slices.CompactFunc(lack, func(a, b Mark) bool { return a.Origin.Name == b.Origin.Name })
}
