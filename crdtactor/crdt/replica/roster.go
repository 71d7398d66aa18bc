package replica

import (
	"encoding/binary"
	"slices"
)

// know puts a node that was never heard of on the roster.
func (c *Core[S]) know(node string) {
	if c.roster[node] == 0 {
		c.roster[node] = 1
		c.edits++
	}
}

// Known returns the nodes on the roster, this one included, sorted: those that
// have ever been members and are not forgotten.
func (c *Core[S]) Known() []string {
	var nodes []string
	for node, version := range c.roster {
		if version%2 == 1 {
			nodes = append(nodes, node)
		}
	}
	slices.Sort(nodes)
	return nodes
}

// Forget takes a node off the roster, here and, as the roster spreads,
// everywhere. It says for the operator: what only this node holds is lost, and
// nobody needs to wait for it. It reports false if the node is a member now, or
// was not known.
//
// What an earlier replica of a node has left is folded into its newest one's
// share, so that states grow with the nodes and not with their restarts. Only
// the newest replica, r2, of a node does so, for those before it, say r1, and
// only when it has joined, from every node on its roster, all that this node
// held at some moment after r2 began. Then:
//
//  1. No node has anything of r1 that r2 lacks, except what came to it since
//     straight from r1, or from somebody who has lost it again: by induction
//     over who told whom, whatever a node holds of r1 was held when r2 began by
//     a node that r2 has heard out since, or was under way at that time.
//     Whoever has heard of r2 takes in nothing more from r1, should that still
//     run, and acknowledges nothing.
//  2. What was under way only was held by no replica that is left. It was not
//     acknowledged with Copies(n) unless n replicas are gone.
//  3. So r1's share, as r2 has it, is final. r2 adds it to its own, which r2
//     alone writes, and marks this as complete. Whoever joins a complete share
//     of r2 drops that of every earlier replica of the node, and never takes it
//     in again. The order of joins does not matter: r1's share counts either
//     by itself, or within r2's, and in no state both.
//
// The roster must have every node that r1 has told anything. It travels with
// the states, is kept on disk, and is joined from everybody that r2 hears out.
// A node that joins while the cluster is parted is not known to the other part;
// if the node that let it in is then restarted without its disk, and only finds
// the other part, the proof fails: what r1 told only the newcomer is lost.
// A node that was forgotten and does return is known again by its first
// message, and what it holds of folded shares is dropped.
func (c *Core[S]) Forget(node string) bool {
	if _, member := slices.BinarySearch(c.members, node); member || node == c.cfg.Node || c.roster[node]%2 == 0 {
		return false
	}
	c.roster[node]++
	c.edits++
	return true
}

// rosterSum is equal on nodes with equal rosters.
func (c *Core[S]) rosterSum() uint64 {
	sum := uint64(0)
	var b [8]byte
	for node, version := range c.roster {
		binary.BigEndian.PutUint64(b[:], version)
		sum ^= hash(node, b[:])
	}
	return sum
}

// Roster returns the roster for a disk, and [Core.Enroll] takes it in again.
func (c *Core[S]) Roster() []Member {
	list := make([]Member, 0, len(c.roster))
	for node, version := range c.roster {
		list = append(list, Member{Node: node, Version: version})
	}
	slices.SortFunc(list, func(a, b Member) int {
		if a.Node < b.Node {
			return -1
		}
		return 1
	})
	return list
}

// Enroll takes in a roster, such as one from a disk.
func (c *Core[S]) Enroll(list []Member) {
	for _, m := range list {
		if m.Version > c.roster[m.Node] {
			c.roster[m.Node] = m.Version
			c.edits++
		}
	}
}

func (c *Core[S]) sendRoster(node string) {
	c.send(node, Roster{Node: c.cfg.Node, ID: string(c.cfg.ID), Members: c.Roster()})
}

// enroll takes in another replica's roster.
func (c *Core[S]) enroll(m Roster) {
	if c.meet(m.Node, m.ID) {
		c.Enroll(m.Members)
	}
}
