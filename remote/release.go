package remote

import (
	"time"
)

const (
	// releaseAfter is how long a peer is kept that has only been asked something by
	// the overlay: in a large cluster, each node asks each other one sometime. It is
	// longer than a question takes, and than the connection is kept that was made for it.
	releaseAfter = 10 * time.Second
	// releaseStranded is how long if none could be made, so that it is known for the
	// next question that there is no direct way.
	releaseStranded = 30 * time.Second
	// releaseEvery is how often they are looked for.
	releaseEvery = 5 * time.Second
)

// virgin reports whether nothing has ever gone over a connection of a sequenced lane
// of p: then neither side has anything to remember of the other, and each may begin
// anew without the other noticing. It costs a look at each lane there is.
func (p *peer) virgin() bool {
	for _, s := range *p.streams.Load() {
		if s.kind < streamMembership && !s.virgin() {
			return false
		}
	}
	return true
}

func (s *stream) virgin() bool {
	for _, l := range s.all() {
		if l.spent.Load() > 0 || l.received.Load() > 0 || l.connected() {
			return false
		}
	}
	return true
}

// renew begins the association with the number mine anew, of which the other side
// knows nothing any more, if p is a virgin: what waits is sent in the new one. It
// reports whether it has, or somebody else had before.
func (p *peer) renew(mine uint64) bool {
	virgin := p.virgin()
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.ended:
		return false
	case p.mine != mine:
		return true // and what has gone over a connection since was in the new one
	case virgin:
		p.mine, p.theirs = p.node.associations.Add(1), 0
	}
	return virgin
}

// releaseIdle gives up peers that nobody needs: not linked, never used for messages.
// It is called by drive.
func (n *Node) releaseIdle(now time.Time) {
	for _, p := range n.peers.all() {
		idle := now.Sub(p.asked.load())
		if idle < max(releaseAfter, 2*n.cfg.HandshakeTimeout) || n.core.linked[overlayNode(p.id)] != nil {
			continue
		}
		if idle < releaseStranded && p.stranded() {
			continue
		}
		if n.ledger.release(p) {
			n.peers.release(p)
			p.retire(ErrNotMember) // which nobody is told
		}
	}
}

// stranded reports whether the last attempt to make a connection for a question was in
// vain.
func (p *peer) stranded() bool {
	s := (*p.streams.Load())[PostChannel]
	if s == nil {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.lanes) > 0 && s.lanes[0] != nil && s.lanes[0].failures > 0
}

// close lets nothing be queued for p any more, if nothing is and p is a virgin. It
// reports whether it has. Senders that come too late find another peer, and none finds
// something closed of a peer that stays: all streams are looked at before any is closed.
func (p *peer) close() bool {
	streams := p.streams.Load()
	for _, s := range *streams {
		s.mu.Lock()
		defer s.mu.Unlock()
		if !s.unusedLocked() {
			return false
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.streams.Load() != streams {
		return false // somebody is about to use a new one
	}
	p.released.Store(true)
	for _, s := range *streams {
		s.closed = true
	}
	return true
}

// unusedLocked reports whether nothing waits and no lane of s has a connection or ever
// had one that counts. The stream's lock is held.
func (s *stream) unusedLocked() bool {
	if s.closed || s.room.bytes > 0 || s.stage != nil && s.stage.bytes > 0 {
		return false
	}
	for _, l := range s.lanes {
		if l != nil && (l.link != nil || l.asked || l.invited ||
			s.kind < streamMembership && (l.pushed > 0 || l.spent.Load() > 0 || l.received.Load() > 0)) {
			return false
		}
	}
	return true
}

// release takes p out of the table, whose node stays what it is.
func (t *peerTable) release(p *peer) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.removeLocked(p)
}

// release closes p unless there are sessions with its node, or it is in use. From then
// on there are none that would go over p.
func (l *ledger) release(p *peer) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.byNode[p.handle] == nil && p.close()
}
