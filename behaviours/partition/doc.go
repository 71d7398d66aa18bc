// Package partition stands before a process and decides, while the cluster is
// parted, which messages reach it; and it brings together what the sides did
// when they meet again.
//
//	message --Classify--> Read  -------------------------------> actor
//	                      Write --[ strategy, who is there ]----> actor, or refused
//	                                                        |
//	             MergeOnReconnect: operation (origin, seq) -+-> log <====> guards of other nodes
//
// The smallest program, on every node of the cluster:
//
//	guard := partition.Start(partition.Config{
//		Name:     "orders",
//		Strategy: partition.ReadOnly,
//		Cluster:  node,
//		Classify: func(msg any) partition.Class {
//			if _, ok := msg.(Place); ok {
//				return partition.Write
//			}
//			return partition.Read
//		},
//	}, func() actor.Actor { return new(Orders) })
//	node.Supervise(ctx, supervisor.Spec{Children: []supervisor.ChildSpec{{ID: "orders", Start: guard}}})
//
// A write that is refused fails with a *[RefusedError], which says which
// strategy refused it, who is on this side, and who leads it.
//
// # What counts as a partition
//
// A node that falls silent may have crashed, be cut off, or be stopped: nobody
// can know before it is back. So it counts as lost behind a partition, until
//
//   - the same incarnation is back: there was a partition, and now it has healed;
//   - a newer incarnation is there: it was restarted;
//   - its machine answers that it does not run, or the overlay finds that out: it
//     has crashed;
//   - it is given up, by [Forget] or after Config.GiveUp.
//
// Config.MinLost lost nodes make a partition. A node that leaves, or whose
// machine says at once that it does not run, is never lost. [Detected] and
// [Healed] say all that, to Config.Observe.
//
// The sides find out at different times, seconds after it has happened. Until
// then a node goes on as if nothing were the matter: only ElectLeader with
// LeaderOnly, and MergeOnReconnect, do not depend on it.
//
// # Strategies
//
// ContinueLocal refuses nothing. It is for state that joins by itself, as that
// of package crdtactor does: a guard before a Replica tells what happens and
// never replays anything. With ReadOnly and ElectLeader, a guard before a Replica
// refuses what crdtactor.IsUpdate says is an update; reads, and what replicas tell
// each other, are reads to it.
//
// ReadOnly refuses writes while the cluster is parted, on all sides.
//
// ElectLeader refuses them on nodes whose side does not have the leader. Who
// leads is for a [Leader] to say, which must have a lease that a minority cannot
// get or keep; [StrongLeader] has one, by a name in package strong. With
// LeaderOnly, only the leader itself writes.
//
// MergeOnReconnect refuses nothing while there is room. The actor is a [Merger]:
// an operation is applied where it was sent to, gets a number there, and is
// sent to all other nodes, which apply it too. It stays in the log until all
// known nodes have acknowledged it, the lost ones as well, so it does not matter
// when a side finds out that it is one. When sides meet, each sends what the
// other lacks. A node that lacks what is in no log any more, because it is new
// or was restarted, gets a state, a snapshot of the actor's.
//
// # What is promised
//
// With MergeOnReconnect, every operation that was accepted is applied once on
// every node that stays or comes, those of one origin in the order in which it
// took them in, as long as one guard that has it survives. An origin is one start
// of a guard.
//
// Not promised: any order between operations of different origins, which is
// another one on each node, so that they must commute, or a state that is right
// only in one order is wrong; that an operation survives the crash of the only
// node that has it; that anything is on disk.
//
// # What happens when it crashes
//
// The guard and its actor are one process. When it crashes, its memory is lost:
// under a supervisor it starts again as a new origin, with an empty state, and
// gets the state of another node within a round trip or Config.Interval. Writes
// that it takes in before are applied on top of that. If all guards crash at
// about the same time, everything is lost; if several do, while they have not
// got the state back, different parts may be left in different places. They
// cannot be merged then: [Diverged] says so, and each goes on with what it has
// until one is started anew.
//
// # Limits
//
// A log has at most Config.MaxOps operations of Config.MaxBytes of each origin
// that not all known nodes have acknowledged. Beyond it, writes are refused with
// a [RefusedError] that wraps [ErrLogFull] and names the nodes that are missing:
// bring them back, or [Forget] them. The last Config.Keep operations stay although
// all have them, for nodes that wrote before they had met the others; a node
// that knows nobody yet keeps MaxOps. Each start of a guard that has ever written
// takes some hundred bytes on each node for as long as the cluster runs.
//
// An actor must not use Self.Become behind a guard, which would take its place.
package partition
