package clustertest

import (
	"github.com/topos-go/topos"
	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/remote"
)

// tap lets a node with that configuration show its traffic what arrives, before
// any tap that the configuration has already.
func (t *traffic) tap(cfg *topos.Config) {
	next := cfg.Tap
	cfg.Tap = func(p remote.Passage, deliver func()) {
		m := &Message{
			From: t.cluster.number(p.From), To: t.cluster.number(p.To),
			Channel: p.Channel, Key: p.Key, Label: p.Label, Kind: p.Kind,
			Sender: p.Sender, Receiver: p.Receiver, Name: p.Name, Seq: p.Seq, Payload: p.Payload,
			line: line{
				from: p.From, to: p.To, sender: p.Sender, receiver: p.Receiver, name: p.Name,
				channel: p.Channel, key: p.Key,
			},
			deliver: deliver,
		}
		if next != nil {
			m.deliver = func() { next(p, deliver) }
		}
		t.arrive(m)
	}
}

// number returns which node has that identity, in whatever incarnation, or -1.
func (c *Cluster) number(id actor.NodeID) int {
	for i, m := range c.members {
		if id.Name == m.name+"@"+m.name+":"+port {
			return i
		}
	}
	return -1
}
