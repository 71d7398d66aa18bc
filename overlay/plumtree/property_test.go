package plumtree

import (
	"math/rand/v2"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// told is one core that is told things at random.
type told struct {
	core      *Core
	now       time.Time
	delivered map[ID]bool
	missed    map[ID]bool // and remembered: not ErrBefore, nor without room
	reported  map[ID]bool // missed for whatever reason
	born      map[ID]time.Time
}

func newTold(t *rapid.T) *told {
	core, err := New(Config{
		Self: node("self"), Rand: rand.New(rand.NewPCG(1, 1)),
		Exchange: 2 * time.Second, Retain: 4 * time.Second, Forget: 8 * time.Second,
		MaxRetained: 6, MaxBytes: 40, MaxPayload: 10, MaxHoles: 2, MaxMissing: 5, MaxOrigins: 4,
		MaxIHave: 3, MaxDigest: 2, MaxRepair: 2, MaxRepairBytes: 12,
		PerOrigin: rapid.Bool().Draw(t, "perOrigin"), MaxTrees: 2,
	})
	if err != nil {
		t.Fatal(err)
	}
	return &told{core, epoch, map[ID]bool{}, map[ID]bool{}, map[ID]bool{}, map[ID]time.Time{}}
}

func (c *told) check(t *rapid.T, effects Effects) {
	for _, e := range effects {
		switch e := e.(type) {
		case Deliver:
			if c.delivered[e.ID] || c.missed[e.ID] {
				t.Fatalf("%v is delivered again, or after it was missed", e.ID)
			}
			c.delivered[e.ID] = true
		case Missed:
			for n := e.First; n <= e.Last; n++ {
				id := ID{e.Origin, n}
				c.reported[id] = true
				if c.delivered[id] && e.Reason != ErrBefore {
					t.Fatalf("%v is missed after it was delivered: %v", id, e.Reason)
				}
				if e.Reason != ErrOriginsFull && e.Reason != ErrBefore {
					c.missed[id] = true
				}
			}
		case Send:
			if c.core.peer(e.To) == nil {
				t.Fatalf("%T to %v, which is no neighbor", e.Message, e.To)
			}
			c.checkMessage(t, e.Message)
		}
	}
	if err := c.core.valid(); err != nil {
		t.Fatal(err)
	}
}

// checkMessage checks that another core would take m.
func (c *told) checkMessage(t *rapid.T, m Message) {
	ok, cfg := true, &c.core.cfg
	switch m := m.(type) {
	case Gossip:
		ok = m.valid(cfg.MaxPayload)
	case IHave:
		ok = 0 < len(m.Messages) && len(m.Messages) <= cfg.MaxIHave
	case Digest:
		ok = m.valid(cfg.MaxDigest, cfg.MaxHoles)
	case Repair:
		ok = len(m.Messages) <= cfg.MaxRepair && len(m.Gone) <= cfg.MaxDigest
		for _, g := range m.Gone {
			ok = ok && g.valid()
		}
	}
	if !ok {
		t.Fatalf("sends %+v, which nobody takes", m)
	}
}

// bear has id broadcast, if it was not, and those before it.
func (c *told) bear(id ID) {
	for ; id.Seq > 0; id.Seq-- {
		if _, ok := c.born[id]; !ok {
			c.born[id] = c.now
		}
	}
}

// gossip draws a message, whose copies are as old as the message.
func (c *told) gossip(t *rapid.T) Gossip {
	id := ID{node(rapid.SampledFrom([]string{"p", "q", "r", "s", "t", "u"}).Draw(t, "origin")), rapid.Uint64Range(1, 12).Draw(t, "seq")}
	c.bear(id)
	return Gossip{ID: id, Round: rapid.IntRange(1, 9).Draw(t, "round"), Age: c.now.Sub(c.born[id]), Payload: []byte("payload")}
}

func (c *told) span(t *rapid.T) (first, last uint64) {
	first = rapid.Uint64Range(1, 8).Draw(t, "first")
	return first, first + rapid.Uint64Range(0, 3).Draw(t, "more")
}

func (c *told) message(t *rapid.T) Message {
	g := c.gossip(t)
	switch rapid.IntRange(0, 9).Draw(t, "kind") {
	case 0:
		return Prune{g.ID.Origin}
	case 1:
		return Graft{g.ID, rapid.Bool().Draw(t, "once")}
	case 2, 3:
		return IHave{[]Announcement{{g.ID, g.Round}, {c.gossip(t).ID, 1}}}
	case 4:
		first, last := c.span(t)
		newest := ID{g.ID.Origin, last} // what was never broadcast, nobody says to be gone
		c.bear(newest)
		return Repair{Messages: []Gossip{g}, Gone: []Gone{{Origin: g.ID.Origin, First: first, Last: last, Age: c.now.Sub(c.born[newest])}},
			More: rapid.Bool().Draw(t, "more")}
	case 5:
		first, last := c.span(t)
		have := Have{Origin: g.ID.Origin, Low: first - 1}
		if rapid.Bool().Draw(t, "above") {
			have.Above = []Span{{first + 1, last + 1}}
		}
		return Digest{Origins: []Have{have}, Partial: rapid.Bool().Draw(t, "partial")}
	}
	return g
}

func TestAnyEventsKeepTheInvariantsAndDeliverOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := newTold(t)
		peer := rapid.SampledFrom([]string{"a", "b", "c", "p"})
		step := func(ev Event) { c.check(t, c.core.Step(c.now, ev)) }
		t.Repeat(map[string]func(*rapid.T){
			"up":        func(t *rapid.T) { step(NeighborUp{node(peer.Draw(t, "peer"))}) },
			"down":      func(t *rapid.T) { step(NeighborDown{node(peer.Draw(t, "peer"))}) },
			"received":  func(t *rapid.T) { step(Received{node(peer.Draw(t, "peer")), c.message(t)}) },
			"received2": func(t *rapid.T) { step(Received{node(peer.Draw(t, "peer")), c.message(t)}) },
			"broadcast": func(t *rapid.T) { step(Broadcast{make([]byte, rapid.IntRange(0, 11).Draw(t, "size"))}) },
			"tick": func(t *rapid.T) {
				c.now = c.now.Add(time.Duration(rapid.IntRange(0, 3000).Draw(t, "ms")) * time.Millisecond)
				c.check(t, c.core.Tick(c.now))
				if due := c.core.Deadline(); !due.After(c.now) {
					t.Fatalf("due at %v, now %v", due, c.now)
				}
			},
		})
	})
}

// However the messages of a sender come, and however often, they are delivered
// or missed: none is forgotten in between.
func TestEachMessageIsDeliveredOrMissedInTheEnd(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := newTold(t)
		const total = 12
		for _, n := range rapid.SliceOfN(rapid.Uint64Range(1, total), 0, 30).Draw(t, "come") {
			c.check(t, c.core.Step(c.now, Received{node("a"), Gossip{ID: ID{node("p"), n}, Round: 1}}))
		}
		c.check(t, c.core.Step(c.now, Received{node("a"), Gossip{ID: ID{node("p"), total}, Round: 1}}))
		for range 60 {
			c.now = c.now.Add(time.Second)
			c.check(t, c.core.Tick(c.now))
		}
		for n := range uint64(total) {
			if id := (ID{node("p"), n + 1}); c.delivered[id] == c.reported[id] {
				t.Fatalf("%v: delivered %v, missed %v", id, c.delivered[id], c.reported[id])
			}
		}
		if n := c.core.Stats().Origins; n != 0 {
			t.Fatalf("%d origins are remembered", n)
		}
	})
}
