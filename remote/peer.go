package remote

import (
	"maps"
	"sync"
	"sync/atomic"
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
	// cleared is closed when what was sent to and by earlier incarnations is
	// settled; nil if that is so.
	cleared chan struct{}

	membership *lane
	control    *stream
	data       *stream // of the default channel
	streams    atomic.Pointer[map[string]*stream]
	words      speaker
	heard      listener
	brakes     brakes
	gate       gate
	wg         sync.WaitGroup // the lanes' goroutines

	up      chan struct{} // closed when subscribers know that it is a member
	retired chan struct{} // closed when it is given up
	gone    chan struct{}

	maxMessage atomic.Int64 // the largest message both sides take
	missed     moment       // when there was last no direct way
	asked      moment       // when it was last needed
	released   atomic.Bool  // nobody needed it: see close
	dialled    atomic.Bool  // one of its lanes was connected at the node's own address

	mu     sync.Mutex
	ended  bool   // retired is closed, or about to be
	theirs uint64 // the other side's number; 0 if not known yet
}

func newPeer(n *Node, id actor.NodeID, follow *peer) *peer {
	p := &peer{
		node:    n,
		id:      id,
		handle:  unique.Make(id),
		mine:    n.associations.Add(1),
		follow:  follow,
		up:      make(chan struct{}),
		retired: make(chan struct{}),
		gone:    make(chan struct{}),
	}
	p.maxMessage.Store(int64(n.cfg.MaxMessage))
	p.asked.store(time.Now())
	streams := make(map[string]*stream)
	p.streams.Store(&streams)
	p.brakes.gone = p.retired
	p.gate.node = n
	p.data, _ = p.stream(DefaultChannel)
	p.control, _ = p.stream(ControlChannel)
	membership, _ := p.stream(MembershipChannel)
	p.membership = newLane(membership, 0)
	membership.lanes = []*lane{p.membership}
	return p
}

// start lets the membership lane run. The others begin when they are needed.
func (p *peer) start() { p.run(p.membership) }

// run lets a lane run. It reports false if the peer is retired.
func (p *peer) run(l *lane) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.ended {
		p.wg.Go(l.run)
	}
	return !p.ended
}

// stream returns the stream of a channel, making it if need be. It reports
// false if the channel has not been declared on this node: then it is there to
// be received on. s is nil if p is given up, or the other side uses too many.
func (p *peer) stream(name string) (s *stream, declared bool) {
	if name == "" {
		return p.data, true
	}
	ch := p.node.channels[name]
	if s := (*p.streams.Load())[name]; s != nil {
		return s, ch != nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	old := *p.streams.Load()
	if s := old[name]; s != nil {
		return s, ch != nil
	}
	switch {
	case p.ended || p.released.Load():
		return nil, ch != nil
	case len(old) >= maxChannels:
		return nil, false
	}
	kind := streamData
	switch name {
	case ControlChannel:
		kind = streamControl
	case MembershipChannel:
		kind = streamMembership
	case PostChannel:
		kind = streamPosts
	}
	use := ch
	if use == nil {
		use = &Channel{Name: name, QueueBytes: p.node.cfg.QueueBytes}
		use.setDefaults()
	}
	streams := make(map[string]*stream, len(old)+1)
	maps.Copy(streams, old)
	streams[name] = newStream(p, use, kind)
	p.streams.Store(&streams)
	return streams[name], ch != nil
}

// accepting returns the lane for a connection that the other side has made. It
// returns nil if there cannot be one.
func (p *peer) accepting(channel string, index int) *lane {
	s, _ := p.stream(channel)
	if s == nil {
		return nil
	}
	return s.lane(index)
}

// tell sends a frame over the membership lane, if that is connected: it would
// be stale later.
func (p *peer) tell(frame []byte) {
	s := p.membership.stream
	s.mu.Lock()
	defer s.mu.Unlock()
	if p.membership.link != nil && !p.membership.closed {
		p.membership.pushLocked(0, frame, nil)
		p.membership.rouse()
	}
}

// settled reports whether everything sent has been confirmed.
func (p *peer) settled() bool {
	for _, s := range *p.streams.Load() {
		if s.kind < streamMembership && !s.settled() {
			return false
		}
	}
	return true
}

// doubt has the connections for messages made anew: nothing has come over the one
// that something should always come over.
func (p *peer) doubt() {
	for _, s := range *p.streams.Load() {
		if s.kind >= streamMembership {
			continue
		}
		for _, l := range s.all() {
			s.mu.Lock()
			k := l.link
			s.mu.Unlock()
			if k != nil {
				k.fail(errStalled)
			}
		}
	}
}

// urgent reports whether a channel of higher priority has something to send.
func (p *peer) urgent(priority int) bool {
	if !p.node.prioritized {
		return false
	}
	for _, s := range *p.streams.Load() {
		if s.ch.Priority > priority && s.unsent() > 0 {
			return true
		}
	}
	return false
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
	p.maxMessage.Store(int64(min(p.node.cfg.MaxMessage, maxMessage)))
	return true
}

// numbers returns the association's numbers on both sides.
func (p *peer) numbers() (mine, theirs uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.mine, p.theirs
}

// limit returns the size of the largest message both sides take.
func (p *peer) limit() int { return int(p.maxMessage.Load()) }

// The lanes of a peer that is given up go on reading what has arrived, until
// nothing comes for drainPause, and for drainTime at most: a peer that still
// sends must not keep itself from being gone.
const (
	drainPause = 100 * time.Millisecond
	drainTime  = 5 * time.Second
)

// retire gives the peer up because of reason. It does not wait.
func (p *peer) retire(reason error) {
	p.mu.Lock()
	p.ended = true
	p.mu.Unlock()
	close(p.retired)
	p.node.wg.Go(func() { p.finish(reason) })
}

// finish is the end of a peer that has been retired.
func (p *peer) finish(reason error) {
	p.wg.Wait()
	if p.follow != nil {
		<-p.follow.gone
	}
	if p.released.Load() {
		p.node.peers.gone(p)
		close(p.gone)
		return
	}
	p.gate.flush()
	_, theirs := p.numbers()
	used, lost := theirs != 0, uint64(0)
	for _, s := range *p.streams.Load() {
		sent, unconfirmed := s.close()
		used, lost = used || sent, lost+unconfirmed
	}
	if used { // else it was only dialled, in vain
		p.node.stats.unconfirmed.Add(lost)
		p.node.sys.NodeDown(p.id, reason)
		p.node.report(NodeLost{Node: p.id, Reason: reason, Unconfirmed: lost})
	}
	p.node.ledger.lost(p, reason)
	p.node.valves.forget(p)
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

func handleOf(n overlay.Node) actor.NodeHandle { return unique.Make(nodeID(n)) }

func nodeID(n overlay.Node) actor.NodeID {
	return actor.NodeID{Name: n.Name, Incarnation: actor.Incarnation{Boot: n.Boot, Unique: n.Unique}}
}
