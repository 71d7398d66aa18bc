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

const (
	// maxStart is the latest that a replica can have started: there is no later
	// time in nanoseconds since 1970. So a bound above it is never 0.
	maxStart = math.MaxInt64
	// maxName is the length of the longest name of a node that is taken from
	// others, in bytes: a message has room for as many as maxMembers.
	maxName = 4096
	// maxVersion is odd, so that a node can always come back. Nobody gets there
	// who does not lie.
	maxVersion = math.MaxInt64
)

// valid reports whether m is what a replica may know.
func (m Member) valid() bool {
	return m.Version > 0 && m.Version <= maxVersion && m.Settled <= m.Lost && m.Lost <= m.Next && m.Next <= maxStart+1 &&
		len(m.Node) <= maxName
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
	if lineage, start, ok := crdt.ReplicaID(id).Lineage(); ok && lineage == node && start <= maxStart {
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
	if m.forgotten() {
		delete(c.holds, m.Node) // whoever it is when it returns, it is heard out anew
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
	for _, e := range c.entries {
		if c.strip(e.state) {
			c.touch(e)
		}
	}
}

// maxMembers is how many Members one message has. Names are never taken off a
// roster, and after years all may be too long for one: the node itself, an old
// disk of any other one, or a side of a partition may come back with what was
// settled, and nobody who can be asked knows that they will not.
const maxMembers = 512

func (c *Core[S]) sendRoster(node string) {
	list := c.Roster()
	from := ""
	for len(list) > 0 {
		n := min(maxMembers, len(list))
		part := Roster{Node: c.cfg.Node, ID: string(c.cfg.ID), Whole: true, From: from, Members: list[:n:n]}
		if list = list[n:]; len(list) > 0 {
			part.To = list[0].Node
		}
		from = part.To
		c.send(node, part)
	}
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
	fresh := make(map[string]uint64)
	for _, m := range r.Members {
		old := c.roster[m.Node]
		if !m.valid() {
			c.out.Malformed++
			continue
		}
		if m.Node == r.Node && old.forgotten() && m.Version < old.Version {
			continue // it does not know yet that it was forgotten, and says so anew when it does
		}
		m = old.join(m)
		switch {
		case m.Node == c.cfg.Node:
			m = c.hearOfSelf(old, m)
		case m.forgotten():
			m.Lost = max(m.Lost, m.Next)
		}
		if c.saving.open {
			m.Settled = old.Settled // it is as if the rest had not been heard: it will be said again
		}
		if m.Settled > old.Settled {
			fresh[m.Node] = m.Settled
		}
		c.record(m)
	}
	c.settle(fresh, c.cfg.Node)
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
		if m != theirs[node] && node >= r.From && (r.To == "" || node < r.To) {
			better = append(better, m)
		}
	}
	slices.SortFunc(better, byNode)
	for part := range slices.Chunk(better, maxMembers) {
		c.send(r.Node, Roster{Node: c.cfg.Node, ID: string(c.cfg.ID), Members: part})
	}
}
