package remote

import (
	"errors"
	"fmt"
	"syscall"
	"time"
	"unique"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/overlay"
	"github.com/topos-go/topos/overlay/cluster"
	"github.com/topos-go/topos/overlay/fullmesh"
	"github.com/topos-go/topos/remote/handshake"
)

// What drive is told. Those with a peer count only as long as that peer has not
// been given up.
type (
	linkUp struct {
		peer     *peer
		accepted bool
	}
	linkDown struct {
		peer *peer
		err  error
	}
	dialFailed struct {
		peer *peer
		err  error
	}
	peerLost struct {
		peer *peer
		err  error
	}
	received struct {
		peer    *peer
		message overlay.Message
	}
	met struct{ id actor.NodeID }
	// admission asks for the peer that an accepted connection belongs to.
	admission struct {
		peer   handshake.Peer
		attach handshake.Attach
		answer chan admitted // capacity 1
	}
	leave struct{ told chan struct{} }
)

type admitted struct {
	peer *peer
	err  error
}

// post tells drive of something. It does not wait for what comes of it.
func (n *Node) post(what any) {
	select {
	case n.inbox <- what:
	case <-n.ctx.Done():
	}
}

// drive carries out the overlay's protocol until the node is closed. Nothing in
// it waits for the network or for users' code.
func (n *Node) drive() {
	n.carryOut(n.core.Tick(time.Now()))
	timer := time.NewTimer(n.untilDeadline())
	defer timer.Stop()
	sweep := time.NewTicker(releaseEvery)
	defer sweep.Stop()
	for {
		select {
		case what := <-n.inbox:
			n.handleOne(what)
		case <-timer.C:
			n.catchUp()
			n.carryOut(n.core.Tick(time.Now()))
		case now := <-sweep.C:
			n.releaseIdle(now)
			n.recycler.rest()
			n.ballast.rest()
		case <-n.ctx.Done():
			return
		}
		timer.Reset(n.untilDeadline())
	}
}

// maxCatchUp bounds what drive hears before it lets time pass, so that time does.
const maxCatchUp = 4096

// catchUp deals with what drive has been told already, and what comes meanwhile. What a
// timeout waits for may be there. If it takes long, the overlay finds that it comes
// late, and blames nobody.
func (n *Node) catchUp() {
	for range maxCatchUp {
		select {
		case what := <-n.inbox:
			n.handleOne(what)
		default:
			return
		}
	}
}

// untilDeadline returns how long the overlay has nothing to do.
func (n *Node) untilDeadline() time.Duration {
	if next := n.core.Deadline(); !next.IsZero() {
		return max(1, time.Until(next))
	}
	return time.Hour // it has left
}

func (n *Node) step(ev overlay.Event) { n.carryOut(n.core.Step(time.Now(), ev)) }

// handleOne deals with one thing that drive was told.
func (n *Node) handleOne(what any) {
	switch what := what.(type) {
	case linkUp:
		if n.current(what.peer) {
			n.step(overlay.LinkUp{Node: overlayNode(what.peer.id), Accepted: what.accepted})
		}
	case linkDown:
		if n.current(what.peer) {
			n.step(overlay.LinkDown{Node: overlayNode(what.peer.id), Err: what.err})
		}
	case dialFailed:
		if n.current(what.peer) {
			n.dialFailed(what.peer, what.err)
		}
	case peerLost:
		if n.current(what.peer) {
			n.lost(what.peer, what.err)
		}
	case received:
		if n.current(what.peer) {
			n.step(overlay.Received{From: overlayNode(what.peer.id), Message: what.message})
		}
	case met:
		n.step(overlay.Met{Node: overlayNode(what.id)})
	case admission:
		p, err := n.admit(what.peer, what.attach)
		what.answer <- admitted{p, err}
	case leave:
		n.leaving = true
		n.step(overlay.LeaveRequested{})
		close(what.told)
	case detour:
		n.relay(n.passage(what.to, what.frame), overlay.Node{})
	case passage:
		n.passed(what)
	case proposal:
		n.propose(what)
	case announcement:
		what.answer <- n.announce(what)
	case echoed:
		if n.current(what.peer) {
			n.measured(what)
		}
	case overlay.Event:
		n.step(what)
	}
}

func (n *Node) current(p *peer) bool { return n.peers.find(p.handle) == p }

func (n *Node) dialFailed(p *peer, err error) {
	// That nobody listens says nothing of a node that only dials. Where each is
	// linked to all, it has been tried whether it can be dialled.
	node := overlayNode(p.id)
	refused := errors.Is(err, syscall.ECONNREFUSED) && !hidden(p.id.Name) &&
		(n.Topology() != FullMesh || n.core.dialed[node] || p.dialled.Load())
	var other *unexpectedError
	if errors.As(err, &other) {
		// Somebody else listens there now: p does not any more.
		refused = true
	}
	_, theirs := p.numbers()
	if theirs != 0 && p.membership.connected() {
		return // the peer has dialled meanwhile
	}
	alive := errors.Is(err, handshake.ErrDuplicate) || theirs != 0 && !refused
	n.step(overlay.DialFailed{Node: overlayNode(p.id), Refused: refused, Alive: alive, Err: err})
	if other != nil {
		n.step(overlay.Met{Node: overlayNode(other.got)})
	}
}

// lost gives p up, whatever the overlay thinks of its node.
func (n *Node) lost(p *peer, err error) {
	n.step(overlay.Lost{Node: overlayNode(p.id), Err: err})
	if n.current(p) {
		n.peers.remove(p.handle)
		n.giveUp(p, err)
	}
}

// admit finds the peer that a connection belongs to which another node has
// made and proven itself on.
func (n *Node) admit(from handshake.Peer, attach handshake.Attach) (*peer, error) {
	if n.leaving {
		return nil, handshake.ErrLeaving
	}
	if err := n.core.Outdated(overlayNode(from.Node)); err != nil {
		return nil, fmt.Errorf("%w: %w", handshake.ErrOldIncarnation, err)
	}
	if p := n.peers.find(unique.Make(from.Node)); p != nil {
		mine, theirs := p.numbers()
		if theirs != 0 && theirs != attach.Association && attach.Known == 0 && p.renew(mine) {
			mine, theirs = p.numbers() // the other side has released it
		}
		switch {
		case attach.Known != 0 && attach.Known != mine, theirs != 0 && attach.Association < theirs:
			return nil, handshake.ErrStale
		case theirs != 0 && attach.Association != theirs:
			n.lost(p, overlay.ErrForgotten)
		}
	} else if attach.Known != 0 {
		return nil, handshake.ErrStale
	}
	p, made := n.peers.ensure(n, from.Node)
	if p == nil {
		return nil, handshake.ErrLeaving
	}
	p.asked.store(time.Now()) // it is kept until its lane has the connection
	if !p.associate(attach.Association, from.MaxPayload) {
		return nil, handshake.ErrStale
	}
	if made && attach.Channel != MembershipChannel { // whatever else it is for
		n.step(overlay.Met{Node: overlayNode(from.Node), Proven: true})
	}
	return p, nil
}

// carryOut does what the overlay wants. Its view is visible already: who is told of
// a member finds it there.
func (n *Node) carryOut(effects overlay.Effects) {
	for _, e := range effects {
		switch e := e.(type) {
		case overlay.Dial:
			if p, _ := n.peers.ensure(n, nodeID(e.Node)); p != nil {
				p.membership.dialOnce()
			}
		case overlay.Probe:
			n.wg.Go(func() { n.probe(e.Addr) })
		case overlay.Send:
			if p := n.peers.find(unique.Make(nodeID(e.To))); p != nil {
				p.tell(encodeMembership(e.Message))
				p.relieve()
			}
		case overlay.Post:
			n.send(e.To, encodeMembership(e.Message))
		case overlay.Deliver:
			n.hear(e)
		case overlay.Measure:
			n.measure(e.Node, false)
		case overlay.Report:
			switch r := e.Value.(type) {
			case cluster.Rewired:
				n.rewired(r.From, r.To, r.Epoch, r.Proposer, r.Err)
			case fullmesh.Silent:
				if p := n.peers.find(handleOf(r.Node)); p != nil {
					p.doubt()
				}
			}
			n.missed(e.Value)
			n.report(OverlayReport{e.Value})
		case overlay.Disconnect:
			if p := n.peers.find(unique.Make(nodeID(e.Node))); p != nil {
				p.membership.hangUp()
			}
		case overlay.Up:
			n.memberUp(nodeID(e.Node))
		case overlay.Down:
			n.memberDown(nodeID(e.Node), e.Member, e.Reason)
		}
	}
}

// send sends a frame of the overlay to a node, linked or not.
func (n *Node) send(to overlay.Node, frame []byte) {
	if hidden(to.Name) && n.core.linked[to] == nil {
		n.relay(n.passage(nodeID(to), frame), overlay.Node{})
		return
	}
	if p, _ := n.peers.ensure(n, nodeID(to)); p != nil && !p.post(frame) {
		n.relay(n.passage(p.id, frame), overlay.Node{})
	}
}

func (n *Node) memberUp(id actor.NodeID) {
	n.log.Info("member up", "node", id)
	n.peers.join(n, id)
}

func (n *Node) memberDown(id actor.NodeID, member bool, cause error) {
	p, known := n.peers.remove(unique.Make(id))
	if p == nil && !known {
		return
	}
	reason, gone := reasonFor(id, cause), (<-chan struct{})(nil)
	if p != nil {
		p.retire(reason)
		gone = p.gone
	}
	if !member {
		n.log.Debug("node not reached", "node", id, "reason", cause)
		return
	}
	kind := MemberDown
	if errors.Is(cause, overlay.ErrLeft) {
		kind = MemberLeft
	}
	n.log.Info("member "+kind.String(), "node", id, "reason", cause)
	n.news.publish(news{event: MemberEvent{Kind: kind, Node: id, Reason: reason}, before: gone})
}

// giveUp retires a peer that has been taken out of the table.
func (n *Node) giveUp(p *peer, cause error) { p.retire(reasonFor(p.id, cause)) }

// reasonFor is what processes see as the reason for the loss of a node.
func reasonFor(id actor.NodeID, cause error) error {
	return fmt.Errorf("%w %v: %w", actor.ErrNoConnection, id.Name, cause)
}
