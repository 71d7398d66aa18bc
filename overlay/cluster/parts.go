package cluster

import (
	"errors"
	"slices"

	"github.com/topos-go/topos/overlay"
	"github.com/topos-go/topos/overlay/directory"
	"github.com/topos-go/topos/overlay/plumtree"
	"github.com/topos-go/topos/overlay/swim"
)

func (c *Core) toTree(ev plumtree.Event) {
	c.dues.touch(theTree)
	c.fromTree(c.tree.Step(c.now, ev))
}

func (c *Core) toDirectory(ev directory.Event) {
	c.dues.touch(theDirectory)
	c.fromDirectory(c.dir.Step(c.now, ev))
}

func (c *Core) toDetector(ev swim.Event) {
	c.dues.touch(theDetector)
	c.fromDetector(c.detector.Step(c.now, ev))
}

// tickParts lets time pass for all parts but the topologies.
func (c *Core) tickParts() {
	c.dues.touch(theDirectory)
	c.fromDirectory(c.dir.Tick(c.now))
	c.dues.touch(theDetector)
	c.fromDetector(c.detector.Tick(c.now))
	c.dues.touch(theTree)
	c.fromTree(c.tree.Tick(c.now))
	c.dues.touch(theCausal)
	c.fromCausal(c.causal.Tick(c.now))
}

// What a broadcast is, in its first byte.
const (
	ofUser = iota
	ofParts
)

// broadcast has b delivered everywhere.
func (c *Core) broadcast(kind byte, b []byte) {
	c.toTree(plumtree.Broadcast{Payload: append([]byte{kind}, b...)})
}

// announce broadcasts what a part wants known.
func (c *Core) announce(v any) {
	b, err := c.cfg.Encode(v)
	if err != nil {
		c.garbled++
		return
	}
	c.broadcast(ofParts, b)
}

func (c *Core) fromTree(effects plumtree.Effects) {
	for _, e := range effects {
		switch e := e.(type) {
		case plumtree.Send:
			c.emit(overlay.Send{To: e.To, Message: e.Message})
		case plumtree.Deliver:
			c.deliver(e.ID.Origin, e.Payload)
		default:
			c.emit(overlay.Report{Value: e})
		}
	}
}

// deliver takes what origin has broadcast.
func (c *Core) deliver(origin overlay.Node, payload []byte) {
	switch {
	case len(payload) == 0:
		c.garbled++
	case payload[0] == ofUser:
		c.emit(overlay.Deliver{Origin: origin, Payload: payload[1:]})
	case origin != c.cfg.Self:
		v, err := c.cfg.Decode(payload[1:])
		switch v := v.(type) {
		case directory.Broadcast:
			c.overhear(v)
			c.believe(v)
		case swim.Fact:
			c.toDetector(swim.Heard{Fact: v})
		default:
			c.garbled++
		}
		if err != nil {
			c.garbled++
		}
	}
}

// believe gives the directory what others have found out. That a member has fallen silent is
// believed if it has been suspected for a while. If not, it comes from the other side
// of a partition that has healed, or from a node that was cut off: it is doubted.
func (c *Core) believe(b directory.Broadcast) {
	var doubted []directory.Fact
	doubts := func(f directory.Fact) bool {
		return f.Status == directory.Failed && c.isUp(f.Node) && !c.detector.Believes(f.Node)
	}
	if !b.Hearsay && slices.ContainsFunc(b.Facts, doubts) {
		var believed []directory.Fact
		for _, f := range b.Facts {
			if doubts(f) {
				doubted = append(doubted, f)
			} else {
				believed = append(believed, f)
			}
		}
		b.Facts = believed
	}
	if len(b.Facts)+len(b.Values) > 0 {
		c.toDirectory(directory.Heard{Broadcast: b})
	}
	if len(doubted) > 0 {
		c.toDirectory(directory.Heard{Broadcast: directory.Broadcast{Facts: doubted, Hearsay: true}})
	}
}

func (c *Core) fromDirectory(effects directory.Effects) {
	c.effects = slices.Grow(c.effects, len(effects))
	for _, e := range effects {
		switch e := e.(type) {
		case directory.Broadcast:
			c.publish(e)
		case directory.Send:
			c.emit(overlay.Post{To: e.To, Message: e.Message})
		case directory.Try:
			c.trying[e.Node] = true
			c.emit(overlay.Dial{Node: e.Node})
		case directory.Up:
			c.memberUp(e.Node)
		case directory.Returned:
			c.memberUp(e.Node)
			c.emit(overlay.Report{Value: e})
		case directory.Down:
			c.memberDown(e.Node, e.Reason)
		case directory.Departed:
			c.memberDown(e.Node, overlay.ErrLeft)
		case directory.Restarted:
			if e.Noticed {
				delete(c.trying, e.Old)
			} else {
				c.memberDown(e.Old, overlay.ErrRestarted)
			}
			c.memberUp(e.New)
		case directory.Changed:
			if e.Register.Name == directory.Topology {
				c.turn(e.Register)
			}
			c.emit(overlay.Report{Value: e})
		default:
			c.emit(overlay.Report{Value: e})
		}
	}
}

// memberUp lets all know that node is a member.
func (c *Core) memberUp(node overlay.Node) {
	c.besides(node)
	c.emit(overlay.Up{Node: node})
	c.toTopology(overlay.Met{Node: node})
	c.toDetector(swim.Watch{Node: node})
	if c.neighbors[node] > 0 {
		c.toDetector(swim.Near{Node: node})
	}
}

// memberDown lets all know that node is none. Of this one that need not be said: it leaves,
// or has a successor.
func (c *Core) memberDown(node overlay.Node, reason error) {
	if node == c.cfg.Self {
		return
	}
	delete(c.trying, node)
	c.without(node)
	c.collectorGone(node)
	delete(c.shunned, node)
	c.emit(overlay.Down{Node: node, Member: true, Reason: reason})
	c.toTopology(overlay.Lost{Node: node, Err: reason})
	c.toDetector(swim.Unwatch{Node: node, Crashed: c.dead(node) == directory.Crashed})
}

func (c *Core) fromDetector(effects swim.Effects) {
	for _, e := range effects {
		switch e := e.(type) {
		case swim.Send:
			c.emit(overlay.Post{To: e.To, Message: e.Message})
		case swim.Spread:
			if !e.Fact.Refused { // else it is an obituary, which all believe
				c.announce(e.Fact)
			}
		case swim.Failed:
			c.onlooker = !e.Source
			c.toDirectory(directory.Obituary{Node: e.Node, Crashed: errors.Is(e.Reason, overlay.ErrUnreachable)})
			c.onlooker = false
			c.emit(overlay.Report{Value: e})
		case swim.Returned:
			c.toDirectory(directory.Met{Node: e.Node})
			c.emit(overlay.Report{Value: e})
		default:
			c.emit(overlay.Report{Value: e})
		}
	}
}
