// Package cluster puts the protocols of a node together: who is a member, whom it
// is linked to, who has failed, and how broadcasts get everywhere.
//
//	            overlay.Event                       overlay.Effects
//	driver ----------------------> [Core] ----------------------> driver
//	                                  |
//	      topology   links, neighbors |  hyparview, fullmesh, gossip, ...
//	      plumtree   broadcasts       |  over the topology's neighbors
//	      pcbroadcast  causal ones    |  over the same
//	      directory  members          |  told by broadcasts and exchanges
//	      swim       failures         |  of whom the directory watches
//
// A [Core] is a protocol as package overlay has them, pure, and so are its parts:
//
//	top, err := hyparview.New(hyparview.Config{Self: self, Seeds: seeds, Rand: rng})
//	c, err := cluster.New(cluster.Config{Self: self, Topology: top, Rand: rng, Encode: encode, Decode: decode})
//	for _, effect := range c.Step(now, overlay.LinkUp{Node: peer}) {
//		carryOut(effect)
//	}
//	wait(c.Deadline()) // then c.Tick(now)
//
// A node that joins lets all know of it by a broadcast, when its directory has been given
// what others know; in a large cluster collectors do that for it, for many at a time.
//
// What one part lets others know is what another is told: a neighbor of the topology
// is one for broadcasts; whoever has proven itself over a link is met by the
// directory, whose members the failure detector watches; what that finds is an
// obituary in the directory, which is broadcast.
//
// [overlay.Up] and [overlay.Down] are of members, as the directory has them, and
// need not have anything to do with a link of this node's. [overlay.Deliver] is what
// nodes have broadcast: by plumtree, in no order, or by pcbroadcast, in causal order
// among those that are [overlay.Broadcast.Causal]. Plumtree would not do for these:
// what comes first over another branch of the tree need not have happened first.
// Everything else that is worth knowing is an
// [overlay.Report], of a type of the part that says it: a partition that the
// directory has detected or seen healed, a suspicion of the detector, a broadcast
// that was missed.
//
// # What happens when a node crashes
//
// Its links break. The topology finds others. That a link to a neighbor breaks
// without a farewell, or a connection is refused, is evidence for the failure
// detector, which has others try, so that the death of a process is known
// everywhere within a second; one that falls silent is found by being probed. The
// directory then has an obituary broadcast, by few of those who know, or in a large
// cluster by collectors, for many at a time: see Config.Hush. Each node learns of it by
// [overlay.Down]. If the node is not dead
// after all, it refutes that, and is up again as the same incarnation.
//
// # What is not promised
//
// That two nodes agree on the members at any moment: they do when nothing has
// changed for a while. Order between broadcasts that are not causal. What packages
// plumtree and pcbroadcast do not promise either.
package cluster
