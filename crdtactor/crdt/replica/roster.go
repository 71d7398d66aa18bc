package replica

import (
	"encoding/binary"
	"math"
	"slices"
	"strings"

	"github.com/topos-go/topos/crdtactor/crdt"
)

// forgotten reports whether the node was forgotten and has not come back.
func (m Member) forgotten() bool { return m.Version%2 == 0 }

// join returns the later of what two say of one node.
func (m Member) join(other Member) Member {
	other.Version = max(m.Version, other.Version)
	other.Next = max(m.Next, other.Next)
	other.Settled = max(m.Settled, other.Settled)
	other.Lost = max(m.Lost, other.Lost, other.Settled)
	return other
}

// sum is the same for equal Members, and 0 for the zero Member.
func (m Member) sum() uint64 {
	if m == (Member{}) {
		return 0
	}
	b := make([]byte, 0, 32)
	for _, n := range []uint64{m.Version, m.Next, m.Lost, m.Settled} {
		b = binary.BigEndian.AppendUint64(b, n)
	}
	return hash(m.Node, b)
}

// settledSum is sum of what is settled alone, 0 if nothing is.
func (m Member) settledSum() uint64 {
	if m.Settled == 0 {
		return 0
	}
	return hash(m.Node, binary.BigEndian.AppendUint64(nil, m.Settled))
}

// startOf returns when the replica of a node started, as its id says, or the
// greatest number if the id says nothing of the kind: adding 1 makes it 0.
func startOf(node, id string) uint64 {
	if lineage, start, ok := crdt.ReplicaID(id).Lineage(); ok && lineage == node {
		return start
	}
	return math.MaxUint64
}

// record puts m on the roster in the place of what was there of its node.
func (c *Core[S]) record(m Member) {
	old := c.roster[m.Node]
	if m == old {
		return
	}
	c.roster[m.Node] = m
	c.edits++
	c.rosterSum ^= old.sum() ^ m.sum()
	c.settled ^= old.settledSum() ^ m.settledSum()
	if m.Lost > old.Lost {
		c.losses++
	}
	if old.Lost > old.Settled {
		c.unsettled--
	}
	if m.Lost > m.Settled {
		c.unsettled++
	}
}

// know returns what is known of a node, which is put on the roster if it was
// never heard of.
func (c *Core[S]) know(node string) Member {
	m, ok := c.roster[node]
	if !ok {
		m = Member{Node: node, Version: 1}
		c.record(m)
	}
	return m
}

// Known returns the nodes on the roster, this one included, sorted: those that
// have ever been members and are not forgotten.
func (c *Core[S]) Known() []string {
	var nodes []string
	for node, m := range c.roster {
		if !m.forgotten() {
			nodes = append(nodes, node)
		}
	}
	slices.Sort(nodes)
	return nodes
}

// Roster returns the roster for a disk, and [Core.Enroll] takes it in again.
func (c *Core[S]) Roster() []Member {
	list := make([]Member, 0, len(c.roster))
	for _, m := range c.roster {
		list = append(list, m)
	}
	slices.SortFunc(list, byNode)
	return list
}

func byNode(a, b Member) int { return strings.Compare(a.Node, b.Node) }

// Enroll takes in the roster of a disk, before anything else but [Core.Restore]
// is done. What it says is settled is settled in what the disk has.
func (c *Core[S]) Enroll(list []Member) {
	for _, m := range list {
		c.record(c.roster[m.Node].join(m))
	}
	for _, key := range c.Keys() {
		if e := c.find(key); c.strip(e.state) {
			c.touch(e)
		}
	}
}

func (c *Core[S]) sendRoster(node string) {
	c.send(node, Roster{Node: c.cfg.Node, ID: string(c.cfg.ID), Whole: true, Members: c.Roster()})
}

// brief sends node the roster, once in a period.
func (c *Core[S]) brief(node string) {
	if !c.briefed[node] {
		c.briefed[node] = true
		c.sendRoster(node)
	}
}

// enroll takes in another replica's roster, whoever that is: what a roster says
// is so for ever.
func (c *Core[S]) enroll(r Roster) {
	settled := c.settled
	for _, m := range r.Members {
		old := c.roster[m.Node]
		if m.Version == 0 || m.Node == r.Node && old.forgotten() && m.Version < old.Version {
			continue // it does not know yet that it was forgotten, and says so anew when it does
		}
		m = old.join(m)
		switch {
		case m.Node == c.cfg.Node:
			m = c.hearOfSelf(old, m)
		case m.forgotten():
			m.Lost = max(m.Lost, m.Next)
		}
		c.record(m)
	}
	if c.settled != settled {
		c.settle(c.cfg.Node)
	}
	if r.Whole {
		c.correct(r)
	}
	c.meet(r.Node, r.ID)
}

// correct tells the sender of a roster what is known better here.
func (c *Core[S]) correct(r Roster) {
	theirs := make(map[string]Member, len(r.Members))
	for _, m := range r.Members {
		theirs[m.Node] = m
	}
	var better []Member
	for node, m := range c.roster {
		if m != theirs[node] {
			better = append(better, m)
		}
	}
	if len(better) > 0 {
		slices.SortFunc(better, byNode)
		c.send(r.Node, Roster{Node: c.cfg.Node, ID: string(c.cfg.ID), Members: better})
	}
}
