// Package plumtree broadcasts messages to every node of an overlay, over a
// spanning tree that forms in it by itself and mends.
//
//	a ====> b ====> d    eager links: payloads, at once
//	 \\             :
//	   ===> c ......:    lazy links: announcements, a while later
//
// Each node pushes payloads at once to the neighbors that it holds for eager, and
// announces them later to those that are lazy. At first all are eager. Who has a
// message already prunes the link over which it comes again; who is told of one
// that does not come grafts the link to who has told it. So the eager links
// become a tree, and become one again when it breaks: Leitão, Pereira and
// Rodrigues, "Epidemic Broadcast Trees", SRDS 2007.
//
//	core, err := plumtree.New(plumtree.Config{Self: self, Rand: rng})
//	core.Step(now, plumtree.NeighborUp{Node: peer}) // as the topology says
//	for _, effect := range core.Step(now, plumtree.Broadcast{Payload: payload}) {
//		carryOut(effect) // Send, Deliver, Missed
//	}
//	wait(core.Deadline()) // then core.Tick(now)
//
// # What is promised
//
// Each message is delivered at most once on each node, its sender included: by
// the number of the message, however long ago it came. Every node that stays
// connected to the others delivers it, in spite of lost messages, links and
// nodes, as long as somebody it is connected to retains it. If that is not so, it
// is reported as [Missed], once, when the node learns that there was such a
// message; it is not delivered after that. A node that is new delivers what is
// still retained, and is told of what is not with [ErrBefore].
//
// Not promised: any order, not even between two messages of one sender; that
// nodes deliver at the same time; that a message outlives Config.Retain;
// anything about what a neighbor says that lies. Such a neighbor can forge
// messages, have others missed, and claim that some exist; it breaks no limit.
// Links must not hold a message back for longer than Config.Retain, nor clocks
// stand still for as long while a node is suspended: what comes then looks younger
// than it is, and might be delivered again if its origin was forgotten.
//
// # What happens when something crashes
//
// A node that crashes takes its links with it: the topology reports them down,
// and finds other neighbors, which begin as eager ones.
// Who has lost an eager neighbor makes Config.Mend lazy ones eager, on both sides, and
// tells them of what they have not been pushed, which they ask for at once, as it does
// itself of what they tell. If it has no lazy neighbors, eager ones do so in its place.
// So a tree that has broken costs a few round trips from when that is noticed, and some
// payloads too many, until the next message prunes what was not needed. The node that
// starts again knows nothing, and has it from the exchange.
//
// Where that does not help, or a message is lost, lazy neighbors announce it. A timer,
// first [DefaultFirst], then [DefaultSecond] for each further announcer, grafts their
// links: about 0.6 s.
//
// What eager and lazy push both lose, since announcements can be lost as well,
// or a partition was between, an exchange brings: every [DefaultExchange], and
// soon after a new neighbor has come, a digest goes to one neighbor, which sends
// what is lacking there and asks for what it lacks itself. What comes that way is
// announced to all neighbors, and pushed to none, for most of them have it.
//
// A message lives for Config.Retain from its broadcast, wherever it is: its age
// travels with it. A node that was started again is another origin, which counts
// from 1. An origin is forgotten when it was silent for Config.Forget, or for
// twice Retain if a later start of it is known: then nothing can be left of it
// that would be delivered again.
//
// # One tree, and who shapes it
//
// The tree is one for all origins, as the paper has it by default ("Sender-Based
// versus Shared Trees"). Each message reshapes it: prunes what is not needed for
// it, and shortens its own path if there is one that is Config.Threshold hops
// shorter ("Optimization"). With messages of several senders on their way at the
// same time this destroys the tree, for each cuts the cycles elsewhere: of 50
// messages a second by ten senders on a thousand nodes, each was sent 1.6 times
// per node and had 250 grafts, for ever. Here, at any time, one origin leads: the
// first in the order of nodes of which there was news within the last second or
// so. Only its messages prune, graft and make eager; what others miss is asked
// for, once. Then the same load comes to no redundancy and no grafts within some
// seconds. With one sender at a time, everything is as in the paper.
//
// With Config.PerOrigin, up to MaxTrees origins have a tree of their own, of
// shortest paths for each, as the paper advises where latency matters: 10 hops
// instead of 13 on that overlay. It costs a flooded message for each origin, again
// after a silence of twice Retain, and grafts for each when a link breaks; so it
// is for few senders with much to say. Others take the shared tree.
//
// # Other deviations from the paper
//
// Announcements are gathered, for Config.Lazy or until there are MaxIHave. So most
// come after the payload, and the optimization also heeds those. A tree is mended when a
// link is lost, not only when a message is missed. A graft that
// cannot be answered is answered with that, so that the next announcer is asked
// at once. An announcer whose link is eager already is asked first. Old messages,
// which come late by a graft, prune nothing. A node whose neighbors are all lazy, since
// messages of two origins have each pruned what the other had left, mends the tree when it
// broadcasts: what it only announced would die with it.
//
// # Limits
//
// Everything has one, in [Config]: the payloads retained by number, bytes and
// age; origins, holes in what has come of each, messages that are waited for,
// and every list in a message. A digest tells of 256 origins; of more in turn, one
// part an exchange. A new neighbor in a full mesh of n costs n payloads of one
// message until the links are pruned. A flood of invented origins keeps others
// out for twice Retain, if it fills MaxOrigins. An idle core with five neighbors
// takes about 1.5 kB, and 0.25 kB for each origin it remembers.
package plumtree
