package remote

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/overlay"
	"github.com/topos-go/topos/overlay/directory"
)

// Topology says which nodes of a cluster keep connections to each other. Whatever it
// is, nodes connect to any other when their processes have something to say to each
// other; who is a member, and who has failed, is told by broadcasts over it.
//
// A cluster has one topology at a time: that of [Node.SetTopology] or, until that is
// called, of Config.Topology, which then has to be the same on all nodes. Its text,
// as String returns it, is what nodes tell each other.
type Topology uint8

const (
	// FullMesh connects every node with every other one. It is for up to some
	// hundred nodes. See package fullmesh.
	FullMesh Topology = iota
	// HyParView connects every node with a few others, such that all are
	// connected. It is for large clusters. See package hyparview.
	HyParView
	// ClientServer connects a few nodes, which are given or selected, with each
	// other, and every other one with some of these. See package clientserver.
	ClientServer
	// Gossip connects every node with a random sample of the others, which changes
	// all the time. It is for clusters that are unstable. See package gossip.
	Gossip
	// Static connects every node with those in Config.Join and nobody else. See
	// package static.
	Static

	topologies
)

// topologyNames are the texts of all topologies.
var topologyNames = [topologies]string{"fullmesh", "hyparview", "clientserver", "gossip", "static"}

// String returns "fullmesh", "hyparview", "clientserver", "gossip" or "static".
func (t Topology) String() string {
	if t < topologies {
		return topologyNames[t]
	}
	return fmt.Sprintf("Topology(%d)", uint8(t))
}

// MarshalText returns what String does.
func (t Topology) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// UnmarshalText is the inverse of MarshalText.
func (t *Topology) UnmarshalText(text []byte) error {
	for i, name := range topologyNames {
		if name == string(text) {
			*t = Topology(i)
			return nil
		}
	}
	return fmt.Errorf("remote: there is no topology %q", text)
}

// ErrNotLowest is returned by [Node.SetTopology] on any node but the lowest.
var ErrNotLowest = errors.New("remote: only the lowest member may change the topology")

// TopologyChanged: the cluster has another topology, which this node takes up. Epoch
// counts the changes, and Proposer has asked for it.
type TopologyChanged struct {
	From, To Topology
	Epoch    uint64
	Proposer actor.NodeID
}

// proposal asks for another topology.
type proposal struct {
	topology Topology
	answer   chan error // capacity 1
}

// Topology returns the present topology, as far as this node knows.
func (n *Node) Topology() Topology { return Topology(n.topology.Load()) }

// SetTopology lets the whole cluster have another topology. Only the lowest member
// may, the first of [Node.Members], so that no two nodes change it against each other;
// the others get [ErrNotLowest]. It returns when the change has been broadcast. Every
// node makes the new connections first, and gives up the old ones when it has them.
// Messages between processes do not notice: their connections are their own.
//
// If both sides of a partition change it, one of the changes counts when it has
// healed. A node that joins takes the cluster's topology over.
func (n *Node) SetTopology(ctx context.Context, t Topology) error {
	if t >= topologies {
		return fmt.Errorf("remote: there is no %v", t)
	}
	p := proposal{t, make(chan error, 1)}
	select {
	case n.inbox <- p:
	case <-n.ctx.Done():
		return ErrClosed
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case err := <-p.answer:
		return err
	case <-n.ctx.Done():
		return ErrClosed
	case <-ctx.Done():
		return ctx.Err()
	}
}

// propose carries out what SetTopology asks for.
func (n *Node) propose(p proposal) {
	effects, err := n.core.Propose(time.Now(), p.topology.String())
	if errors.Is(err, directory.ErrNotLowest) {
		err = fmt.Errorf("%w: that is %v", ErrNotLowest, n.Members()[0].Node.Name)
	}
	n.carryOut(effects)
	p.answer <- err
}

// rewired notes that the overlay has another topology.
func (n *Node) rewired(from, to string, epoch uint64, proposer overlay.Node, err error) {
	if err != nil {
		n.log.Error("topology not known here", "topology", to, "error", err)
		return
	}
	ev := TopologyChanged{Epoch: epoch, Proposer: nodeID(proposer)}
	_, _ = ev.From.UnmarshalText([]byte(from)), ev.To.UnmarshalText([]byte(to)) // it could be made
	n.topology.Store(uint32(ev.To))
	n.log.Info("topology changed", "from", from, "to", to, "epoch", epoch, "proposer", ev.Proposer)
	n.report(ev)
}
