package remote

import (
	"sync"
	"time"
	"unique"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/overlay"
)

// peer is an association with one incarnation of another node: what lasts from
// the first lane that connects the two until one of them gives the other up.
// After that the incarnation may come back, as another peer.
//
// Invariants:
//  1. Nothing of a peer is delivered before the peer it follows, of the same
//     name, is gone.
//  2. gone is closed after everything that arrived has been delivered and the
//     system has been told that the node is down.
type peer struct {
	node   *Node
	id     actor.NodeID
	handle actor.NodeHandle
	mine   uint64 // this node's number for the association
	follow *peer  // the peer before it, of the same name; nil once that is gone

	lanes [laneCount]*lane
	wg    sync.WaitGroup // the lanes' goroutines

	up      chan struct{} // closed when subscribers know that it is a member
	retired chan struct{} // closed when it is given up
	gone    chan struct{}

	mu         sync.Mutex
	theirs     uint64 // the other side's number; 0 if not known yet
	maxMessage int    // the largest message the other side takes
}

func newPeer(n *Node, id actor.NodeID, follow *peer) *peer {
	p := &peer{
		node:       n,
		id:         id,
		handle:     unique.Make(id),
		mine:       n.associations.Add(1),
		follow:     follow,
		up:         make(chan struct{}),
		retired:    make(chan struct{}),
		gone:       make(chan struct{}),
		maxMessage: n.cfg.MaxMessage,
	}
	for k := range p.lanes {
		p.lanes[k] = newLane(p, laneKind(k))
	}
	return p
}

// start lets the lanes run.
func (p *peer) start() {
	for _, l := range p.lanes {
		p.wg.Go(l.run)
	}
}

// associate notes the other side's number. It reports false if there was
// another: then the other side has given this association up.
func (p *peer) associate(theirs uint64, maxMessage int) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.theirs != 0 && p.theirs != theirs {
		return false
	}
	p.theirs = theirs
	p.maxMessage = min(p.node.cfg.MaxMessage, maxMessage)
	return true
}

// numbers returns the association's numbers on both sides.
func (p *peer) numbers() (mine, theirs uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.mine, p.theirs
}

// limit returns the size of the largest message both sides take.
func (p *peer) limit() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.maxMessage
}

// The lanes of a peer that is given up go on reading what has arrived, until
// nothing comes for drainPause, and for drainTime at most: a peer that still
// sends must not keep itself from being gone.
const (
	drainPause = 100 * time.Millisecond
	drainTime  = 5 * time.Second
)

// retire gives the peer up because of reason. It does not wait.
func (p *peer) retire(reason error) {
	close(p.retired)
	p.node.wg.Go(func() { p.finish(reason) })
}

// finish is the end of a peer that has been retired.
func (p *peer) finish(reason error) {
	p.wg.Wait()
	if p.follow != nil {
		<-p.follow.gone
	}
	_, theirs := p.numbers()
	used, lost := theirs != 0, uint64(0)
	for _, l := range p.lanes {
		sent, unconfirmed := l.close()
		used, lost = used || sent, lost+unconfirmed
	}
	if used { // else it was only dialled, in vain
		p.node.stats.unconfirmed.Add(lost)
		p.node.sys.NodeDown(p.id, reason)
		p.node.report(NodeLost{Node: p.id, Reason: reason, Unconfirmed: lost})
	}
	p.node.peers.gone(p)
	close(p.gone)
}

func (p *peer) isRetired() bool {
	select {
	case <-p.retired:
		return true
	default:
		return false
	}
}

// overlayNode and nodeID translate between the two types of identity.
func overlayNode(id actor.NodeID) overlay.Node {
	return overlay.Node{Name: id.Name, Boot: id.Incarnation.Boot, Unique: id.Incarnation.Unique}
}

func nodeID(n overlay.Node) actor.NodeID {
	return actor.NodeID{Name: n.Name, Incarnation: actor.Incarnation{Boot: n.Boot, Unique: n.Unique}}
}
