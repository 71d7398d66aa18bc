package replica

import (
	"math"
	"slices"
)

// Forget takes a node off the roster, here and, as the roster spreads,
// everywhere. It says for the operator: what only this node holds is lost, and
// nobody needs to wait for it. It reports false if the node is a member now, or
// was not known.
//
// # Folding
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
//
// # Settling
//
// The shares of a node that never starts again go into one share for all such
// nodes, the past: see [crdt.Settler]. Nobody inherits them. Each node moves
// its own copy, once it hears that this is safe, and that is a fact, true for
// ever, whoever says it and however late: so nothing depends on who found it
// out, and a crash between finding it out and telling it does no harm.
//
// A Member bounds the replicas of its node by when they started. Those before
// Lost are lost: whoever knows that takes in nothing more that they say. While a
// node is forgotten, that is all that were heard of (Lost >= Next), and the node
// is told: a replica that finds itself lost ends, and one that started later
// says that the node is back, with all its earlier replicas lost. Those before
// Settled are in the past. The node that leads the others
//
//	(a) hears out every node on the roster, each at a time when its roster was
//	    equal, with all that is lost; then it holds all that any of them holds
//	    of the lost ones, as in 1 and 2 above;
//	(b) waits until each has acknowledged to hold, on disk if it has one, all
//	    that was held here at the end of (a);
//	(c) raises Settled to Lost, in its roster, and moves the shares.
//
// Whoever hears of (c) moves what it has of the settled shares, in one step with
// what says so on its disk, and strips off whatever comes of them later. States
// travel with the sum of what is settled in them, and are joined, and compared,
// only where the same is settled. Of many keys, each is moved when it is looked at,
// and all soon afterwards: see moves; while a [Batch] is being taken, (c) is not
// heard. So, writing true(S) for what the replicas settled by S have
// counted:
//
//  4. Nothing counts twice: a past is at most true(S), and no other share has
//     any of true(S) in it. Joining takes the greater of two pasts of one S, so
//     the first holds if it holds of moving, and a share moves when its replica
//     comes into S, which happens once to a state; after a restart the disk has
//     both or neither. As to the second, another share might have a settled one
//     within itself by folding. A replica folds only if nothing of its node is
//     lost that is not settled, as far as it knows, and then only after all on
//     its roster have taken note of it (Next). Where both are known, what it has
//     folded and that its node is forgotten, it is lost itself (Lost >= Next), and
//     its share is settled in the place of those in it. If it hears of the loss
//     itself, it is outdated; and the next one makes it lost before it folds.
//  5. Nothing that was acknowledged is lost, unless the replicas that held it
//     are: by (b) every node on the roster has in its past all that was held of
//     the lost ones by any. A replica that has begun since, a node that the
//     roster did not have, or a disk that is old, may move less. Its past is
//     less in each part, and joining with any other makes good for it. If two
//     sides of a partition forget each other, every replica is lost: each side's
//     past lacks what only the other has settled, and the greater one stays.
//  6. Two that lead at the same time, or one after the other, say the same: (c)
//     is true if one of them says so. Two bounds of one node are joined by
//     taking the later.
//
// # Sweeping
//
// Of a run of additions that somebody else has removed, states keep a mark until
// the run's replica lets go of it: see [crdt.Tally]. For lost replicas the node
// that leads does so, when it has heard out every node as in (a). Then it holds
// all that any of them holds of a lost one, as that one would itself, and says in
// its place which dots are dead. Unlike settling that speaks of what is named and
// no more, so nobody needs to wait for anybody; what is found later of an addition
// to such a run is lost, as [crdt.Compactor] says.
//
// What a forgotten node counts before it hears that it was forgotten is as if
// only that node held it. On its own disk there may be more of its shares than
// the others had: it drops what is settled, instead of moving it, so that a
// disk that comes back does not decide what counts.
//
// The assumption is that of folding, and one like it: not all nodes that have
// taken note of a replica restart without their disks before they could tell
// any other, while a Forget of before is still under way.
func (c *Core[S]) Forget(node string) bool {
	m := c.roster[node]
	if _, member := slices.BinarySearch(c.members, node); member || node == c.cfg.Node || m.forgotten() || m.Version >= maxVersion {
		return false
	}
	m.Version++
	m.Lost = max(m.Lost, m.Next)
	c.record(m)
	return true
}

// hearOfSelf takes in that others have forgotten this node: old is what was
// known of that, m what is known now. If this replica is lost itself, it is
// outdated; if only earlier ones are, it says that the node is back.
func (c *Core[S]) hearOfSelf(old, m Member) Member {
	start := startOf(c.cfg.Node, string(c.cfg.ID))
	switch known := m.Lost == old.Lost || m.Lost == m.Settled && !c.folded; {
	case start != math.MaxUint64 && m.Lost > start:
		c.out.Outdated = string(c.cfg.ID)
	case !m.forgotten() && known:
	case c.folded: // it may have folded what is to be settled
		m.Lost = max(m.Lost, start+1)
		c.out.Outdated = string(c.cfg.ID)
	default:
		m = c.comeBack(m)
	}
	return m
}

// comeBack returns what is known of this node once it has come back: all
// replicas of it before this one are lost.
func (c *Core[S]) comeBack(m Member) Member {
	if m.forgotten() {
		m.Version++
	}
	if start := startOf(c.cfg.Node, string(c.cfg.ID)); start != math.MaxUint64 {
		m.Lost = max(m.Lost, start)
	}
	return m
}
