package swim

import (
	"container/heap"
	"math"
	"slices"
	"time"

	"github.com/topos-go/topos/overlay"
)

// suspicion is about one member, until that refutes it or it expires.
type suspicion struct {
	member id
	// accusers are those that have had no answer themselves: the first one, and up
	// to most others, which confirm it.
	accusers []overlay.Node
	most     int
	// own is set if this node is one of them: it then goes on asking.
	own bool
	// hidden is set as long as it has told nobody, with Config.Discreet.
	hidden bool
	// sure is set if somebody has said already that the member has failed.
	sure      bool
	since     time.Time
	low, high time.Duration
	expires   time.Time
	slot      int // in the heap
}

// timeout follows Lifeguard, section IV.B: from high down to low, and the first
// confirmations count most.
func (s *suspicion) timeout() time.Duration {
	if s.most == 0 || s.sure {
		return s.low
	}
	c, k := float64(len(s.accusers)-1), float64(s.most)
	d := s.high - time.Duration(float64(s.high-s.low)*math.Log(c+1)/math.Log(k+1))
	return max(d, s.low)
}

// suspicions is a heap: the first one expires next.
type suspicions []*suspicion

func (h suspicions) Len() int { return len(h) }
func (h suspicions) Less(i, j int) bool {
	if h[i].expires.Equal(h[j].expires) {
		return h[i].member < h[j].member
	}
	return h[i].expires.Before(h[j].expires)
}
func (h suspicions) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].slot, h[j].slot = i, j
}
func (h *suspicions) Push(x any) {
	s := x.(*suspicion)
	s.slot = len(*h)
	*h = append(*h, s)
}
func (h *suspicions) Pop() any {
	last := len(*h) - 1
	s := (*h)[last]
	(*h)[last] = nil
	*h = (*h)[:last]
	return s
}

// shortest is how long a suspicion lasts at least.
func (c *Core) shortest() time.Duration {
	scale := max(1, math.Log10(float64(c.size()))/2)
	return time.Duration(float64(c.cfg.Suspicion) * scale * float64(c.cfg.Period))
}

// suspect begins a suspicion of i, or adds by to its accusers.
func (c *Core) suspect(i id, by overlay.Node, quiet bool) {
	s := c.members.suspicion(i)
	own := by == c.cfg.Self
	switch {
	case s == nil:
		low := c.shortest()
		s = &suspicion{member: i, accusers: []overlay.Node{by}, since: c.now, low: low, high: low * time.Duration(c.cfg.MaxSuspicion)}
		if c.cfg.Discreet && !own { // by has waited for a period before it has said so
			s.since = c.now.Add(-min(c.cfg.Period, low/4))
		}
		if !c.cfg.Plain { // of the others, those that are trusted can confirm it, and this node
			s.most = max(0, min(c.cfg.Confirmations, len(c.members.order)-1-len(c.suspicions)))
		}
		s.expires = s.since.Add(s.timeout())
		s.hidden = own && c.cfg.Discreet
		c.members.suspect(i, s)
		heap.Push(&c.suspicions, s)
		c.emit(Suspected{c.members.node(i), c.members.incarnation(i), by})
	case slices.Contains(s.accusers, by), len(s.accusers) > s.most, !own && c.members.find(by) == nobody:
		return
	default:
		s.accusers = append(s.accusers, by)
		c.reckon(s, s.since)
	}
	hidden := own && s.hidden
	if own {
		s.own = true
		if !hidden {
			c.say(i)
		}
		c.check(i, recheck)
	}
	if !hidden {
		c.charge(i, by, quiet)
	}
	if !own {
		c.tempo.drop(i) // it is not this machine alone that has no answer
	}
}

// accuse lets all know what nobody was told until now, that this node suspects i. What is left of its time to refute that
// is never less than three quarters of the shortest suspicion.
func (c *Core) accuse(i id) {
	s := c.members.suspicion(i)
	s.hidden = false
	c.reckon(s, later(s.since, c.now.Add(-s.low/4)))
	if len(s.accusers) <= s.most { // else one more voice makes no difference
		c.say(i)
	}
	c.charge(i, c.cfg.Self, false)
}

// say has the accusation of i by this node broadcast.
func (c *Core) say(i id) {
	c.stats.Accusations++
	c.emit(Spread{c.members.fact(Suspect, i, c.cfg.Self)})
}

// charge has it go around that by accuses i.
func (c *Core) charge(i id, by overlay.Node, quiet bool) {
	if len(c.members.suspicion(i).accusers) == 1 {
		c.rumors.drop(c.members.node(i))
	}
	c.spread(c.members.fact(Suspect, i, by), quiet)
}

// reckon has the time of a suspicion count from since.
func (c *Core) reckon(s *suspicion, since time.Time) {
	s.since = since
	s.expires = s.since.Add(s.timeout())
	heap.Fix(&c.suspicions, s.slot)
}

// hidden reports whether this node suspects i and has told nobody.
func (c *Core) hidden(i id) bool {
	s := c.members.suspicion(i)
	return s != nil && s.hidden
}

// withdraw ends what nobody was told of: there is an answer. What others say stands, and
// i has all of its time to refute it.
func (c *Core) withdraw(i id) {
	s := c.members.suspicion(i)
	c.stats.Withdrawn++
	c.abandon(i, recheck)
	if len(s.accusers) == 1 {
		c.acquit(i)
		c.emit(Trusted{c.members.node(i), c.members.incarnation(i)})
		return
	}
	s.own, s.hidden = false, false
	s.accusers = slices.DeleteFunc(s.accusers, func(by overlay.Node) bool { return by == c.cfg.Self })
	c.reckon(s, c.now)
}

// confirm makes the suspicion of i as short as can be.
func (c *Core) confirm(i id) {
	s := c.members.suspicion(i)
	s.sure = true
	c.reckon(s, s.since)
}

// acquit ends the suspicion of i, if there is any: it is Alive.
func (c *Core) acquit(i id) {
	if s := c.members.suspicion(i); s != nil {
		heap.Remove(&c.suspicions, s.slot)
		c.members.acquit(i)
	}
}

// expire declares failed whose time is over.
func (c *Core) expire() {
	for len(c.suspicions) > 0 && !c.now.Before(c.suspicions[0].expires) {
		s := c.suspicions[0]
		if s.hidden {
			c.accuse(s.member)
			continue
		}
		// Who has heard it from somebody does not say it again.
		c.fail(s.member, c.members.fact(Confirm, s.member, c.cfg.Self), s.own && !s.sure, false)
	}
}
