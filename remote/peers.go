package remote

import (
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"unique"

	"github.com/topos-go/topos/actor"
)

// peerTable finds the peers.
type peerTable struct {
	// byHandle is replaced, not changed: finding a peer takes no lock.
	byHandle atomic.Pointer[map[actor.NodeHandle]*peer]

	mu      sync.RWMutex
	members map[string]*peer // by node name
	last    map[string]*peer // the newest peer of a name, until it is gone
	closed  bool
}

func (t *peerTable) init() {
	t.byHandle.Store(new(map[actor.NodeHandle]*peer))
	t.members = make(map[string]*peer)
	t.last = make(map[string]*peer)
	t.closed = true // until the node is started
}

func (t *peerTable) open() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.closed = false
}

func (t *peerTable) find(h actor.NodeHandle) *peer {
	return (*t.byHandle.Load())[h]
}

// setLocked makes p the peer for h; nil takes it out. t.mu is held.
func (t *peerTable) setLocked(h actor.NodeHandle, p *peer) {
	peers := maps.Clone(*t.byHandle.Load())
	switch {
	case p == nil:
		delete(peers, h)
	case peers == nil:
		peers = map[actor.NodeHandle]*peer{h: p}
	default:
		peers[h] = p
	}
	t.byHandle.Store(&peers)
}

// member returns the peer that is the member called name.
func (t *peerTable) member(name string) *peer {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.members[name]
}

// ensure returns the peer for id, and whether it had to be made. It returns nil
// once the table is closed.
func (t *peerTable) ensure(n *Node, id actor.NodeID) (p *peer, made bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	h := unique.Make(id)
	if p = t.find(h); p != nil || t.closed {
		return p, false
	}
	last := t.last[id.Name]
	if last != nil && last.id.Incarnation.Newer(id.Incarnation) {
		// It will be down as soon as the overlay hears of it, and must not
		// wait for the newer incarnation to go.
		p = newPeer(n, id, nil)
	} else {
		p = newPeer(n, id, last)
		t.last[id.Name] = p
	}
	n.ledger.reconnected(p) // before anything new is sent
	t.setLocked(h, p)
	p.start()
	return p, true
}

func (t *peerTable) setMember(p *peer) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.members[p.id.Name] = p
}

// remove takes the peer for h out of the table, to be retired.
func (t *peerTable) remove(h actor.NodeHandle) *peer {
	t.mu.Lock()
	defer t.mu.Unlock()
	p := t.find(h)
	t.removeLocked(p)
	return p
}

func (t *peerTable) removeLocked(p *peer) {
	if p == nil {
		return
	}
	t.setLocked(p.handle, nil)
	if t.members[p.id.Name] == p {
		delete(t.members, p.id.Name)
	}
}

// gone is called when nothing of p is left.
func (t *peerTable) gone(p *peer) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.last[p.id.Name] == p {
		delete(t.last, p.id.Name)
	}
}

// all returns the peers, in no order.
func (t *peerTable) all() []*peer {
	return slices.Collect(maps.Values(*t.byHandle.Load()))
}

// close empties the table for good and returns who was in it.
func (t *peerTable) close() []*peer {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.closed = true
	peers := t.all()
	for _, p := range peers {
		t.removeLocked(p)
	}
	return peers
}
