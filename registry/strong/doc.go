// Package strong gives names to owners such that there is at most one at a time
// in the whole cluster, however it is partitioned: registered names, and leases
// with fencing tokens, by which leaders are elected.
//
//	any node                    3 or 5 voters                     a store outside
//	Register ─┐            ┌─ leader ──▶ log ◀── voter            highest token: 1.57
//	Acquire  ─┼─ request ─▶│    │                                      │
//	Lookup   ─┘            └────┴──────▶ log ◀── voter                 │
//	Hold ◀── token 1.57 ── answer                                      │
//	  └─────── write(data, 1.57) ─────────────────────────────────▶ accepts
//	  old owner, paused ── write(data, 1.31) ─────────────────────▶ refuses
//
// The log is that of Raft, by github.com/hashicorp/raft; its messages are
// control payloads of the nodes. The smallest program, on each of three nodes
// whose whole names are in voters:
//
//	r, err := strong.New(strong.Config{Cluster: node, Voters: voters, Dir: dir, Bootstrap: true})
//	err = r.Start()
//	defer r.Close(ctx)
//
//	hold, err := r.Hold(ctx, "billing") // waits until this node owns the name
//	err = store.Write(data, hold.Token())
//	<-hold.Done() // stop: somebody else may own it from now on
//
// # What is promised
//
// Changes and the reads called Linearizable behave as if there were a single
// copy: each takes effect at one moment between its call and its return. A
// change is carried out once, however often it had to be sent. Reads called
// Stale are of this node's copy, at some moment in the past, and do not wait.
//
// At most one node holds the lease of a name, and each owner of a name has a
// higher [Token] than all before it. A holder stops to believe in its lease, by
// its own clock, before anybody else can get it, as long as clocks run equally
// fast but for Config.MaxDrift. What they show never matters. A holder that was
// paused may go on for a moment, and its messages may be late: whatever must
// not be done by two owners has to check tokens, with a [Fence] or beside its
// data. docs/consistency.md says it at length.
//
// Not promised: an answer. Without a majority of the voters there is no change
// and no linearizable read, and calls wait for their ctx. If that ends after a
// change was sent, the outcome is unknown: [ErrUnknown].
//
// # What happens when a node crashes
//
// If it led, the voters elect another leader within two to three times
// Config.Election, and requests go on by themselves. Leases last on: the new
// leader gives each its whole time again. The lease of a lost holder runs out
// after Config.TTL.
//
// A node with a Dir comes back as what it was. A voter that stays away is
// replaced after Config.ReplaceAfter by a node that has the data already, one
// change at a time. A node in memory comes back as a new one, without a vote.
//
// When a majority of the voters is lost for good, the others can do nothing,
// and must not: an operator decides which copy goes on, with [NewEpoch].
// Every later token is higher, and who has data of before is refused with
// [ErrObsolete].
//
// # Options
//
// See [Config]. Dir makes data outlive the program; Client makes a node that
// only asks; TTL, MaxDrift and Election are to be the same everywhere.
package strong
