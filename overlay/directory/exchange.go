package directory

import (
	"cmp"
	"slices"
	"time"

	"github.com/topos-go/topos/overlay"
)

const (
	// leaf is how many facts are sent rather than what they add up to.
	leaf = 16
	// maxAsked is how many ranges one question has. Its answer has at most so
	// many facts or sums of parts: some kilobytes.
	maxAsked = 64
	// maxRanges is how many are left to be compared: depth first, it is more
	// than two honest directories ever need.
	maxRanges = 4096
	// maxSteps is how many questions one exchange has.
	maxSteps = 1024
)

// exchange is the one that this node has begun with a partner, and the time of
// the next. It goes down to the ranges that differ, one question at a time; the
// partner keeps no state.
type exchange struct {
	at      time.Time // when the next one is to be begun
	id      uint64    // of the last question
	partner overlay.Node
	due     time.Time // until when an answer is waited for; zero if there is none
	steps   int
	ranges  []Range        // to be compared, the next one last
	asked   []Range        // in the question
	push    []string       // names of which the partner lacks something
	values  bool           // the partner lacks registers
	sent    bool           // which have been sent
	wanted  []overlay.Node // partners of whom something strange is known
}

func (x *exchange) busy() bool { return !x.due.IsZero() }

// stop ends the exchange, whether it is done or not: a later one will find what
// is left.
func (x *exchange) stop() {
	x.due, x.ranges, x.asked, x.push = time.Time{}, nil, nil, nil
}

// deadline is when [Core.converse] has something to do.
func (x *exchange) deadline() time.Time {
	if x.busy() && x.due.Before(x.at) {
		return x.due
	}
	return x.at
}

// converse begins an exchange if one is due, and ends one that is stuck.
func (c *Core) converse() {
	x := &c.exchange
	if x.busy() && !c.now.Before(x.due) {
		c.finish()
	}
	if c.now.Before(x.at) {
		return
	}
	c.schedule()
	if c.gone != nil {
		return
	}
	if e := c.table.random(c.cfg.Rand, c.cfg.Self.Name); !e.none() {
		c.begin(e.node)
	}
}

// schedule sets the time of the next exchange.
func (c *Core) schedule() {
	c.exchange.at = c.now.Add(c.cfg.Interval/2 + time.Duration(c.cfg.Rand.Int64N(int64(c.cfg.Interval)+1)))
}

// begin starts an exchange with a node, or notes it if there is another one.
func (c *Core) begin(node overlay.Node) {
	x := &c.exchange
	if x.busy() {
		if x.partner != node && len(x.wanted) < leaf && !slices.Contains(x.wanted, node) {
			x.wanted = append(x.wanted, node)
		}
		return
	}
	x.partner, x.steps, x.sent, x.values = node, 0, false, false
	x.ranges = []Range{{}}
	c.ask()
}

// ask sends the next question, or ends the exchange.
func (c *Core) ask() {
	x := &c.exchange
	if x.steps >= maxSteps || len(x.ranges) == 0 && len(x.push) == 0 && !x.values {
		c.finish()
		return
	}
	x.steps++
	x.id++
	q := Ask{ID: x.id, Registers: sumOf(c.values())}
	x.asked = nil
	for len(x.ranges) > 0 && len(x.asked) < maxAsked {
		last := len(x.ranges) - 1
		x.asked = append(x.asked, x.ranges[last])
		q.Sums = append(q.Sums, c.table.sum(x.ranges[last]))
		x.ranges = x.ranges[:last]
	}
	n := min(len(x.push), c.cfg.MaxFacts)
	for _, name := range x.push[:n] {
		if e := c.table.find(name); !e.none() && !e.faded {
			q.Facts = append(q.Facts, c.told(e))
		}
	}
	x.push = x.push[n:]
	if x.values {
		x.values, x.sent = false, true
		q.Values = c.values()
	}
	x.due = c.now.Add(c.cfg.Timeout)
	c.emit(Send{x.partner, q})
}

// finish ends the exchange, and begins the next one that is wanted.
func (c *Core) finish() {
	x := &c.exchange
	x.stop()
	c.introduced()
	if len(x.wanted) > 0 {
		next := x.wanted[0]
		x.wanted = x.wanted[1:]
		c.begin(next)
	}
}

// answer compares what another node has asked about.
func (c *Core) answer(to overlay.Node, q Ask) {
	c.learnAll(q.Facts, hearsay)
	c.setRegisters(q.Values)
	a := Answer{ID: q.ID, Registers: sumOf(c.values())}
	if a.Registers != q.Registers {
		a.Values = c.values()
	}
	room := c.cfg.MaxFacts
	for _, theirs := range q.Sums[:min(len(q.Sums), maxAsked)] {
		r := theirs.Range
		if !r.valid() {
			break
		}
		mine := c.table.sum(r)
		if mine != theirs {
			part := Part{Range: r}
			whole := mine.Count <= leaf || theirs.Count <= mine.Count/4 && mine.Count <= c.cfg.MaxFacts || r.Bits == maxBits
			switch {
			case whole && min(mine.Count, c.cfg.MaxFacts) > room:
				c.emit(Send{to, a})
				return
			case whole:
				part.Facts = c.factsOf(r, min(mine.Count, c.cfg.MaxFacts))
				room -= len(part.Facts)
			default:
				for i := range fan {
					part.Sums = append(part.Sums, c.table.sum(r.part(i)))
				}
			}
			a.Parts = append(a.Parts, part)
		}
		a.Done++
	}
	c.emit(Send{to, a})
}

// factsOf returns the facts of a range that are still told, or most of these.
func (c *Core) factsOf(r Range, most int) []Fact {
	facts := make([]Fact, 0, most)
	c.table.each(r, func(e entry) {
		if !e.faded && len(facts) < most {
			facts = append(facts, c.told(e))
		}
	})
	return facts
}

// answered takes the answer to the last question, and asks the next one.
func (c *Core) answered(from overlay.Node, a Answer) {
	x := &c.exchange
	if !x.busy() || from != x.partner || a.ID != x.id {
		return
	}
	if len(x.asked) > 0 && a.Done <= 0 || a.Done > len(x.asked) || len(a.Parts) > a.Done {
		c.finish()
		return
	}
	asked := x.asked[:a.Done]
	rest := slices.Clone(x.asked[a.Done:])
	slices.Reverse(rest)
	x.ranges = append(x.ranges, rest...)
	for _, part := range a.Parts {
		switch {
		case !slices.Contains(asked, part.Range):
		case len(part.Sums) > 0:
			c.descend(part)
		default:
			c.compare(part)
		}
	}
	if c.gone != nil {
		x.stop() // it has just been learnt
		return
	}
	c.setRegisters(a.Values)
	x.values = !x.sent && sumOf(c.values()) != a.Registers
	c.ask()
}

// descend finds which parts of a range differ.
func (c *Core) descend(part Part) {
	x := &c.exchange
	for i := min(len(part.Sums), fan) - 1; i >= 0; i-- {
		theirs := part.Sums[i]
		if theirs.Range != part.Range.part(i) || part.Range.Bits >= maxBits {
			return
		}
		switch mine := c.table.sum(theirs.Range); {
		case mine == theirs:
		case theirs.Count == 0:
			c.table.each(theirs.Range, func(e entry) { c.offer(e) })
		case len(x.ranges) < maxRanges:
			x.ranges = append(x.ranges, theirs.Range)
		}
	}
}

// compare merges all that the partner has in a range, and notes what it lacks.
func (c *Core) compare(part Part) {
	theirs := keyed(part.Facts[:min(len(part.Facts), hardMaxFacts)])
	c.table.each(part.Range, func(e entry) {
		for len(theirs) > 0 && theirs[0].key < e.key {
			theirs = theirs[1:]
		}
		for i := 0; i < len(theirs) && theirs[i].key == e.key; i++ {
			if f := &part.Facts[theirs[i].at]; f.Node.Name == e.node.Name && f.Merge(e.fact()).Same(*f) {
				return
			}
		}
		c.offer(e)
	})
	c.learnAll(part.Facts, hearsay)
}

// place is where a fact of a key is among others.
type place struct {
	key uint64
	at  int32
}

// keyed returns where facts are, in the order of their keys, in which they mostly are.
func keyed(facts []Fact) []place {
	places := make([]place, len(facts))
	for i := range facts {
		places[i] = place{keyOf(facts[i].Node.Name), int32(i)}
	}
	slices.SortFunc(places, func(a, b place) int { return cmp.Compare(a.key, b.key) })
	return places
}

// offer notes that the partner lacks something of an entry.
func (c *Core) offer(e entry) {
	if !e.faded && len(c.exchange.push) < c.cfg.MaxMembers {
		c.exchange.push = append(c.exchange.push, e.node.Name)
	}
}
