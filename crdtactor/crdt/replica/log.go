package replica

import (
	"slices"

	"github.com/topos-go/topos/crdtactor/crdt"
)

// log is the changes of one replica that some neighbor may lack.
//
// Invariants:
//  1. changes holds the changes seq-len(changes)+1 … seq, in order.
//  2. A peer holds every change up to its acked, as long as its id stands.
//  3. acked <= sent <= seq for every peer.
type log[S crdt.State[S]] struct {
	limit   int
	seq     uint64
	changes []change[S]

	// What was encoded last: most often every neighbor gets the same.
	after, upTo uint64
	items       []Item
}

type change[S any] struct {
	key   string
	delta S
	from  string // the neighbor that it was heard from, or empty
}

// add gives c the next number.
func (l *log[S]) add(c change[S]) {
	l.seq++
	if len(l.changes) >= l.limit {
		l.drop(1)
	}
	l.changes = append(l.changes, c)
}

// skip gives the next number to a change that is not kept.
func (l *log[S]) skip() {
	l.seq++
	if len(l.changes) > 0 {
		l.changes = nil
	}
}

func (l *log[S]) drop(n int) {
	clear(l.changes[:n])
	l.changes = l.changes[n:]
}

// first is the number of the oldest change that is kept.
func (l *log[S]) first() uint64 { return l.seq - uint64(len(l.changes)) + 1 }

// pending returns what a node is to be sent that has been sent the changes up to
// after; false if those that follow are not kept, or are too much for one Delta.
func (l *log[S]) pending(after uint64, to string) ([]Item, bool) {
	if after+1 < l.first() {
		return nil, false
	}
	items := l.since(after, to)
	size := 0
	for _, item := range items {
		size += len(item.Data)
	}
	return items, size <= maxDelta || len(items) == 1
}

// since returns all changes after a number, those under one key joined, except
// what was heard from the node to itself.
func (l *log[S]) since(after uint64, to string) []Item {
	if l.items != nil && l.after == after && l.upTo == l.seq {
		return l.items
	}
	pending := l.changes[after+1-l.first():]
	own := true
	if len(pending) == 1 && pending[0].from == "" {
		l.items = []Item{{Key: pending[0].key, Data: encode(pending[0].delta)}}
		l.after, l.upTo = after, l.seq
		return l.items
	}
	joined := make(map[string]S)
	once := make(map[string]bool) // joined has a change itself, not a copy
	var keys []string
	for _, c := range pending {
		own = own && c.from == ""
		if c.from == to {
			continue
		}
		if d, ok := joined[c.key]; !ok {
			joined[c.key], once[c.key] = c.delta, true
			keys = append(keys, c.key)
		} else {
			if once[c.key] {
				d, once[c.key] = d.Clone(), false
			}
			d.Join(c.delta)
			joined[c.key] = d
		}
	}
	slices.Sort(keys)
	items := make([]Item, len(keys))
	for i, key := range keys {
		items[i] = Item{Key: key, Data: encode(joined[key])}
	}
	if own {
		l.after, l.upTo, l.items = after, l.seq, items
	}
	return items
}

// peer is what is known of a neighbor's hold on this replica's log.
type peer struct {
	id    string // of its replica; empty until it was heard of
	acked uint64
	sent  uint64
	told  bool   // it knows that it has to pull
	seen  uint64 // acked when time passed last
}

// holding says how much of another replica's log is held here.
type holding struct {
	id   string
	upTo uint64
	next uint64 // after the start in the id; 0 if there is none
	// heard is how much was lost when its node was last heard out: everything
	// that it held at that time, with a roster equal to this one's, is held
	// here. It is 0 if that has not happened since this replica began.
	heard uint64
	acked uint64 // of this replica's log
	pull  *pull
}

// meet notes that the replica on node is called id. Another one than before
// holds nothing yet. It returns false if a later one is known already: nothing
// of an earlier one is taken in any more, nor acknowledged. Nor is anything of
// a lost one, or of a forgotten node, which is sent the roster and learns it.
func (c *Core[S]) meet(node, id string) bool {
	h := c.holds[node]
	if len(node) > maxName {
		c.out.Malformed++
		return false
	}
	if h == nil || h.id != id {
		if h != nil && crdt.ReplicaID(id).Before(crdt.ReplicaID(h.id)) {
			c.send(node, Outdated{Node: c.cfg.Node, Of: id, Latest: h.id})
			return false
		}
		next := &holding{id: id, next: startOf(node, id) + 1}
		if h != nil {
			next.heard = h.heard
		}
		h = next
	}
	m := c.know(node)
	if m.forgotten() || h.next > 0 && h.next <= m.Lost {
		c.brief(node)
		return false
	}
	if c.holds[node] != h {
		m.Next = max(m.Next, h.next)
		c.record(m)
		c.holds[node] = h
	}
	if p := c.peers[node]; p != nil && p.id != id {
		*p = peer{id: id}
	}
	return true
}

func (c *Core[S]) peer(node string) *peer {
	p := c.peers[node]
	if p == nil {
		p = new(peer)
		if h := c.holds[node]; h != nil {
			p.id = h.id
		}
		c.peers[node] = p
	}
	return p
}

// maxDelta bounds the bytes of one Delta: a node takes no longer messages, and
// what is longer is better pulled in parts.
const maxDelta = 4 << 20

// Flush sends every neighbor the changes that it has not been sent.
func (c *Core[S]) Flush() {
	for _, node := range c.neighbors {
		c.flushTo(node)
	}
}

func (c *Core[S]) flushTo(node string) {
	p := c.peer(node)
	if p.sent == c.log.seq {
		return
	}
	items, ok := c.log.pending(p.sent, node)
	if ok {
		c.send(node, Delta{Node: c.cfg.Node, ID: string(c.cfg.ID), Settled: c.settled, After: p.sent, UpTo: c.log.seq, Items: items})
		p.sent = c.log.seq
	} else if !p.told {
		p.told = true
		c.send(node, c.root(true)) // it has to pull, part by part
	}
}

// delta takes in changes of another replica's log.
func (c *Core[S]) delta(m Delta) {
	if !c.meet(m.Node, m.ID) || !c.comparable(m.Node, m.Settled) || !c.joinAll(m.Items, m.Node) {
		return
	}
	h := c.holds[m.Node]
	if m.After <= h.upTo {
		h.upTo = max(h.upTo, m.UpTo)
	}
	c.acknowledge(m.Node, h.id, h.upTo)
}

// ack notes what another replica holds of this one's log.
func (c *Core[S]) ack(m Ack) {
	if m.Of != string(c.cfg.ID) || !c.meet(m.Node, m.ID) || m.UpTo > c.log.seq {
		return // meant for an earlier replica of this node
	}
	h := c.holds[m.Node]
	h.acked = max(h.acked, m.UpTo)
	if _, ok := slices.BinarySearch(c.neighbors, m.Node); ok {
		p := c.peer(m.Node)
		p.acked = max(p.acked, m.UpTo)
		p.sent = max(p.sent, p.acked)
		p.told = false
		c.trim()
	}
	for _, w := range c.writes {
		if !w.direct && w.seq <= m.UpTo {
			w.holders[m.Node] = true
		}
	}
	c.finish()
}

// trim drops the changes that every neighbor holds.
func (c *Core[S]) trim() {
	least := c.log.seq
	for _, node := range c.neighbors {
		acked := uint64(0)
		if p := c.peers[node]; p != nil {
			acked = p.acked
		}
		least = min(least, acked)
	}
	if first := c.log.first(); least >= first {
		c.log.drop(int(least - first + 1))
	}
}

// again lets what a neighbor has not acknowledged for a whole period be sent
// again.
func (c *Core[S]) again() {
	for _, p := range c.peers {
		if p.acked < p.sent && p.acked == p.seen {
			p.sent = p.acked
		}
		p.seen, p.told = p.acked, false
	}
}
