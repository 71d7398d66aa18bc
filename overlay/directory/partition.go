package directory

import (
	"slices"
	"time"

	"github.com/topos-go/topos/overlay"
)

// fate is what has become of a node of the other side of a partition.
type fate int

const (
	away      fate = iota // silent
	back                  // returned, which has not been said yet
	healed                // returned
	restarted             // replaced by a newer incarnation
	crashed               // found to have crashed, or forgotten
	departed              // left
	fates
)

// tracker tells partitions from crashes and restarts. One member that falls
// silent may be anything. Several at about the same time are the other side of
// a partition, until they are known to have crashed, left or restarted:
//
//	silent --SplitMin and SplitPercent within Window--> split --Settle--> detected
//	detected --some return, Settle--> healed: the rest is missing --all accounted for--> ended
//
// There is one partition at a time: what breaks off later is added to it.
type tracker struct {
	cfg    *Config
	recent []silence // within Window and not in split, in order of time
	split  *split
	id     uint64 // of the last partition
}

type silence struct {
	node overlay.Node
	at   time.Time
}

// split is one partition. Nothing is said of it before it has settled.
type split struct {
	there    map[overlay.Node]fate
	counts   [fates]int
	last     time.Time // when the last node fell silent
	reports  int       // how often it was said
	report   alarm     // to say which sides there are
	heal     alarm     // to say who has returned
	detected PartitionDetected
}

// alarm rings when nothing has happened for a while, but not later than a
// bound after something has first happened: what flaps does not put it off for
// ever.
type alarm struct{ at, latest time.Time }

func (a *alarm) set(now time.Time, quiet, most time.Duration) {
	if a.latest.IsZero() {
		a.latest = now.Add(most)
	}
	a.at = now.Add(quiet)
	if a.at.After(a.latest) {
		a.at = a.latest
	}
}

// rings reports whether it is time, once.
func (a *alarm) rings(now time.Time) bool {
	if a.at.IsZero() || now.Before(a.at) {
		return false
	}
	*a = alarm{}
	return true
}

// failed: node is down, so that alive members are left.
func (p *tracker) failed(now time.Time, node overlay.Node, hasCrashed bool, alive int) Effects {
	if hasCrashed {
		return p.crashed(now, node)
	}
	s := p.split
	if s != nil {
		if _, known := s.there[node]; known {
			s.last = now
			return p.move(now, node, away)
		}
	}
	p.recent = slices.DeleteFunc(p.recent, func(r silence) bool { return now.Sub(r.at) > p.cfg.Window || r.node == node })
	p.recent = append(p.recent, silence{node, now})
	n := len(p.recent)
	switch many := n >= p.cfg.SplitMin && n*100 >= p.cfg.SplitPercent*(alive+n); {
	case s != nil && (many || now.Sub(s.last) <= p.cfg.Window):
	case s == nil && many:
		p.split = &split{there: make(map[overlay.Node]fate)}
	default:
		return nil
	}
	for _, r := range p.recent {
		p.move(now, r.node, away)
	}
	p.recent = nil
	p.split.last = now
	return nil
}

// returned: node is a member again, as the same incarnation.
func (p *tracker) returned(now time.Time, node overlay.Node) Effects {
	p.acquit(node)
	return p.moveKnown(now, node, back)
}

// restarted: a newer incarnation of node's name is known.
func (p *tracker) restarted(now time.Time, node overlay.Node) Effects {
	p.acquit(node)
	return p.moveKnown(now, node, restarted)
}

// crashed: node is known to have crashed.
func (p *tracker) crashed(now time.Time, node overlay.Node) Effects {
	p.acquit(node)
	return p.moveKnown(now, node, crashed)
}

// forgotten: nothing is known of node any more. If it was missing, it has crashed.
func (p *tracker) forgotten(now time.Time, node overlay.Node) Effects {
	p.acquit(node)
	if p.split == nil || !p.split.has(node, away) {
		return nil
	}
	return p.move(now, node, crashed)
}

// departed: node has left.
func (p *tracker) departed(now time.Time, node overlay.Node) Effects {
	p.acquit(node)
	return p.moveKnown(now, node, departed)
}

func (p *tracker) acquit(node overlay.Node) {
	p.recent = slices.DeleteFunc(p.recent, func(r silence) bool { return r.node == node })
}

func (p *tracker) moveKnown(now time.Time, node overlay.Node, to fate) Effects {
	if p.split != nil {
		if _, known := p.split.there[node]; known {
			return p.move(now, node, to)
		}
	}
	return nil
}

// move changes the fate of a node of the other side, or adds one.
func (p *tracker) move(now time.Time, node overlay.Node, to fate) Effects {
	s := p.split
	from, known := s.there[node]
	switch {
	case !known && len(s.there) >= p.cfg.MaxMembers:
		return nil
	case known && from == to:
		return nil
	case known:
		s.counts[from]--
	}
	if s.reports == 0 && to != away { // as if it had never been silent
		delete(s.there, node)
	} else {
		s.there[node] = to
		s.counts[to]++
	}
	switch {
	case to == away && from != back || s.reports == 0:
		s.report.set(now, p.cfg.Settle, p.cfg.Window)
	case to == back:
		s.heal.set(now, p.cfg.Settle, p.cfg.Window)
	}
	return p.end()
}

// has reports whether node is of the other side and has that fate.
func (s *split) has(node overlay.Node, which fate) bool {
	f, known := s.there[node]
	return known && f == which
}

// end says that a partition is over when nobody is missing any more.
func (p *tracker) end() Effects {
	s := p.split
	if s.counts[away]+s.counts[back] > 0 {
		return nil
	}
	p.split = nil
	if s.reports == 0 {
		return nil
	}
	return Effects{PartitionEnded{
		ID: s.detected.ID, Returned: s.with(healed), Restarted: s.with(restarted), Crashed: s.with(crashed), Departed: s.with(departed),
	}}
}

// with returns those of the other side that have one of the fates, sorted.
func (s *split) with(which ...fate) []overlay.Node {
	var nodes []overlay.Node
	for node, f := range s.there {
		if slices.Contains(which, f) {
			nodes = append(nodes, node)
		}
	}
	slices.SortFunc(nodes, overlay.Node.Compare)
	return nodes
}

// tick says what has settled by now. Members are those of this side.
func (p *tracker) tick(now time.Time, members func() []overlay.Node) Effects {
	s := p.split
	if s == nil {
		return nil
	}
	var found Effects
	if s.report.rings(now) {
		found = p.detect(members())
	}
	if p.split != nil && s.heal.rings(now) && s.counts[back] > 0 {
		d := s.detected
		found = append(found, PartitionHealed{
			ID: d.ID, Sides: d.Sides, Leaders: d.Leaders,
			Returned: s.with(back), Restarted: s.with(restarted), Missing: s.with(away),
		})
		for _, node := range s.with(back) {
			s.there[node] = healed
		}
		s.counts[healed] += s.counts[back]
		s.counts[back] = 0
		found = append(found, p.end()...)
	}
	return found
}

// detect says which sides there are. If too few are still silent, there never
// was a partition.
func (p *tracker) detect(members []overlay.Node) Effects {
	s := p.split
	silent := s.with(away)
	n := len(silent)
	switch {
	case s.reports == 0 && (n < p.cfg.SplitMin || n*100 < p.cfg.SplitPercent*(len(members)+n)):
		for _, node := range silent { // who may be the first of another one
			p.recent = append(p.recent, silence{node, s.last})
		}
		p.split = nil
		return nil
	case n == 0 || len(members) == 0 || s.reports > p.cfg.MaxReports:
		return nil
	case s.reports == 0:
		p.id++
	}
	s.reports++
	s.detected = PartitionDetected{
		ID: p.id, Sides: [2][]overlay.Node{members, silent}, Leaders: [2]overlay.Node{members[0], silent[0]},
	}
	return Effects{s.detected}
}

// deadline is when tick has something to do, zero if never.
func (p *tracker) deadline() time.Time {
	if p.split == nil {
		return time.Time{}
	}
	report, heal := p.split.report.at, p.split.heal.at
	if report.IsZero() || !heal.IsZero() && heal.Before(report) {
		return heal
	}
	return report
}
