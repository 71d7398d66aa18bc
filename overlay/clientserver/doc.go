// Package clientserver links a few servers of a cluster with each other, and every
// other node with some of them.
//
//	client   client   client        each to ClientLinks servers
//	     \   /    \   /    \
//	    server -- server -- server   each to each other
//
// The smallest use is that of [overlay]:
//
//	c, err := clientserver.New(clientserver.Config{Self: self, Seeds: seeds, Rand: rng})
//	for _, effect := range c.Step(now, overlay.Met{Node: member}) {
//		carryOut(effect)
//	}
//	wait(c.Deadline()) // then c.Tick(now)
//
// A node is a [Server] or a [Client] because its configuration says so, or, with
// [Auto], a client that may be selected. [overlay.NeighborUp] says that two nodes have
// agreed; one of them at least is a server. A client that is asked refuses and names
// the servers that it knows.
//
// # Who serves
//
// The rule is: first those that serve, the senior ones first, then the others in the
// order of their names. The first Servers of them are to serve. Every node that knows
// the same members and servers gets the same from it, and who serves goes on
// serving when somebody with a lesser name comes.
//
// So that it is acted upon once, one node does: the most senior server appoints those
// who are missing, if it is Auto; if none is left, the first by name appoints
// itself. It waits for Settle, as others may know better, and a node with
// seeds that knows nobody for Patience. Servers that are given count like
// selected ones; where one of them is the most senior, no others are selected.
//
// Who serves is told by each to its neighbors as a [Claim] with a number. All that is
// known is repeated every Interval.
//
// No server steps down while it lives, unless there are more than MaxServers:
// then the least senior ones do, after Settle. That happens when parts of a cluster
// find together. With MaxServers equal to Servers there are never more for long; with a
// negative one nobody steps down.
//
// # Who is linked to whom
//
// A server dials all servers whose names are greater than its own, and the others if
// they do not within Yield. A client dials the ClientLinks servers with the highest
// scores, which are hashes of its name and theirs (rendezvous hashing): clients are
// spread evenly, and when a server comes or goes only its own clients move. A client
// has its new link before it parts from an old one.
//
// # What happens when a node crashes
//
// When a server's link breaks, its clients dial the next by score in that moment,
// and the lost one a little later: it may be only the connection. The servers see
// their links break, too. A member that was dialled Attempts times in vain is
// absent: it does not count as a server, and is tried with growing waits until
// Forget or [overlay.Lost]. After either, others are not believed that it is
// there, for Forget or for Bury; a link or [overlay.Met] proves it. What is said of a
// server that no other server names any more, its clients forget.
//
// A client that reaches no server asks, with growing waits, those who are to be
// selected, and probes its seeds.
//
// In a partition, each part selects servers of its own. Afterwards, what brings the
// parts together is that each server asks a random member in each Interval, and probes
// seeds that are no members.
//
// A node that starts again is another node, whose link replaces the earlier one's; if
// it was a server, it is none.
//
// # Leaving
//
// A node that leaves tells its neighbors and closes its links. They drop it at once
// and do not dial that incarnation again.
//
// # What is not guaranteed
//
// That there are no more than Servers servers: two nodes may appoint themselves at
// the same time when they do not know of each other, and stay up to MaxServers. Nor that
// all know the same servers while news is under way. Claims are taken as what their
// sender says: a member that lies can make clients of servers look like servers, which
// costs others some dials. It cannot make a node serve that is not Auto, nor one that
// serves stop.
package clientserver
