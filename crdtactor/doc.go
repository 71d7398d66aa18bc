// Package crdtactor keeps replicated state: one [Replica] actor on every node
// holds a copy of a delta-state CRDT (package crdtactor/crdt), takes updates at
// any time, whatever the network does, and brings the copies together.
//
//	node a                     node b                     node c
//	Update(f) ─▶ replica ──delta──▶ replica      ...delta lost...  replica
//	              │  ◀────ack─────────┘                              │
//	              └──────── anti-entropy: state hashes differ ──────▶┘ full state
//
// The smallest use, on every node of the cluster:
//
//	replica, err := node.Spawn(ctx, crdtactor.New(crdtactor.Config[*crdt.PNCounter]{
//		Name: "visits", New: func() *crdt.PNCounter { return new(crdt.PNCounter) }, Members: node.Members,
//	}), actor.Name("visits"))
//	err = crdtactor.Update(ctx, node, replica, func(c *crdt.PNCounter, me crdt.ReplicaID) *crdt.PNCounter {
//		return c.Add(me, 1)
//	}, crdtactor.Copies(2))
//
// # When it crashes
//
// A replica's state is in memory. One that is restarted takes a new replica id,
// so that nothing it did before is counted twice, and gets the state back from
// the other nodes. What only it had seen is lost with it: an update is safe
// from the loss of n-1 nodes once [Update] with Copies(n) has returned, and not
// before. An Update that fails has an unknown outcome; it may still spread.
//
// # Options
//
// [Eager] sends every change at once, [Periodic] collects changes for a while,
// [Lazy] exchanges them when somebody reads. In every strategy unacknowledged
// changes are sent again, and anti-entropy repairs what was lost.
package crdtactor
