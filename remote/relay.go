package remote

import (
	"fmt"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/overlay"
	"github.com/topos-go/topos/remote/wire"
)

const (
	// maxHops is over how many nodes a message goes at most: one that is linked to
	// both ends is enough, and in partial views, one more finds it.
	maxHops = 3
	// relayWays is how many neighbors are given a message to pass on.
	relayWays = 2
	// maxPassed is how many messages are remembered, so that none is taken twice:
	// more than come within the time that one is on its way.
	maxPassed = 4096
)

// passage is a message of the overlay on its way over others, because its origin
// and its target cannot connect. It may be lost, and is taken once.
type passage struct {
	from     *peer // who has passed it on
	origin   actor.NodeID
	target   actor.NodeID
	number   uint64 // its origin's
	hops     uint32 // over how many nodes it may still go
	envelope []byte // the message's wire.Membership
}

// detour asks to send a frame over others.
type detour struct {
	to    actor.NodeID
	frame []byte
}

// passages remembers what has been passed on or taken. It is of the goroutine drive.
type passages struct {
	next  uint64 // this node's next number
	known map[passageKey]bool
	order []passageKey
}

type passageKey struct {
	origin actor.NodeID
	number uint64
}

// fresh reports whether key is new, and remembers it.
func (p *passages) fresh(key passageKey) bool {
	if p.known[key] {
		return false
	}
	if p.known == nil {
		p.known = make(map[passageKey]bool)
	}
	if len(p.order) >= maxPassed {
		delete(p.known, p.order[0])
		p.order = p.order[1:]
	}
	p.known[key] = true
	p.order = append(p.order, key)
	return true
}

// passage begins the way of a frame, as encodeMembership returns it, to target.
func (n *Node) passage(target actor.NodeID, frame []byte) passage {
	n.passages.next++
	return passage{
		origin: n.id, target: target, number: n.passages.next, hops: maxHops,
		envelope: frame[wire.HeaderSize:],
	}
}

// frame returns p on its way.
func (p *passage) frame() []byte {
	return wire.Append(nil, wire.KindMembership, &wire.Membership{
		Kind: membershipRelay, Seq: p.number, Lane: p.hops, Body: p.envelope,
		Nodes: []*wire.Node{wire.FromNodeID(p.origin), wire.FromNodeID(p.target)},
	}, 0)
}

// relay passes p on: to its target if there is a link, else to some neighbors but
// for the one that it has come from. Nothing is done if there are none.
func (n *Node) relay(p passage, from overlay.Node) {
	target := overlayNode(p.target)
	if n.core.linked[target] != nil {
		n.passOn(target, &p)
		return
	}
	if p.hops <= 1 {
		return
	}
	ways := 0
	for next := range n.core.linked { // in no order
		if next != from && next != overlayNode(p.origin) {
			n.passOn(next, &p)
			ways++
		}
		if ways == relayWays {
			return
		}
	}
}

// passOn gives p to a neighbor.
func (n *Node) passOn(to overlay.Node, p *passage) {
	if peer := n.peers.find(handleOf(to)); peer != nil {
		n.stats.relayed.Add(1)
		peer.tell(p.frame())
	}
}

// receivePassage takes a message that is on its way over others.
func (n *Node) receivePassage(from *peer, w *wire.Membership) error {
	if len(w.Nodes) != 2 || w.Lane == 0 || w.Lane > maxHops {
		return fmt.Errorf("remote: malformed passage: %d nodes, %d hops", len(w.Nodes), w.Lane)
	}
	origin, err := w.Nodes[0].NodeID()
	if err != nil {
		return fmt.Errorf("remote: malformed passage: %w", err)
	}
	target, err := w.Nodes[1].NodeID()
	if err != nil {
		return fmt.Errorf("remote: malformed passage: %w", err)
	}
	n.post(passage{from: from, origin: origin, target: target, number: w.Seq, hops: w.Lane, envelope: w.Body})
	return nil
}

// passed takes or passes on a message from another node.
func (n *Node) passed(p passage) {
	if !n.current(p.from) || p.origin == n.id || !n.passages.fresh(passageKey{p.origin, p.number}) {
		return
	}
	if p.target != n.id {
		p.hops--
		n.relay(p, overlayNode(p.from.id))
		return
	}
	var w wire.Membership
	if err := w.Unmarshal(p.envelope); err != nil {
		n.quiet.warn("malformed message over others", "origin", p.origin, "error", err)
		return
	}
	if m, err := decodeMembership(&w); err == nil && m != nil {
		n.step(overlay.Received{From: overlayNode(p.origin), Message: m})
	} else {
		n.quiet.warn("malformed message over others", "origin", p.origin, "error", err)
	}
}
