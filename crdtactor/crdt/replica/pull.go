package replica

import (
	"maps"
	"slices"
	"strings"

	"github.com/topos-go/topos/crdtactor/crdt"
)

const (
	// chunkLeaves and window bound what one Pull asks for and how many are
	// under way, so that nobody is sent more than it can take in.
	chunkLeaves = 256
	window      = 4
	// patience is how many periods a pull may make no progress before it is
	// begun anew.
	patience = 2
)

// part is one part of one answer.
type part struct{ serial, number uint64 }

// pull is this replica asking another for what it lacks.
type pull struct {
	token  uint64
	seq    uint64 // of the other's log, when it began
	rest   []uint64
	chunks map[uint64]map[part]bool // what has come of the chunks asked for
	next   uint64
	age    int
	again  bool   // asked once more meanwhile
	heard  uint64 // see holding
}

// root returns this replica's Root.
func (c *Core[S]) root(ask bool) Root {
	c.sums()
	return Root{Node: c.cfg.Node, ID: string(c.cfg.ID), Seq: c.log.seq, Sum: c.tree.root,
		Keys: uint64(c.tree.size), Roster: c.rosterSum, Settled: c.settled, Ask: ask}
}

// sums brings the hash tree up to date.
func (c *Core[S]) sums() {
	for _, e := range c.dirty {
		e.dirty = false
		if isZero(e.state) { // all that was in it is stripped
			c.tree.remove(e)
			c.close(e)
			continue
		}
		c.tree.put(e, hash(e.key, encode(e.state)))
	}
	clear(c.dirty)
	c.dirty = c.dirty[:0]
}

// compare takes in another replica's Root.
func (c *Core[S]) compare(m Root) {
	if !c.meet(m.Node, m.ID) {
		return
	}
	heard := c.losses
	if m.Roster != c.rosterSum {
		heard = 0
		c.sendRoster(m.Node)
	}
	h := c.holds[m.Node]
	c.sums()
	switch {
	case m.Settled != c.settled || c.moves.busy(): // what is equal may not mean the same
	case m.Sum == c.tree.root:
		h.pull = nil
		defer c.next(m.Node)
		if c.covers(m.Node, h, m.Seq, heard) && m.Ask {
			c.acknowledge(m.Node, h.id, h.upTo)
		}
	case h.pull.alive():
		h.pull.again = true
	case !c.free(m):
		c.deferred[m.Node] = true
	default:
		c.pull(m.Node, h, m, heard)
	}
	if m.Ask && !c.moves.busy() {
		c.send(m.Node, c.root(false))
	}
}

// alive reports whether a pull is under way and gets on.
func (p *pull) alive() bool { return p != nil && p.age < patience }

// whole reports whether so few keys are concerned that they can all be named.
func (c *Core[S]) whole(m Root) bool { return max(m.Keys, uint64(c.tree.size)) <= uint64(c.cfg.Few) }

// free reports whether a pull from the sender of m may begin. One tree is walked
// at a time: most of what a replica lacks, it lacks of everybody.
func (c *Core[S]) free(m Root) bool {
	h := c.holds[c.busy]
	return c.whole(m) || c.busy == m.Node || h == nil || !h.pull.alive()
}

// covers notes that all that another replica held when its log had come to seq
// is held here, and reports whether that was known of its log already.
// Heard is as in holding.
func (c *Core[S]) covers(node string, h *holding, seq, heard uint64) (known bool) {
	h.heard = max(h.heard, heard)
	known = seq <= h.upTo
	if !known {
		h.upTo = seq
		c.acknowledge(node, h.id, h.upTo)
	}
	c.out.Fresh = append(c.out.Fresh, node)
	return known
}

// pull begins to ask for what the sender of m has and this replica lacks.
func (c *Core[S]) pull(node string, h *holding, m Root, heard uint64) {
	c.token++
	h.pull = &pull{token: c.token, seq: m.Seq, heard: heard, chunks: make(map[uint64]map[part]bool)}
	ask := Pull{Node: c.cfg.Node, ID: string(c.cfg.ID), Of: h.id, Token: c.token}
	if c.whole(m) {
		ask.Whole = true
		for _, e := range c.placed() {
			ask.Keys = append(ask.Keys, c.known(e))
		}
		h.pull.chunks[0] = make(map[part]bool)
	} else {
		ask.Sums = c.tree.branches()
		c.busy = node
	}
	c.send(node, ask)
}

// next lets the walk of another tree begin after that of node's has ended.
func (c *Core[S]) next(node string) {
	if c.busy != node {
		return
	}
	c.busy = ""
	root := c.root(true)
	for _, other := range slices.Sorted(maps.Keys(c.deferred)) {
		c.send(other, root)
	}
	clear(c.deferred)
}

// placed returns all entries that are in the tree, sorted.
func (c *Core[S]) placed() []*entry[S] {
	list := make([]*entry[S], 0, c.tree.size)
	for _, e := range c.entries {
		if e.sum != 0 {
			list = append(list, e)
		}
	}
	slices.SortFunc(list, func(a, b *entry[S]) int { return strings.Compare(a.key, b.key) })
	return list
}

// known returns what e's state is to be compared by.
func (c *Core[S]) known(e *entry[S]) Known {
	c.catchUp(e)
	k := Known{Key: e.key, Sum: e.sum}
	if d, ok := any(e.state).(crdt.Digester[S]); ok {
		k.Digest, _ = d.Digest().MarshalBinary() // it has no errors
	}
	return k
}

// answer sends what the sender of m lacks.
func (c *Core[S]) answer(m Pull) {
	if !c.meet(m.Node, m.ID) || m.Of != string(c.cfg.ID) || c.moves.busy() {
		return
	}
	c.sums()
	var entries []*entry[S]
	switch {
	case m.Whole:
		entries = c.placed()
	case len(m.Leaves) > 0:
		for _, at := range m.Leaves {
			entries = append(entries, c.tree.in(at)...)
		}
	default:
		b := Branches{Node: c.cfg.Node, ID: string(c.cfg.ID), Settled: c.settled, Token: m.Token, Tops: c.tree.differing(m.Sums)}
		for _, top := range b.Tops {
			b.Sums = append(b.Sums, c.tree.below(top)...)
		}
		c.send(m.Node, b)
		return
	}
	theirs := make(map[string]Known, len(m.Keys))
	for _, k := range m.Keys {
		theirs[k.Key] = k
	}
	var parts [][]Item
	var last []Item
	size := 0
	for _, e := range entries {
		data := c.missing(e, theirs)
		if data == nil {
			continue
		}
		if size > 0 && size+len(data) > c.cfg.Part {
			parts, last, size = append(parts, last), nil, 0
		}
		last = append(last, Item{Key: e.key, Data: data})
		size += len(data) + len(e.key)
	}
	parts = append(parts, last)
	c.token++
	for i, items := range parts {
		c.send(m.Node, Answer{Node: c.cfg.Node, ID: string(c.cfg.ID), Settled: c.settled, Token: m.Token, Chunk: m.Chunk,
			Serial: c.token, Part: uint64(i), Parts: uint64(len(parts)), Items: items})
	}
}

// missing returns what e has and theirs do not; nil if that is nothing.
func (c *Core[S]) missing(e *entry[S], theirs map[string]Known) []byte {
	k, ok := theirs[e.key]
	if ok && k.Sum == e.sum {
		return nil
	}
	if d, can := any(e.state).(crdt.Digester[S]); can && len(k.Digest) > 0 {
		digest := new(crdt.Digest)
		if digest.UnmarshalBinary(k.Digest) == nil {
			delta := d.DeltaSince(digest)
			if isZero(delta) {
				return nil
			}
			return encode(delta)
		}
	}
	return encode(e.state)
}

// branch takes in which leaves of another replica may have what this lacks.
func (c *Core[S]) branch(m Branches) {
	h := c.holds[m.Node]
	if h == nil || h.id != m.ID || m.Settled != c.settled || c.moves.busy() || h.pull == nil || h.pull.token != m.Token || len(h.pull.chunks) > 0 {
		return
	}
	c.sums()
	p := h.pull
	p.age = 0
	for _, s := range m.Sums {
		if c.tree.sum(s.At) != s.Sum {
			p.rest = append(p.rest, s.At)
		}
	}
	c.pursue(m.Node, h)
}

// pursue asks for the next leaves, or ends a pull that has them all.
func (c *Core[S]) pursue(node string, h *holding) {
	p := h.pull
	for len(p.chunks) < window && len(p.rest) > 0 {
		n := min(chunkLeaves, len(p.rest))
		ask := Pull{Node: c.cfg.Node, ID: string(c.cfg.ID), Of: h.id, Token: p.token, Chunk: p.next, Leaves: p.rest[:n]}
		for _, at := range ask.Leaves {
			for _, e := range c.tree.in(at) {
				ask.Keys = append(ask.Keys, c.known(e))
			}
		}
		p.rest = p.rest[n:]
		p.chunks[p.next] = make(map[part]bool)
		p.next++
		c.send(node, ask)
	}
	if len(p.chunks) > 0 {
		return
	}
	h.pull = nil
	defer c.next(node)
	if p.again {
		h.heard = max(h.heard, p.heard)
		c.send(node, c.root(true))
		return
	}
	c.covers(node, h, p.seq, p.heard)
}

// answered takes in a part of an answer.
func (c *Core[S]) answered(m Answer) {
	if !c.meet(m.Node, m.ID) || !c.comparable(m.Node, m.Settled) || !c.joinAll(m.Items, m.Node) {
		return
	}
	h := c.holds[m.Node]
	if h.pull == nil || h.pull.token != m.Token || h.id != m.ID {
		return
	}
	come := h.pull.chunks[m.Chunk]
	if come == nil || m.Part >= m.Parts {
		return
	}
	h.pull.age = 0
	come[part{m.Serial, m.Part}] = true
	count := uint64(0)
	for p := range come {
		if p.serial == m.Serial {
			count++
		}
	}
	if count < m.Parts {
		return
	}
	delete(h.pull.chunks, m.Chunk)
	c.pursue(m.Node, h)
}
