package remote

import (
	"time"

	"github.com/topos-go/topos/actor"
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
	if !p.virgin() {
		return false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ended {
		return false
	}
	if p.mine == mine {
		p.mine, p.theirs = p.node.associations.Add(1), 0
	}
	return true
}

// releaseIdle gives up peers that nobody needs: not linked, never used for messages.
// It is called by drive.
func (n *Node) releaseIdle(now time.Time) {
	for _, p := range n.peers.all() {
		idle := now.Sub(p.asked.load())
		if idle < releaseAfter || n.core.linked[overlayNode(p.id)] != nil || n.ledger.has(p.handle) {
			continue
		}
		if idle < releaseStranded && p.stranded() {
			continue
		}
		if p.close() {
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
// reports whether it has. Senders that come too late find another peer.
func (p *peer) close() bool {
	if p.membership.connected() {
		return false
	}
	p.released.Store(true)
	var closed []*stream
	for _, s := range *p.streams.Load() {
		if !s.closeUnused() {
			for _, s := range closed {
				s.reopen()
			}
			p.released.Store(false)
			return false
		}
		closed = append(closed, s)
	}
	return true
}

// closeUnused closes s if nothing waits and no lane of it has a connection or ever
// had one that counts.
func (s *stream) closeUnused() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || s.room.bytes > 0 || s.stage != nil && s.stage.bytes > 0 {
		return false
	}
	for _, l := range s.lanes {
		if l != nil && (l.link != nil || l.asked || l.invited ||
			s.kind < streamMembership && (l.pushed > 0 || l.spent.Load() > 0 || l.received.Load() > 0)) {
			return false
		}
	}
	s.closed = true
	return true
}

func (s *stream) reopen() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = false
}

// release takes p out of the table, whose node stays what it is.
func (t *peerTable) release(p *peer) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.removeLocked(p)
}

// has reports whether there are sessions with a node.
func (l *ledger) has(h actor.NodeHandle) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.byNode[h] != nil
}
