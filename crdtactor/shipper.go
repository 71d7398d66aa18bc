package crdtactor

import "github.com/topos-go/topos/crdtactor/crdt"

// shipper knows which changes of one replica which other replica has. It is
// pure: the delta-interval buffer of Almeida, Shoker and Baquero, "Delta state
// replicated data types" (2018), section 7.2.
//
// Invariants:
//  1. deltas holds the changes seq-len(deltas)+1 … seq, in order.
//  2. A peer holds every change up to its acked, as long as its id stands.
//  3. acked <= sent <= seq for every peer.
type shipper[S crdt.State[S]] struct {
	limit  int // of deltas
	seq    uint64
	deltas []S
	peers  map[string]*peer
}

// peer is the replica on another node.
type peer struct {
	id    string // of its replica; empty until it was heard of
	acked uint64
	sent  uint64
	met   bool // it has been sent the whole state, or changes from the first on
}

// add takes a change in and returns its number. The shipper owns delta now.
func (s *shipper[S]) add(delta S) uint64 {
	s.seq++
	s.deltas = append(s.deltas, delta)
	if len(s.deltas) > s.limit {
		var none S
		s.deltas[0] = none
		s.deltas = s.deltas[1:]
	}
	return s.seq
}

// first is the number of the oldest change that is kept.
func (s *shipper[S]) first() uint64 { return s.seq - uint64(len(s.deltas)) + 1 }

func (s *shipper[S]) peer(node string) *peer {
	p := s.peers[node]
	if p == nil {
		p = new(peer)
		s.peers[node] = p
	}
	return p
}

// meet notes that node has a replica called id. Another id than before holds
// nothing yet.
func (s *shipper[S]) meet(node, id string) {
	p := s.peer(node)
	if p.id != "" && p.id != id {
		*p = peer{}
	}
	p.id = id
}

// shipment is what one node is to be sent next.
type shipment[S any] struct {
	state S      // not to be kept or changed
	after uint64 // the changes after+1 … upTo, unless full
	upTo  uint64
	full  bool
}

// next returns all that node has not been sent yet, joined, or the full state
// if that is not kept. It reports false if there is nothing to send.
func (s *shipper[S]) next(node string, state S) (shipment[S], bool) {
	p := s.peer(node)
	if p.met && p.sent == s.seq {
		return shipment[S]{}, false
	}
	after := p.sent
	full := !p.met || after+1 < s.first()
	p.met, p.sent = true, s.seq
	if full {
		return shipment[S]{state: state, upTo: s.seq, full: true}, true
	}
	pending := s.deltas[after+1-s.first():]
	out := shipment[S]{state: pending[0], after: after, upTo: s.seq}
	if len(pending) > 1 {
		out.state = out.state.Clone()
		for _, d := range pending[1:] {
			out.state.Join(d)
		}
	}
	return out, true
}

// acked notes that the replica id on node holds everything up to upTo.
func (s *shipper[S]) acked(node, id string, upTo uint64) {
	s.meet(node, id)
	p := s.peer(node)
	if upTo > s.seq {
		return // of no replica of this life
	}
	p.met = true
	p.acked = max(p.acked, upTo)
	p.sent = max(p.sent, upTo)
	s.forget()
}

// forget lets go of changes that every peer has.
func (s *shipper[S]) forget() {
	least := s.seq
	for _, p := range s.peers {
		least = min(least, p.acked)
	}
	if n := int(least + 1 - min(least+1, s.first())); n > 0 {
		clear(s.deltas[:n])
		s.deltas = s.deltas[n:]
	}
}

// rewind lets everything that was not acknowledged be sent again.
func (s *shipper[S]) rewind() {
	for _, p := range s.peers {
		p.sent = p.acked
		if p.acked == 0 {
			p.met = false
		}
	}
}

// keep forgets the peers that are not among nodes.
func (s *shipper[S]) keep(nodes []string) {
	stay := make(map[string]bool, len(nodes))
	for _, node := range nodes {
		stay[node] = true
	}
	for node := range s.peers {
		if !stay[node] {
			delete(s.peers, node)
		}
	}
	s.forget()
}
