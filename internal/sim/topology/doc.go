// Package topology plays protocols that decide to whom a node is linked, for their
// tests: many cores of one in a world, or one core alone.
//
//	World  cores --effects--> links, latency, loss, crashes, partitions --events--> cores
//	Stage  one core --lines that say what happens--> lines that say what it does
//	Storm  one core --anything in any order--> what no driver can be asked for fails
//
//	w := topology.NewWorld(t, seed, 100, protocol)
//	w.Grow(time.Millisecond)
//	w.Until(time.Minute, time.Second, w.Sound)
//
// It is smaller than package sim, in which nodes broadcast too: here is what static,
// gossip and clientserver are held to, which are topologies and nothing else. Their
// messages are their own business.
//
// All is deterministic: one seed gives one course of events. Nothing here is for
// more than one goroutine.
//
// # What is always checked
//
// A core must say what it keeps to: each [overlay.NeighborUp] has its NeighborDown, and
// together they are what Neighbors returns; nothing is sent without a link; its
// invariants hold. What does not ends the test. That both sides agree is [World.Sound],
// which is asked when nothing is under way.
//
// # What happens when a node crashes
//
// Its links end, for the other side after the latency of one. With Known set, there
// is a directory: a second or two later all are told that it is lost, and half a
// second after a start that it is there. A start at the same place is the next
// incarnation.
package topology
