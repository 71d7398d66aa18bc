// Package floor does the works of the benchmarks in bare Go, with no actor
// library: what the machine gives. A figure of Topos or of a peer is read as a
// ratio to its floor in the same run.
//
//	tell, fanin  a mutex, two slices swapped on drain, a parked receiver;
//	             what senders and the receiver write is on separate cache lines
//	busy         1,000 goroutines, in pairs that play ping-pong over channels
//	call         one goroutine asks another over channels made once
//	spawn        a struct with such a mailbox, entered in a table
//	idle_bytes   the live memory of such a struct
//
// [Pair] does the works between two processes: TCP connections that a goroutine
// reads, with a channel to another goroutine where a process would handle a
// request, and writev from and reads into the payload's own slice where it is
// large.
package floor
