package cluster

import (
	"github.com/topos-go/topos/overlay"
	"github.com/topos-go/topos/overlay/pcbroadcast"
)

func (c *Core) toCausal(ev pcbroadcast.Event) {
	c.dues.touch(theCausal)
	c.fromCausal(c.causal.Step(c.now, ev))
}

// causalLink begins a link for broadcasts in causal order to node, if it is a neighbor
// and linked. The links of two topologies at work are one: a neighbor of both stays
// when it is one's no more, and so does what was on its way.
func (c *Core) causalLink(node overlay.Node) {
	if _, linked := c.links[node]; linked && c.neighbors[node] > 0 {
		c.toCausal(pcbroadcast.LinkUp{Node: node})
	}
}

func (c *Core) fromCausal(effects pcbroadcast.Effects) {
	for _, e := range effects {
		switch e := e.(type) {
		case pcbroadcast.Send:
			c.emit(overlay.Send{To: e.To, Message: e.Message})
		case pcbroadcast.Deliver[[]byte]:
			c.emit(overlay.Deliver{Origin: e.Origin, Payload: e.Payload, Causal: true})
		default:
			c.emit(overlay.Report{Value: e})
		}
	}
}
