// Package crdt has data types that several replicas change at once, without
// asking one another, and that end up equal once all have heard of all changes.
//
//	    replica a                                replica b
//	┌──────────────┐                         ┌──────────────┐
//	│ cart         │── delta: a added tea ──▶│ cart         │   lost, doubled,
//	│  tea  2      │                         │  tea  2      │   reordered: all
//	│  milk 1      │◀─ delta: b added milk ──│  milk 1      │   the same
//	└──────────────┘                         └──────────────┘
//	        ▲                                        │
//	        └───── digest ──▶  ◀── what is missing ──┘   from time to time
//
// Every change happens at once where it is made and returns a delta: a small
// state of the same type that others join to their own. The smallest program:
//
//	var here, there crdt.Cart
//	delta := here.Add("a", "tea", 2) // "a" is this replica
//	there.Join(delta)
//	fmt.Println(there.Quantity("tea")) // 2
//
// The package is pure: no goroutines, clocks, sockets or randomness. Replicas
// that hold these states, send the deltas and keep them on disk are package
// crdtactor.
//
// # Which type
//
//	GCounter     counts up                    MaxMap      greatest number by key
//	PNCounter    counts up and down           ORSet       elements come and go, adding wins
//	Tally        counts and can be reset      GSet        elements only come
//	Cart         quantities by item           EnableFlag  on or off, on wins
//	MVRegister   a value, or the disputed ones
//	LWWRegister  a value, the latest by clock
//	ORMap        any of Tally, ORSet, MVRegister, EnableFlag and ORMap by key
//
// # What happens when it crashes
//
// A delta that was lost is not missed forever: a replica sends the [Digest] of
// what it knows, and [Digester].DeltaSince answers with exactly what it lacks,
// removals included. A delta that comes twice, late, or before the one it
// follows does no harm; Join is commutative, associative and idempotent.
//
// A replica that loses its memory starts from the zero state under a new
// [ReplicaID] and gets everything back from its peers, except what it had told
// nobody. Under its old id it would make events that others take for ones they
// know already: updates are lost, though the replicas still agree. One that
// comes back with all of its memory may keep its id; if in doubt, take a new
// one.
//
// Bytes from the network are checked as they are decoded. They give an error,
// never a panic or more memory than they are worth, and no state is accepted
// that breaks an invariant of its type.
//
// # How removal works without tombstones
//
// Whatever is added is born with a [Dot], and every state remembers the dots it
// has heard of in a [CausalContext], which is one span of numbers a replica once
// all is delivered. Where two states meet, a dot that lives in one is looked up
// in the other's context: not there, it is news; there but no longer alive, it
// has been removed. So a removal needs no trace of its own, and it removes what
// it saw and nothing else.
//
// Deltas may arrive with gaps between them. A context never claims what lies in
// a gap, so what is still under way is neither taken for removed nor forgotten.
//
// Counters inside maps need more, because a replica's additions are kept as one
// total: see [Tally] for what a removal marks, and [Compactor] for when the mark
// goes.
//
// # What grows
//
// A state has an entry of its context or counter for each replica that ever
// changed it, about its id's length and five bytes, whatever the number of
// changes. A replica that restarts is another replica. If its ids are made by
// [Incarnation], what its earlier ones have left is folded into the latest one's
// entry: the state then grows with the nodes there are and not with their
// restarts. See [Folder] for when that may be done. What replicas of nodes that
// will never return have counted in a counter can be put into one entry for all
// of them: see [Settler].
//
// A counter's folded shares are added to the latest one's. In the types that can
// remove, living dots keep their ids, and the latest entry says that of all
// others of earlier replicas, known or not, none lives. So what remains of an
// earlier replica is what it has added and nobody has removed: in a [Cart], up
// to one run for each of its lives that has added to an item since the item was
// last removed.
//
// # Rules for all types
//
// The zero value is ready to use. A state must not be copied after first use,
// only cloned, and belongs to one goroutine at a time. Arguments are read and
// not kept; results are the caller's. Iteration is sorted. Mutators panic on an
// empty ReplicaID and have no errors.
//
// The types follow Almeida, Shoker and Baquero, "Delta state replicated data
// types", Journal of Parallel and Distributed Computing 111 (2018).
package crdt
