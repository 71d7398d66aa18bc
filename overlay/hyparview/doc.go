// Package hyparview keeps each node of a large cluster linked to a few others,
// such that all are connected: HyParView, with X-BOT to make those links short.
//
//	             join, random walks
//	seeds --> contact ------------> active view     5 neighbors, linked, symmetric
//	                                 |       ^
//	        fails, or has to make way|       |promoted: dialled and asked
//	                                 v       |
//	 other nodes <---shuffles---> passive view      30 candidates, not linked
//
// It follows Leitão, Pereira and Rodrigues, "HyParView: a membership protocol
// for reliable gossip-based broadcast" (DSN 2007), and Leitão, Marques, Pereira
// and Rodrigues, "X-BOT: A Protocol for Resilient Optimization of Unstructured
// Overlay Networks" (SRDS 2009).
//
//	c, err := hyparview.New(hyparview.Config{Self: self, Seeds: seeds, Rand: rng})
//	for _, effect := range c.Step(now, overlay.LinkUp{Node: peer}) {
//		carryOut(effect)
//	}
//	wait(c.Deadline()) // then c.Tick(now)
//
// [overlay.NeighborUp] and [overlay.NeighborDown] say who comes into the active
// view and who leaves it. The package emits no [overlay.Up] and [overlay.Down]:
// it knows a few nodes, not who is a member; a directory does. That a neighbor
// is down means that two nodes have parted, or their link has, and no more.
//
// # What happens when a node crashes
//
// Its links break, which its neighbors are told by [overlay.LinkDown]; the
// driver does so when the last lane is gone, the loss of one of several is
// below this package. Each dials a candidate at once and asks to be its
// neighbor, with high priority if it has no neighbor left: that cannot be
// refused, and whoever makes room for it drops a random neighbor and tells it.
// Candidates that cannot be dialled are dropped, those that have no room are
// asked again later, and when new ones come in. After a crash of 80 % of 300
// nodes the others are one graph again within a second.
//
// The dead are in passive views for some minutes. Each node probes some
// candidates in each interval, hands on only those that have answered, and does
// not take back on hearsay whom it has not reached. So none goes round for ever.
//
// A node without neighbors and candidates joins again through its seeds. A
// partition parts the views too: when it has healed, seeds and the swaps of
// [Config].Refresh bring the parts together, and [overlay.Join] does so at once.
//
// A node that starts again is another node, whose link replaces the earlier
// one's. What others say of incarnations counts for candidates only, and yields
// to who answers.
//
// # Links and relations
//
// Neighbors are those who have agreed on it, over a link. A relation has two
// numbers, one of each side, as a TCP connection has; requests, answers,
// farewells and signs of life carry them. The cases in which messages cross:
//
//   - Both ask: each takes the other's request for agreement. The answers that
//     follow say nothing new.
//   - A farewell meets a request, or another farewell: it names the relation
//     that it ends, and does nothing to a later one.
//   - An answer comes when its asker has given up: it is sent back as a
//     farewell, which ends what the answer has begun.
//   - A request or its answer is lost: the asker gives up after Timeout and says
//     so. If that is lost too, one side believes in a relation that the other
//     does not know. Every ShuffleInterval each side tells its neighbors that
//     they are; whoever knows better denies it, and that is the end of it.
//   - Both dial: the driver keeps one link. A second link in place of the first:
//     requests and signs of life are repeated over it.
//
// Whoever ends a relation says so and closes the link. A link without a relation
// is closed by the side that has made it, as soon as it is of no more use: a
// shuffle's answer is sent and its link is closed. If that side does not, the
// other one does after Linger.
//
// # Leaving
//
// A node that leaves tells its neighbors, who drop it from both views and
// remember it for a while. Nobody else is told: those that hold it in their
// passive view lose one probe or dial, while telling them would mean to flood
// the cluster, as nobody knows who they are.
//
// # X-BOT
//
// With [Config].XBot, a node with a full active view measures two candidates now
// and then. If one, c, is nearer than a neighbor, o, four nodes swap two links
// for two that cost less, and none has more or fewer neighbors than before:
//
//	i -Optimization-> c -Replace-> d -Switch-> o       before: i-o, c-d
//	i <----reply----- c <--reply-- d <-reply-- o       after:  i-c, d-o
//
// The dearest neighbors are left alone, for they hold the cluster together.
// Every wait in an exchange has its end, and every end leaves a sane state; see
// exchange.
//
// # What differs from the papers
//
//   - Shuffles carry only candidates that have been probed of late, and passive
//     views are probed at all: [Config].Checks. Set to -1 it is the paper's way,
//     in which the dead of a mass crash stay in passive views for long.
//   - A random neighbor is swapped now and then: [Config].Refresh. In the paper,
//     full views never change, so that islands, which form when thousands join
//     at once, and parts of a partition, stay. Set to -1 it is off.
//   - A neighbor whose link breaks becomes a candidate if the passive view has
//     room: it may be only the connection, and in a cluster of two there is
//     nobody else to ask.
//   - Candidates are asked in parallel, one for each free slot. A node that has any
//     neighbor leaves it at three that have no room, and then, if it lacks more than
//     one, at twice as many each time, and does not ask all that it knows at once.
//   - Relations have numbers, are asserted, and time out: the papers take
//     messages for reliable.
//   - In X-BOT, a node has a part in one exchange at a time.
//
// # What is not guaranteed
//
// Active views are symmetric but for messages under way, and connected with
// high probability. Messages are taken as what their sender says: a member that
// lies can have others dial addresses, a bounded number at a time, fill passive
// views, and push neighbors out by asking with high priority.
package hyparview
