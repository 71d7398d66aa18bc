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
	known   map[string]actor.NodeID // members, by name; they may have no peer yet
	members map[string]*peer        // those that have one
	last    map[string]*peer        // the newest peer of a name, until it is gone
	closed  bool
}

func (t *peerTable) init() {
	t.byHandle.Store(new(map[actor.NodeHandle]*peer))
	t.known = make(map[string]actor.NodeID)
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

// member returns the peer that is the member called name; if there is such a
// member and no peer yet, its id.
func (t *peerTable) member(name string) (p *peer, id actor.NodeID) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.members[name], t.known[name]
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
	if t.known[id.Name] == id {
		t.members[id.Name] = p
		n.news.publish(news{after: p.up}) // behind the event that it is a member
	}
	t.setLocked(h, p)
	p.start()
	return p, true
}

// join notes that id is a member, and has subscribers told.
func (t *peerTable) join(n *Node, id actor.NodeID) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return
	}
	t.known[id.Name] = id
	item := news{event: MemberEvent{Kind: MemberUp, Node: id}}
	if p := t.find(unique.Make(id)); p != nil {
		t.members[id.Name] = p
		item.after = p.up
	}
	n.news.publish(item)
}

// remove takes a node out of the table. It returns its peer, to be retired, if there
// is one, and whether it was a member.
func (t *peerTable) remove(h actor.NodeHandle) (p *peer, member bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	id := h.Value()
	if member = t.known[id.Name] == id; member {
		delete(t.known, id.Name)
	}
	p = t.find(h)
	t.removeLocked(p)
	return p, member
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
	clear(t.known)
	peers := t.all()
	for _, p := range peers {
		t.removeLocked(p)
	}
	return peers
}
