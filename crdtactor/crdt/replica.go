package crdt

import (
	"cmp"
	"strconv"
	"strings"
)

// ReplicaID names one incarnation of one replica. It must never be used again
// by anyone who does not hold everything its earlier user did: a node that
// restarts takes a new one. Two replicas under one id overwrite each other's
// updates; the states still converge, but updates are lost without a word.
// [Digest.Last] lets a starting replica check that nobody knows its id yet.
//
// Any non-empty string will do; mutators panic on an empty one, which is
// always a forgotten configuration. Ids are ordered as strings; the order
// decides nothing but ties in an [LWWRegister] and the order of iteration. Ids
// made by [Incarnation] keep states from growing with restarts.
type ReplicaID string

// Dot names one event: the Seq-th that Replica brought about in one replicated
// state. Seq counts from 1 and stays below 2^62; the zero Dot names nothing.
// Dots of different states, say two carts, have nothing to do with each other.
type Dot struct {
	Replica ReplicaID
	Seq     uint64
}

// maxSeq is the last sequence number. It is out of reach for counting and
// leaves room for arithmetic; decoders refuse what lies beyond.
const maxSeq = 1<<62 - 1

// Compare orders dots by replica, then by sequence number. The order is for
// iteration; it says nothing of what happened before what.
func (d Dot) Compare(other Dot) int {
	if c := strings.Compare(string(d.Replica), string(other.Replica)); c != 0 {
		return c
	}
	return cmp.Compare(d.Seq, other.Seq)
}

// String returns the dot as "replica:seq".
func (d Dot) String() string {
	return string(d.Replica) + ":" + strconv.FormatUint(d.Seq, 10)
}

// mustBeNamed panics on the empty ReplicaID.
func (r ReplicaID) mustBeNamed() {
	if r == "" {
		panic("crdt: empty ReplicaID")
	}
}
