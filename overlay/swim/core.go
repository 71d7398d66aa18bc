package swim

import (
	"math"
	"slices"
	"time"

	"github.com/topos-go/topos/overlay"
)

// Core is the failure detector of one node. It is made with [New] and is for one
// goroutine. A time that is earlier than one before counts as that one.
//
// Invariants, which valid checks:
//
//  1. There are at most MaxMembers members, each once, and none of them is Self. The
//     index finds each by its node, and nothing else. An incarnation is in
//     a map if it is too great for a member.
//  2. A member that is Confirm is among the failed, every other one in the order,
//     at its place. What is before next has had its turn.
//  3. A member has a suspicion if it is Suspect. It expires when its timeout is
//     over, of which the least is at the top; its accusers differ, and are one at
//     least and most + 1 at most, this node among them if it is its own. It is
//     hidden only if it is, and no rumor says so, and its member is being asked.
//  4. Probes are of members that are not Confirm, with numbers of their own. There
//     is one in turn at most, and MaxChecks out of turn, of a kind one a member, and as many
//     that are left to others.
//  5. At most MaxRelays pings for others are open, in the order in which they end,
//     all to members.
//  6. At most MaxRumors facts are spread, all of them of this node or members, and
//     as things are now. Their number, and that of the loud ones, is known.
//  7. Local health is within 0 and MaxHealth, and 0 if Plain.
//  8. A turn is due if somebody is in the order, a revival if somebody has failed,
//     gossip if there are loud rumors and somebody to tell.
//  9. A busy machine adds mostSlack periods to a question at most, and nothing is
//     waited for that was asked of nobody, or of who has failed.
type Core struct {
	cfg         Config
	now         time.Time
	incarnation uint64
	health      int
	tempo       tempo
	members     table
	suspicions  suspicions
	rumors      rumors
	seq         uint64
	probes      []*probe
	relays      []relay
	crashed     []crash          // the latest last
	refusals    map[id]time.Time // when a member last refused a connection, if nothing has come since
	nudge       id               // whose turn it is before the next one's
	nudged      bool             // the last turn was out of order
	near        []id             // whose turn it is for all turns but one in Stride
	turns       int

	turnAt, reviveAt   time.Time
	gossipAt, gossiped time.Time
	defendAt, defended time.Time // when this node is to be defended again, and was last

	// What the message in hand gives rise to: facts for its sender, and that it
	// has accused this node.
	reply  []Fact
	refute bool

	stats   Stats
	effects Effects
}

// New returns the failure detector of cfg.Self, which watches nobody. The error has
// all that is wrong with cfg.
func New(cfg Config) (*Core, error) {
	cfg.setDefaults()
	if err := cfg.Valid(); err != nil {
		return nil, err
	}
	if cfg.Pool == nil {
		cfg.Pool = overlay.NodesApart()
	}
	return &Core{cfg: cfg, members: table{pool: cfg.Pool}, nudge: nobody}, nil
}

// Step tells the core that ev happened at now.
func (c *Core) Step(now time.Time, ev Event) Effects {
	c.enter(now)
	switch ev := ev.(type) {
	case Watch:
		c.watch(ev.Node)
	case Unwatch:
		c.remember(ev.Node, ev.Crashed)
		if i := c.members.find(ev.Node); i != nobody {
			c.unwatch(i)
		}
	case Near:
		if i := c.members.find(ev.Node); i != nobody && !slices.Contains(c.near, i) {
			c.near = append(c.near, i)
		}
	case Far:
		c.part(c.members.find(ev.Node))
	case LinkReset:
		if i := c.members.find(ev.Node); i != nobody {
			c.linkReset(i, ev.Refused)
		}
	case Rejoined:
		if !c.cfg.Plain {
			c.wake(math.MaxInt64)
		}
	case Received:
		if !ev.From.IsZero() && ev.From != c.cfg.Self {
			c.received(ev.From, ev.Message)
		}
	case Heard:
		c.hear(ev.Fact, true)
	}
	return c.take()
}

// Tick does what has become due by now. Whoever drives the core had better give
// it what has been received before.
func (c *Core) Tick(now time.Time) Effects {
	c.enter(now)
	c.relayed()
	c.probed()
	c.expire()
	c.schedule() // somebody may be left to ask, or nobody
	if due(c.turnAt, c.now) {
		c.turn()
	}
	if due(c.reviveAt, c.now) {
		c.revive()
	}
	if due(c.gossipAt, c.now) {
		c.gossip()
	}
	if due(c.defendAt, c.now) {
		c.defend()
	}
	return c.take()
}

// Deadline returns when [Core.Tick] is to be called next, the zero time if never.
func (c *Core) Deadline() time.Time {
	first := sooner(sooner(c.turnAt, c.reviveAt), sooner(c.gossipAt, c.defendAt))
	for _, p := range c.probes {
		first = sooner(first, sooner(p.direct, p.end))
	}
	if len(c.relays) > 0 {
		first = sooner(first, c.relays[0].end)
	}
	if len(c.suspicions) > 0 {
		first = sooner(first, c.suspicions[0].expires)
	}
	return first
}

// due says whether t is a time, and has come.
func due(t, now time.Time) bool { return !t.IsZero() && !now.Before(t) }

// sooner returns the earlier of two times, of which the zero time is never.
func sooner(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func (c *Core) enter(now time.Time) {
	c.now = later(now, c.now)
	if at := c.Deadline(); !c.cfg.Plain && due(at, c.now) {
		late := c.now.Sub(at)
		if late <= c.cfg.Period {
			c.tempo.called(c.now, late, 2*c.cfg.Period)
		}
		if late > c.cfg.Late {
			c.wake(late)
		}
	}
}

// Believes reports whether it is no surprise that node has failed: it is suspected,
// and has had its time to refute that, or has failed.
func (c *Core) Believes(node overlay.Node) bool {
	i := c.members.find(node)
	return i != nobody && (c.members.all[i].state == Confirm || c.ripe(i))
}

func (c *Core) emit(e Effect) { c.effects = append(c.effects, e) }

func (c *Core) take() Effects {
	c.schedule()
	effects := c.effects
	c.effects, c.reply, c.refute = nil, nil, false
	return effects
}

// size is how many nodes there are that have not failed.
func (c *Core) size() int { return len(c.members.order) + 1 }

func (c *Core) watch(node overlay.Node) {
	if node.IsZero() || node == c.cfg.Self || c.members.find(node) != nobody {
		return
	}
	c.remember(node, false)
	if c.members.count() >= c.cfg.MaxMembers {
		c.emit(Full{node})
		return
	}
	c.members.add(node, c.cfg.Rand)
}

func (c *Core) unwatch(i id) {
	c.acquit(i)
	c.abandon(i, inTurn, second, recheck, reset)
	c.forget(i)
	c.rumors.drop(c.members.node(i))
	c.part(i)
	c.members.remove(i)
}

// part notes that i is not near.
func (c *Core) part(i id) {
	if at := slices.Index(c.near, i); at >= 0 {
		c.near = slices.Delete(c.near, at, at+1)
	}
}

// schedule keeps invariant 8.
func (c *Core) schedule() {
	switch {
	case len(c.members.order) == 0:
		c.turnAt, c.gossipAt = time.Time{}, time.Time{}
	case c.turnAt.IsZero(): // at a phase of its own
		c.turnAt = c.now.Add(1 + time.Duration(c.cfg.Rand.Int64N(int64(c.cfg.Period))))
	}
	switch {
	case len(c.members.failed) == 0:
		c.reviveAt = time.Time{}
	case c.reviveAt.IsZero():
		c.reviveAt = c.now.Add(c.cfg.Revive/2 + time.Duration(c.cfg.Rand.Int64N(int64(c.cfg.Revive))))
	}
	if c.rumors.loud > 0 && c.gossipAt.IsZero() && len(c.members.order) > 0 {
		// The pause gathers what is learnt together.
		c.gossipAt = later(c.now.Add(c.cfg.Gossip/10), c.gossiped.Add(c.cfg.Gossip))
	}
	if c.rumors.loud == 0 {
		c.gossipAt = time.Time{}
	}
}

// received takes the facts first, so that the answer knows of them.
func (c *Core) received(from overlay.Node, m Message) {
	i := c.members.find(from)
	if i != nobody {
		delete(c.refusals, i)
		c.said(i, m.Incarnation)
		if c.hidden(i) {
			c.withdraw(i)
		}
	}
	for n, f := range m.Facts {
		if n == c.cfg.MaxFacts {
			c.stats.Malformed++
			break
		}
		c.hear(f, false)
	}
	if c.refute {
		c.reply = append([]Fact{c.defence()}, c.reply...)
	}
	switch body := m.Body.(type) {
	case Ping:
		c.post(i, from, Ack(body), c.reply)
		return
	case PingReq:
		if body.Target == c.cfg.Self {
			c.post(i, from, Ack{body.Seq}, c.reply)
			return
		}
		c.pingReq(from, body)
	case Ack:
		c.ack(i, body)
	case Nack:
		c.nack(i, body)
	case Gossip:
	default:
		c.stats.Malformed++
	}
	if c.refute {
		c.post(i, from, Gossip{}, c.reply)
	}
}

// send sends body to a node that may be unknown, and tell to a member, with as many
// facts as fit: first those given, then what the receiver is accused of, then what
// is sent least often.
func (c *Core) send(to overlay.Node, body Body, facts ...Fact) {
	c.post(c.members.find(to), to, body, facts)
}

func (c *Core) tell(i id, body Body, facts ...Fact) { c.post(i, c.members.node(i), body, facts) }

func (c *Core) post(i id, to overlay.Node, body Body, facts []Fact) {
	n := min(len(facts), c.cfg.MaxFacts-1)
	facts = facts[:n:n]
	if i != nobody {
		if f, ok := c.members.charge(i, c.cfg.Self); ok && (!c.cfg.Plain || f.State == Confirm) {
			facts = append(facts, f)
		}
	}
	if c.rumors.count > 0 {
		facts = c.rumors.take(facts, c.cfg.MaxFacts, c.limit())
	}
	c.stats.Sent++
	c.stats.FactsSent += uint64(len(facts))
	c.emit(Send{to, Message{c.incarnation, body, facts}})
}

// limit is how often a fact is sent: lambda log n in the paper.
func (c *Core) limit() int {
	return int(math.Ceil(float64(c.cfg.Retransmit) * math.Log(float64(c.size()+1))))
}
