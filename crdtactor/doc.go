// Package crdtactor keeps replicated state: one [Replica] actor on every node
// holds a copy of a delta-state CRDT (package crdtactor/crdt), takes updates at
// any time, whatever the network does, and brings the copies together.
//
//	node a                     node b                     node c
//	Update(f) ─▶ replica ──delta──▶ replica      ...delta lost...  replica
//	              │  ◀────ack─────────┘                              │
//	              └────── roots differ ── digest ◀──────────────────▶┘ what it lacks
//
// The smallest use, on every node of the cluster:
//
//	visits, err := node.Spawn(ctx, crdtactor.New(crdtactor.Config[*crdt.PNCounter]{
//		Name: "visits", New: func() *crdt.PNCounter { return new(crdt.PNCounter) }, Members: node.Members,
//	}), actor.Name("visits"))
//	err = crdtactor.Update(ctx, node, visits, func(c *crdt.PNCounter, me crdt.ReplicaID) *crdt.PNCounter {
//		return c.Add(me, 1)
//	}, crdtactor.Copies(2))
//
// A [Store] is many such states by key, in a few processes: a hundred thousand
// carts without as many timers. [Watch] and [Notify] tell of changes. The
// protocol is the pure package crdtactor/crdt/replica, whose documentation says
// how changes travel and how losses are found.
//
// # When it crashes
//
// Without a [Disk], a replica's state is in memory. One that is restarted gets
// it back from the other nodes, and what only it had seen is lost with it: an
// update is safe from the loss of n-1 nodes once [Update] with Copies(n) has
// returned, and not before. With a Disk, an update is safe from a crash of its
// node once Update has returned, and with Copies(n) it is then on n disks: a
// node acknowledges to others only what it has saved. A replica that cannot save
// ends with the reason, and its supervisor decides.
//
// Either way the restarted replica is another one, with an id of its own, so that
// nothing it did before is counted twice. Its predecessors' entries are folded
// into its own when every node known has been heard out; [Forget] says of one
// that is lost that it need not be, and lets counters do without its entry. The ids are made of the node's name and the
// time: the clock of a node without a disk must not go back from one start to
// the next.
//
// An Update that fails has an unknown outcome; it may still spread. To try it
// again is safe where doing it twice is, as adding to a set is and counting is
// not. An f that panics ends the replica.
//
// # Options
//
// [Eager] sends every change at once, [Periodic] collects changes for a while,
// [Lazy] exchanges them when somebody reads. In every strategy unacknowledged
// changes are sent again, and anti-entropy repairs what was lost. Config.Peers
// lets a replica send to a few nodes that pass on what they hear, as in a
// cluster of HyParView with more members than connections; Copies then still
// counts any member. See docs/replication.md for guarantees and figures.
package crdtactor
