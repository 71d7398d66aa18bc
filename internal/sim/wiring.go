package sim

import (
	"time"

	"github.com/topos-go/topos/overlay"
	"github.com/topos-go/topos/overlay/clientserver"
	"github.com/topos-go/topos/overlay/fullmesh"
	"github.com/topos-go/topos/overlay/gossip"
	"github.com/topos-go/topos/overlay/hyparview"
	"github.com/topos-go/topos/overlay/static"
)

// Topology is who is linked to whom.
type Topology string

// The topologies.
const (
	HyParView    Topology = "hyparview"
	FullMesh     Topology = "fullmesh"
	ClientServer Topology = "clientserver"
	Gossip       Topology = "gossip"
	// Static has every node linked to the first Config.Seeds nodes, which have to
	// be given: a list without them would be parted as soon as many crash, and stay so.
	Static Topology = "static"
)

var topologies = []Topology{HyParView, FullMesh, ClientServer, Gossip, Static}

// most is how many nodes there may be.
func (t Topology) most() int {
	switch t {
	case FullMesh:
		return 500 // it has n links a node, and n heartbeats a second
	case ClientServer:
		return clientserver.DefaultMaxClients // the last server that lives has all others
	case Static:
		return static.DefaultMaxGuests // so has a seed
	default:
		return maxNodes
	}
}

// stepper is what a node is to the world: its topology, or all of it.
type stepper interface {
	Step(now time.Time, ev overlay.Event) overlay.Effects
	Tick(now time.Time) overlay.Effects
	Deadline() time.Time
}

// wire makes the topology of node n, as a live node does.
func (w *world) wire(i int32) (err error) {
	n := &w.nodes[i]
	self, seeds, rng := n.self, w.contacts(n), w.newRand()
	switch w.cfg.Topology {
	case FullMesh:
		n.wires, err = fullmesh.New(fullmesh.Config{Self: self, Seeds: seeds, Rand: rng, Directed: w.cfg.Directory})
	case ClientServer:
		n.wires, err = clientserver.New(clientserver.Config{Self: self, Seeds: seeds, Rand: rng})
	case Gossip:
		n.wires, err = gossip.New(gossip.Config{Self: self, Seeds: seeds, Rand: rng})
	case Static:
		n.wires, err = static.New(static.Config{Self: self, Peers: seeds, Accept: static.Anyone, Rand: rng})
	default:
		cfg := hyparview.Config{Self: self, Seeds: seeds, Pool: &w.ahead.of(i).names, Rand: rng}
		if w.cfg.XBot {
			cfg.XBot = &w.xbot
		}
		n.hpv, err = hyparview.New(cfg)
		n.wires = n.hpv
	}
	return err
}
