// Package directory knows who is a member of the cluster: all of them, by
// incarnation, on every node, even if each has links to five only.
//
//	           failure detector                     broadcast, exchange
//	                 | Obituary                             | facts
//	                 v                                      v
//	Met ------> [ for each name the newest incarnation, alive, failed, crashed, left ]
//	                 |                |                     |
//	                 v                v                     v
//	                Try       Up, Down, Returned      Broadcast, Send
//	                          Restarted, Departed
//
// A [Core] is one node's. It is pure: it is told what happens, and returns what it
// wants done, in order.
//
//	core, err := directory.New(directory.Config{Self: self, Rand: rng})
//
//	effects := core.Step(now, directory.Met{Node: seed}) // a link to some member
//	for _, e := range effects {
//		switch e := e.(type) {
//		case directory.Broadcast: // have all others told: directory.Heard{Broadcast: e}
//		case directory.Send: // e.Message to e.To: directory.Received{From: self, Message: e.Message}
//		case directory.Up: // to whoever wants to know, and to the failure detector, which
//			// watches e.Node: directory.Obituary{Node: e.Node}
//		}
//	}
//	wait(core.Deadline()) // then core.Tick(now)
//
// # How it works
//
// What is said of a node is a [Fact], and facts merge in one way whatever the order
// in which they come, and how often: [Fact.Merge] is a join-semilattice. A newer
// incarnation ends all older ones. Of one incarnation a higher number counts, which
// the node alone raises (SWIM's incarnation number, of Das, Gupta and Motivala, DSN
// 2002, section 4.2); at the same number the worse news; and that it has left is
// final.
//
//	         obituary                     left
//	alive 0 ----------> failed, crashed 0 ----> left
//	                          | refuted by the node itself
//	                          v
//	                       alive 1 -----> ...
//
// News are broadcast: a node that joins, changes its metadata or leaves, an
// obituary, its refutation. Any of them may be lost. So each node compares its
// directory with that of a random member every Config.Interval: names are divided
// into ranges by a hash, and what the facts of a range add up to is compared, then
// its 16 parts where they differ, and so on, until a range has so few facts that
// they are sent. The one who asks keeps what is left to be compared, waits for one
// answer at a time, and also sends what the other one lacks. If ten thousand are
// equal, this costs two messages with some 40 bytes; if one fact differs, 900. A
// lost broadcast is everywhere after about log2(n) intervals.
//
// A node that joins takes the same way with the first one that it meets: it has
// nothing, so it is given everything, in answers of Config.MaxFacts. When that is
// done, or after a second, it is broadcast that it has come.
//
// # What happens when a node crashes
//
// The failure detectors of some others find out: [Obituary]. The first broadcasts it
// as a fact, and all say [Down]. A node that is alive after all hears it, raises its
// number, and is [Returned]. If it has left meanwhile or a newer incarnation is
// known, it cannot be one any more: it is [Displaced], and must start again.
//
// The dead stay in the directory for Config.Forget, those who have left for
// ForgetLeft, so that old facts do not bring them back, and are told to others for
// seven eighths of it, with their age, so that all forget them at about the same
// time. Meanwhile those who failed are tried again with growing waits, as they may
// be behind a partition: [Try].
//
// When one succeeds, the other one is told its obituary, and both compare what they
// know. In a partition of long standing each side has taken all of the other one
// for dead, and each now hears that of its own members. None of that is news: who
// hears in an exchange that a member is dead has all others hear of it, and doubts
// it for Config.Doubt; after half of that, it tells the member directly. The living
// refute by then. So nobody is [Down] in between, other than by an obituary that is
// news, unless the refutation and what is told directly are lost: of every twenty
// messages one, in one or two of ten thousand pairs.
//
// # Partitions
//
// One member that falls silent may be anything. If at least SplitMin members, and
// SplitPercent of a hundred, fall silent within Window, this is taken for a
// partition: [PartitionDetected]. A machine that answers that nobody listens makes
// it a crash, a newer incarnation a restart, before or after. If members of the
// other side return, as the same incarnations, there is a [PartitionHealed], with
// those who have restarted and those who are missing; it may come several times.
// When nobody is missing any more, [PartitionEnded] says what has become of each.
//
// All of that is said after Settle without a further change, or after Window at the
// latest: a side that comes and goes faster is said to be gone once. A node that is
// cut off alone sees all others on the other side; they see one that is silent. If
// only one direction is broken, those who hear nothing see a partition; the others
// hear their obituaries, and refute them. Who cannot be told apart: a rack that
// loses its power from one that loses its switch, until it is back.
//
// # Registers
//
// A [Register] is a small value of the whole cluster, such as its [Topology], which
// only the lowest member may set: [Core.Propose]. The highest epoch counts, and of
// two with the same the lower proposer's; so of what two sides of a partition have
// set one remains. It is no consensus: what was set may be dropped later.
//
// # What is promised
//
// If broadcasts, exchanges and tries work at least sometimes, all who run agree on
// who runs, soon after the last of them has crashed, joined, left or been found. A
// member whom nobody takes for dead is listed; who is known to be dead is not, but
// for the time of a doubt. Each node says Up, Returned or Restarted of another one,
// and then Down, Departed or Restarted, in turn.
//
// Not promised: that two nodes agree at any one time; that a node which was behind
// a partition for longer than Forget, and believes that somebody dead is alive, is
// not believed, until the failure detectors find out once more; anything against
// a member that lies, other than that limits hold. It can have any node displaced,
// use up its numbers, or make sums that are equal for different facts.
//
// # Limits
//
// A directory has MaxMembers names, MaxTombstones of which are of the dead; an
// entry takes 130 bytes, with a snapshot for [Core.Members] 170, and a tombstone
// another 180, besides strings. Names that find no place are refused, and the dead
// who would be forgotten first make room for others. No message has more than
// MaxFacts facts or 64 ranges. A node speaks for itself once a Pause, and tries
// somebody once a TryEvery.
package directory
