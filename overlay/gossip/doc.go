// Package gossip keeps a node linked to a random sample of the members, drawn anew
// little by little: an epidemic overlay, for clusters that are unstable or parted.
//
//	                    refused, lost, or swapped for another
//	            +--------------------------------------------------+
//	            v                                                  |
//	Met --> members --random--> dialled, asked --agreed--> neighbors, Fanout to 2×Fanout
//	          ^  | unreachable, Lost
//	          |  v
//	         faded --one probe a Refresh, for Forget--> answered: asked at once
//
// The smallest use is that of [overlay]:
//
//	c, err := gossip.New(gossip.Config{Self: self, Seeds: seeds, Rand: rng})
//	for _, effect := range c.Step(now, overlay.Met{Node: member}) {
//		carryOut(effect)
//	}
//	wait(c.Deadline()) // then c.Tick(now)
//
// It follows the observation of Kermarrec, Massoulié and Ganesh, "Probabilistic
// Reliable Dissemination in Large-Scale Systems" (2003), that a graph in which each of n
// nodes has ln(n)+c random links is connected with a probability near 1. Fanout is
// ln(n)+2 by the number of members known, rounded up, at least [MinFanout] and at most
// MaxFanout; a relation counts for both sides, so most nodes have more.
//
// It costs more links than hyparview, and more messages for a broadcast. What it gives
// for them: every two members may become neighbors, so that the graph does not
// depend on how it grew, and no part of it stays what it is.
//
// # Neighbors are symmetric
//
// A node that has less than Fanout neighbors asks random members, one for each that
// is missing. Whoever is asked agrees while it has less than 2×Fanout, else refuses and
// names others. [overlay.NeighborUp] says that both have agreed, and each repeats it to
// the other every Refresh; whoever knows better says so.
//
// # The graph mixes
//
// Every Refresh a node asks one more random member, and drops a random neighbor when
// that has agreed: the new link is there before the old one goes. A node with more
// than 1.5×Fanout drops two.
//
// # What happens when a node crashes
//
// Its links break, and each of its neighbors asks somebody else at once if it has
// fewer than Fanout left. A node that cannot be dialled is tried again with growing
// waits, Attempts times in all, then it fades; so does one that is [overlay.Lost]. The
// faded are not dialled, and not taken back because others name them. Each node
// probes one of them in a Refresh, a random one of at most MaxFaded, for Forget.
//
// That is how a partition heals without anybody's help: each side has forgotten the
// other but for those, and as soon as one answers, it is asked to be a neighbor; the
// names that neighbors exchange, and the refresh, do the rest. A directory that tells
// of the members again does it sooner. Seeds are probed as the faded are.
//
// A node that starts again is another node, whose link replaces the earlier one's.
//
// # Nobody is left alone
//
// A node without neighbors asks urgently, which cannot be refused: whoever is
// full drops another for it. If nobody is left to ask, it probes seeds and faded ones
// with growing waits.
//
// # Leaving
//
// A node that leaves tells its neighbors and closes its links. They drop it at once
// and neither dial nor probe that incarnation again.
//
// # What is not guaranteed
//
// That the graph is connected: it is with a high probability, and if it is not, it will
// be after some Refreshes. A member that lies can have others dial addresses, a few
// for each of its messages and each one Attempts times.
package gossip
