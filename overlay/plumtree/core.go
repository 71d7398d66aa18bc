package plumtree

import (
	"time"

	"github.com/topos-go/topos/overlay"
)

// Core is the protocol of one node. It is made with [New] and is for one
// goroutine. Times given to it must not go backwards.
//
// Invariants, which valid checks:
//
//  1. peers are in order, each once, without this node; slots are distinct.
//  2. origins are in order, each once, at most Config.MaxOrigins; own is among
//     them, has no holes and is never doomed; leader is among them as well, and takes
//     the shared tree. What is recent is among them, each once.
//  3. A set of numbers is as it says of itself, with at most Config.MaxHoles
//     spans; where there are holes, a time is set at which they are given up.
//  4. cache is in the order of birth and within its limits; bytes is the sum;
//     what is retained is listed by its origin, was seen, and not evicted.
//  5. timers are in order, at most Config.MaxMissing; what is missing is listed
//     by its origin, was not seen, and its announcers are neighbors, each once; none has announced
//     more than a quarter first.
//  6. Lists of announcements are shorter than Config.MaxIHave; flushAt is set if
//     there is one.
//  7. trees counts the origins with a tree of their own, at most Config.MaxTrees
//     and none without Config.PerOrigin.
type Core struct {
	cfg     Config
	peers   []*peer
	shared  tree
	own     *origin // this node's, once it has broadcast
	origins []*origin
	recent  [4]*origin // some of those that were looked for last
	trees   int
	leader  *origin   // whose messages shape the shared tree
	stirred time.Time // when there was last news of it

	cache []*kept
	block *block // the last one, with room perhaps
	bytes int

	timers []*missing
	order  uint64 // of the last timer

	flushAt    time.Time    // when announcements are sent
	flushed    time.Time    // when they were, last
	exchangeAt time.Time    // when the next digest is sent
	told       overlay.Node // the last origin that a digest has told of

	stats   Stats
	effects Effects
}

// New returns a Core without neighbors. Errors are those of cfg, all at once.
func New(cfg Config) (*Core, error) {
	cfg.setDefaults()
	if err := cfg.Valid(); err != nil {
		return nil, err
	}
	return &Core{cfg: cfg}, nil
}

// Step tells the core that ev happened at now.
func (c *Core) Step(now time.Time, ev Event) Effects {
	c.begin(now)
	switch ev := ev.(type) {
	case NeighborUp:
		c.neighborUp(now, ev.Node)
	case NeighborDown:
		c.neighborDown(now, ev.Node, min(c.cfg.Mend, 1))
	case NeighborLost:
		c.neighborDown(now, ev.Node, c.cfg.Mend)
	case Broadcast:
		c.broadcast(now, ev.Payload)
	case Received:
		c.received(now, ev)
	}
	return c.take()
}

func (c *Core) received(now time.Time, ev Received) {
	p := c.peer(ev.From)
	if p == nil {
		c.stats.Strangers++
		if g, ok := ev.Message.(Gossip); ok {
			c.gossip(now, nil, g)
		}
		return
	}
	switch m := ev.Message.(type) {
	case Gossip:
		c.gossip(now, p, m)
	case IHave:
		c.announced(now, p, m)
	case Graft:
		c.grafted(now, p, m)
	case Prune:
		c.pruned(p, m)
	case Digest:
		c.compare(now, p, m)
	case Repair:
		c.repaired(now, p, m)
	default:
		c.stats.Malformed++
	}
}

// Tick does what has become due by now.
func (c *Core) Tick(now time.Time) Effects {
	c.begin(now)
	if !c.flushAt.IsZero() && !now.Before(c.flushAt) {
		c.flushAt, c.flushed = time.Time{}, now
		for _, p := range c.peers {
			if p.announce != nil {
				c.flush(p)
			}
		}
	}
	for len(c.timers) > 0 && !now.Before(c.timers[0].at) {
		c.graft(now, c.timers[0])
	}
	if !now.Before(c.exchangeAt) {
		c.sweep(now)
		c.exchange(now)
	}
	return c.take()
}

// begin does what comes before everything else.
func (c *Core) begin(now time.Time) {
	c.expire(now)
	if c.exchangeAt.IsZero() {
		c.exchangeAt = now.Add(time.Duration(c.cfg.Rand.Int64N(int64(c.cfg.Exchange) + 1)))
	}
}

// Deadline returns when Tick is to be called next; the zero time before the
// first event, when there is nothing to do.
func (c *Core) Deadline() time.Time {
	next := c.exchangeAt
	if !c.flushAt.IsZero() && c.flushAt.Before(next) {
		next = c.flushAt
	}
	if len(c.timers) > 0 && c.timers[0].at.Before(next) {
		next = c.timers[0].at
	}
	return next
}

// Eager returns the neighbors that messages are pushed to, sorted; those of
// origins that have a tree of their own, [Core.EagerFor] returns.
func (c *Core) Eager() []overlay.Node {
	return c.nodes(func(p *peer) bool { return !c.shared.isLazy(p.slot) })
}

// Lazy returns the other neighbors, sorted: messages are announced to them.
func (c *Core) Lazy() []overlay.Node {
	return c.nodes(func(p *peer) bool { return c.shared.isLazy(p.slot) })
}

// EagerFor returns the neighbors that the messages of origin are pushed to,
// sorted.
func (c *Core) EagerFor(origin overlay.Node) []overlay.Node {
	t := c.treeOf(c.known(origin))
	return c.nodes(func(p *peer) bool { return !t.isLazy(p.slot) })
}

func (c *Core) emit(e Effect) { c.effects = append(c.effects, e) }

func (c *Core) send(p *peer, m Message) { c.emit(Send{To: p.node, Message: m}) }

func (c *Core) take() Effects {
	effects := c.effects
	c.effects = nil
	return effects
}
