package cluster

import (
	"errors"
	"time"

	"github.com/topos-go/topos/overlay"
	"github.com/topos-go/topos/overlay/directory"
	"github.com/topos-go/topos/overlay/pcbroadcast"
	"github.com/topos-go/topos/overlay/plumtree"
	"github.com/topos-go/topos/overlay/swim"
)

// Core is the protocol of one node. It is made with [New] and is for one goroutine.
// Times given to it must not go backwards.
//
// Invariants:
//  1. At the end of a step, the nodes for which the last effect was Up, and not Down, are
//     the directory's members but this one.
//  2. neighbors counts the wirings of which a node is a neighbor, and the tree has
//     been told of those with one or more.
//  3. A wiring has been told of each of its links, and of no others.
//  4. The causal part has a link to each neighbor to which there is one, and to
//     nobody else: another one as soon as it is another connection.
//  5. hushed and rumored have each node once.
//  6. What dues has of a part that was asked is what the part says.
type Core struct {
	cfg    Config
	now    time.Time
	wired  *wiring
	former *wiring   // what wired takes the place of; nil when it has
	turned time.Time // when it began to
	// overlap is how long both are at work: not as long at each node, so that no node
	// loses all links of the earlier one at once.
	overlap  time.Duration
	links    map[overlay.Node]overlay.LinkUp
	tree     *plumtree.Core
	causal   *pcbroadcast.Core[[]byte]
	dir      *directory.Core
	detector *swim.Core

	neighbors map[overlay.Node]int
	trying    map[overlay.Node]bool // whom the directory wants dialled
	hushed    notices               // that wait
	rumored   notices               // deaths that wait as well, and are in doubt
	shunned   map[overlay.Node]bool // collectors that were gone while hushed waited
	lowest    []overlay.Node        // who collects; nil until it is asked
	asked     overlay.Node          // the collector that something was last sent to
	aired     []overlay.Node        // whose obituaries have been broadcast, the latest last
	spoken    bool                  // this node has let others know of it
	onlooker  bool                  // within a step: what the directory wants known, others have found out, and broadcast
	garbled   uint64
	left      bool
	dues      dues
	effects   overlay.Effects
}

// New returns a Core that knows nobody. Errors are those of cfg and of the parts'
// configs, all at once.
func New(cfg Config) (*Core, error) {
	if err := cfg.Valid(); err != nil {
		return nil, err
	}
	cfg.setDefaults()
	cfg.Directory.Self, cfg.Directory.Rand = cfg.Self, cfg.fork()
	cfg.Swim.Self, cfg.Swim.Rand = cfg.Self, cfg.fork()
	cfg.Plumtree.Self, cfg.Plumtree.Rand = cfg.Self, cfg.fork()
	dir, dirErr := directory.New(cfg.Directory)
	detector, swimErr := swim.New(cfg.Swim)
	tree, treeErr := plumtree.New(cfg.Plumtree)
	cfg.Causal.Self = cfg.Self
	causal, causalErr := pcbroadcast.New[[]byte](cfg.Causal)
	if err := errors.Join(dirErr, swimErr, treeErr, causalErr); err != nil {
		return nil, err
	}
	return &Core{
		cfg: cfg, wired: newWiring(cfg.Wiring, cfg.Topology), tree: tree, causal: causal, dir: dir, detector: detector,
		links:     make(map[overlay.Node]overlay.LinkUp),
		neighbors: make(map[overlay.Node]int), trying: make(map[overlay.Node]bool),
	}, nil
}

// Step tells the core that ev happened at now.
func (c *Core) Step(now time.Time, ev overlay.Event) overlay.Effects {
	c.now = now
	if c.left {
		c.toTopology(ev) // it closes what comes late
		return c.take()
	}
	switch ev := ev.(type) {
	case overlay.Received:
		c.received(ev)
		return c.take()
	case overlay.Broadcast:
		if ev.Causal {
			c.toCausal(pcbroadcast.Broadcast[[]byte]{Payload: ev.Payload})
		} else {
			c.broadcast(ofUser, ev.Payload)
		}
		return c.take()
	case overlay.LeaveRequested:
		c.leave()
		return c.take()
	case overlay.LinkUp:
		c.links[ev.Node] = ev
		delete(c.trying, ev.Node)
		c.detector.Seen(ev.Node)
		c.causalLink(ev.Node) // another one than before, if there was one
		c.toDirectory(directory.Met{Node: ev.Node})
	case overlay.Met:
		if ev.Proven {
			c.detector.Seen(ev.Node)
			c.toDirectory(directory.Met{Node: ev.Node})
		}
	case overlay.LinkDown:
		delete(c.links, ev.Node)
		if c.neighbors[ev.Node] > 0 {
			// A neighbor's link is closed after a farewell only, which comes
			// before this.
			c.toDetector(swim.LinkReset{Node: ev.Node})
			c.toCausal(pcbroadcast.LinkDown{Node: ev.Node})
		}
	case overlay.DialFailed:
		c.dialFailed(ev)
	case overlay.Lost:
		c.lost(ev)
	}
	c.toTopology(ev)
	return c.take()
}

func (c *Core) dialFailed(ev overlay.DialFailed) {
	if ev.Alive { // which is no sign of life, but no evidence either
		return
	}
	c.collectorGone(ev.Node)
	if c.trying[ev.Node] {
		delete(c.trying, ev.Node)
		c.toDirectory(directory.TryFailed{Node: ev.Node, Refused: ev.Refused})
	}
	if ev.Refused {
		c.toDetector(swim.LinkReset{Node: ev.Node, Refused: true})
	}
	if !c.isUp(ev.Node) {
		// Whoever has sent something to it is to know.
		c.emit(overlay.Down{Node: ev.Node, Reason: overlay.ErrDialFailed})
	}
}

// lost lets everybody here know that what bound the two nodes is broken. Whether
// the node is a member is another question.
func (c *Core) lost(ev overlay.Lost) {
	if c.isUp(ev.Node) {
		c.emit(overlay.Down{Node: ev.Node, Member: true, Reason: ev.Err}, overlay.Up{Node: ev.Node})
	}
}

// received gives a message to the part that it is for.
func (c *Core) received(ev overlay.Received) {
	c.detector.Seen(ev.From)
	switch m := ev.Message.(type) {
	case plumtree.Message:
		c.toTree(plumtree.Received{From: ev.From, Message: m})
	case pcbroadcast.Message:
		c.toCausal(pcbroadcast.Received{From: ev.From, Message: m})
	case directory.Tell:
		if m = c.collect(ev.From, m); len(m.Facts) > 0 {
			c.toDirectory(directory.Received{From: ev.From, Message: m})
		}
	case directory.Message:
		c.toDirectory(directory.Received{From: ev.From, Message: m})
	case swim.Message:
		c.toDetector(swim.Received{From: ev.From, Message: m})
	default:
		c.toTopology(ev)
	}
}

// leave lets the directory tell others first, while there are links.
func (c *Core) leave() {
	c.release(func(f directory.Fact) bool { return f.Node != c.cfg.Self })
	c.toDirectory(directory.Leave{})
	c.toTopology(overlay.LeaveRequested{})
	c.left = true
}

// Tick does what has become due by now.
func (c *Core) Tick(now time.Time) overlay.Effects {
	c.now = now
	for _, w := range c.wirings() {
		c.tickTopology(w)
	}
	if !c.left {
		c.turnOver()
		c.releaseDue()
		c.tickParts()
	}
	return c.take()
}

// Members returns the members as the directory knows them, this node among them,
// sorted. The slice must not be changed.
func (c *Core) Members() []overlay.Node { return c.dir.Members() }

// isUp reports whether node is another member.
func (c *Core) isUp(node overlay.Node) bool { return node != c.cfg.Self && c.dir.Member(node) }

// others is how many other members there are. This node is one too, until it is displaced.
func (c *Core) others() int {
	if c.dir.Member(c.cfg.Self) {
		return c.dir.Len() - 1
	}
	return c.dir.Len()
}

// Outdated returns why node cannot be let in: it has left, or a newer incarnation
// of it is known.
func (c *Core) Outdated(node overlay.Node) error {
	f, ok := c.dir.Lookup(node.Name)
	switch {
	case !ok:
		return nil
	case f.Node.Newer(node):
		return overlay.ErrRestarted
	case f.Node == node && f.Status == directory.Left:
		return overlay.ErrLeft
	case node.Name == c.cfg.Self.Name && node != c.cfg.Self:
		return overlay.ErrSelf
	}
	return nil
}

func (c *Core) emit(effects ...overlay.Effect) { c.effects = append(c.effects, effects...) }

func (c *Core) take() overlay.Effects {
	effects := c.effects
	c.effects = nil
	return effects
}
