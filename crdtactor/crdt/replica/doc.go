// Package replica is the protocol that keeps copies of replicated states equal:
// one value a node, which is told what came and what time has passed, and says
// what to send, what to save and whom to answer.
//
//	Update ──▶ ┌───────────────────────────┐ ──▶ Delta to each neighbor,
//	Step   ──▶ │ Core: states by key,      │      Ack, Root, Pull, Answer ...
//	Tick   ──▶ │ log, peers, hash tree     │ ──▶ what to save
//	Saved  ──▶ └───────────────────────────┘ ──▶ writes that are done
//
// The smallest program, two replicas of a counter and the network between them:
//
//	a := replica.New(replica.Config[*crdt.GCounter]{Node: "a", ID: "a", New: newCounter})
//	b := replica.New(replica.Config[*crdt.GCounter]{Node: "b", ID: "b", New: newCounter})
//	a.See([]string{"b"}, []string{"b"})
//	a.Update("", func(c *crdt.GCounter, me crdt.ReplicaID) *crdt.GCounter { return c.Add(me, 1) })
//	a.Flush()
//	for _, e := range a.Take().Out {
//		b.Step(e.Msg)
//	}
//
// The package is pure: it knows no goroutine, clock, lock or socket. Actors,
// disks and timers around it are package crdtactor. A single replicated state
// is a key space with one key, so one protocol serves both.
//
// # How changes travel
//
// A change gets the next number of its replica's log. Each neighbor is sent the
// changes that it has not been sent, those to one key joined into one delta, and
// acknowledges up to which number it holds all. What is not acknowledged is sent
// again, what everybody has acknowledged is dropped: the delta-interval buffer
// of Almeida, Shoker and Baquero, "Delta state replicated data types" (2018),
// section 7.2. With Config.Forward, what changes something here is put in the
// log as well, so that changes cross a cluster whose members are not all
// neighbors.
//
// # How losses are found
//
// From time to time a replica tells its neighbors the root of a hash tree over
// all its states. One whose root differs pulls: it sends the hashes of its 256
// branches, hears the hashes of the leaves in those that differ, and then sends
// for each key in the leaves that differ what it knows, as a crdt.Digest where
// there is one. The answer is what it lacks and no more. A replica with few keys
// sends the digests at once. So replicas that agree exchange one small message,
// and a replica that is new, or too far behind for the log, needs nothing else.
//
// # When it crashes
//
// A replica that starts again is another replica of the same node: it has a new
// id, whether or not it has its states back from a disk. Nothing is counted
// twice, since what its predecessor did remains the predecessor's. Its ids are
// made by crdt.Incarnation, and what the predecessors left is folded into the
// newest one's share when that is safe: see [Core.Forget] for when that is. A
// node that never starts again has to be forgotten; then its shares of counters
// go into one for all such nodes.
package replica
