package hyparview

import (
	"slices"
	"time"

	"github.com/topos-go/topos/overlay"
)

// known is a node in a view or a sample: one word, not five, for what cores that share a
// [Config.Pool] have in common. Two may be the same node.
type known = *overlay.Node

// index returns where node is in list, -1 if it is not.
func index(list []known, node overlay.Node) int {
	return slices.IndexFunc(list, func(k known) bool { return *k == node })
}

// departure is a node that is not taken back on hearsay for a while: it has
// said that it leaves, or could not be reached.
type departure struct {
	node  overlay.Node
	until time.Duration
	left  bool // only a newer incarnation is taken, even if it links itself
}

// departed reports whether node must not be taken in. proven says that there
// is a link to it, so that it can be reached after all.
func (c *Core) departed(node overlay.Node, proven bool) bool {
	for _, d := range c.gone {
		if d.node.Name == node.Name && !node.Newer(d.node) && c.now < d.until && (d.left || !proven) {
			return true
		}
	}
	return false
}

// remember makes node a departed one. The oldest is forgotten for it.
func (c *Core) remember(node overlay.Node, left bool) {
	c.gone = slices.DeleteFunc(c.gone, func(d departure) bool { return d.node.Name == node.Name && !(d.left && !left) })
	if len(c.gone) >= c.cfg.MaxGone {
		c.gone = slices.Delete(c.gone, 0, 1)
	}
	c.gone = append(c.gone, departure{node, c.now + c.cfg.Forget, left})
}

// unreachable takes a node that could not be connected out of the passive view.
func (c *Core) unreachable(node overlay.Node) {
	c.removePassive(node)
	c.remember(node, false)
}

// learn takes node into the passive view, if there is nothing against it, and
// reports whether it has. If the view is full, one of first goes for it, else
// a random one (section 4.5). A newer incarnation takes the older one's place.
func (c *Core) learn(node overlay.Node, first []known) bool {
	if node.Valid() != nil || node.Name == c.cfg.Self.Name || c.departed(node, false) {
		return false
	}
	if p := c.named(node.Name); p != nil && (p.state == neighbor || p.linked && p.node.Newer(node)) {
		return false
	}
	if i := c.indexPassive(node.Name); i >= 0 {
		if !node.Newer(*c.passive[i]) {
			return false
		}
		c.removeAt(i)
	}
	if len(c.passive) >= c.cfg.PassiveSize {
		c.evict(first)
	}
	if c.passive == nil {
		c.passive = make([]known, 0, c.cfg.PassiveSize)
	}
	c.passive = append(c.passive, c.cfg.Pool.Pin(node))
	return true
}

// evict makes room in the passive view.
func (c *Core) evict(first []known) {
	for _, k := range first {
		if i := index(c.passive, *k); i >= 0 {
			c.removeAt(i)
			return
		}
	}
	c.removeAt(c.cfg.Rand.IntN(len(c.passive)))
}

// correct replaces what is said of a node by what it is: it has a link, or has
// answered at its address.
func (c *Core) correct(node overlay.Node) {
	c.gone = slices.DeleteFunc(c.gone, func(d departure) bool { return d.node.Name == node.Name && !d.left })
	if len(c.gone) == 0 {
		c.gone = nil
	}
	if i := c.indexPassive(node.Name); i >= 0 && *c.passive[i] != node {
		c.passive[i] = c.cfg.Pool.Pin(node)
	}
}

// indexPassive returns where the node of that name is, -1 if it is not.
func (c *Core) indexPassive(name string) int {
	return slices.IndexFunc(c.passive, func(k known) bool { return k.Name == name })
}

func (c *Core) removePassive(node overlay.Node) {
	if i := c.indexPassive(node.Name); i >= 0 && !c.passive[i].Newer(node) {
		c.removeAt(i)
	}
}

// removeAt keeps those that were tried in front.
func (c *Core) removeAt(i int) {
	if i < c.tried {
		c.tried--
		c.passive[i], i = c.passive[c.tried], c.tried
	}
	last := len(c.passive) - 1
	c.passive[i] = c.passive[last]
	c.passive[last] = nil
	c.passive = c.passive[:last]
}

// pick returns a random node of the passive view that was not tried yet, and
// notes that it is now.
func (c *Core) pick() overlay.Node {
	i := c.tried + c.cfg.Rand.IntN(len(c.passive)-c.tried)
	c.passive[i], c.passive[c.tried] = c.passive[c.tried], c.passive[i]
	c.tried++
	return *c.passive[c.tried-1]
}

// fill asks for as many neighbors as the active view has free slots, until
// everybody in the passive view was asked; and again later (section 4.3). A node that
// has any neighbor stops when a few candidates have no room, and takes more of that
// each time if it lacks more than one: where all do well, most have none, and each
// question costs a connection.
func (c *Core) fill() {
	free := c.cfg.ActiveSize - c.taken()
	for _, p := range c.peers {
		if p.ask.fills() {
			free--
		}
	}
	for free > 0 && c.tried < len(c.passive) && (c.refusals < c.bearable() || c.count(neighbor) == 0) {
		if c.want(c.pick(), askPromote) != nil {
			free--
		}
	}
	if free <= 0 {
		return
	}
	if c.retryAt == 0 && len(c.passive) > 0 {
		c.retryAt = c.now + c.jitter(c.cfg.Retry<<min(c.retries, maxDoublings))
		c.retries++
	}
	if free == c.cfg.ActiveSize { // nobody is left
		c.seeds.rejoin(c.now)
		c.probe()
	}
}

// bearable is how many candidates without room are enough until retryAt. It never grows
// for a node that lacks one neighbor only: in a large cluster a few always do, whose
// search for each other would have to go through all the others, again and again.
func (c *Core) bearable() int {
	if c.count(neighbor) >= c.cfg.ActiveSize-1 {
		return enough
	}
	rounds := c.retries
	if c.retryAt != 0 { // which counts this one
		rounds--
	}
	return enough << min(rounds, maxDoublings)
}

// enough is how many candidates without room are enough at first.
const enough = 3

// maxDoublings bounds the growth of waits: to 16 times Retry.
const maxDoublings = 4

// forgive forgets departures of long ago.
func (c *Core) forgive() {
	c.gone = slices.DeleteFunc(c.gone, func(d departure) bool { return c.now >= d.until })
	if len(c.gone) == 0 {
		c.gone = nil
	}
}

// check finds out whether n random nodes of the passive view are still there, so
// that dead ones do not go round with the shuffles. If one is not, another is
// checked at once: where one is dead there are more.
func (c *Core) check(n int) {
	for _, k := range c.sample(c.passive, max(0, n), overlay.Node{}) {
		if node := *k; c.peer(node) == nil {
			c.emit(overlay.Probe{Addr: node.Addr()})
		}
	}
}

// leave tells the neighbors, and nobody else. Those who hold this node in
// their passive view find out when they try or check it; telling them would
// mean to flood the cluster, which is for a directory to do.
func (c *Core) leave() {
	for _, p := range c.peers {
		if !p.linked {
			continue
		}
		if p.state == neighbor {
			c.send(p, Leave{})
		}
		c.emit(overlay.Disconnect{Node: p.node})
		if p.state == neighbor {
			c.emit(overlay.NeighborDown{Node: p.node})
		}
	}
	*c = Core{cfg: c.cfg, begun: true, left: true, start: c.start, now: c.now, effects: c.effects}
}

// leaves drops a node that has left from both views, and remembers it. Only it
// can say so, over its own link.
func (c *Core) leaves(p *peer) {
	c.removePassive(p.node)
	c.remember(p.node, true)
	c.close(p)
}
