// Package fullmesh keeps every node of a cluster linked to every other one.
//
//	seeds --probe--> found --dial--> link up = member --gossip--> more to dial
//	                                   |        ^
//	                             link down      | redial
//	                                   v        |
//	                                 suspected -+--refused, or silence--> down
//
// A node is a member of this node's view as soon as, and only when, the two
// have proven themselves to each other over a link of their own; what others
// say of a node makes it worth dialling, nothing else. So a dead node cannot
// be kept alive by gossip, nor a live one be evicted by it.
//
// The smallest use is that of [overlay]: tell [Core.Step] what happened, carry
// out what it returns, and call [Core.Tick] when [Core.Deadline] has come.
//
// # What happens when a node crashes
//
// Its links break, and those it was linked to dial again at once. If its
// machine answers that nobody listens there, the node is down that moment,
// with [overlay.ErrUnreachable]; if nothing answers, after Misses × Interval
// without a heartbeat, with [overlay.ErrSilent]. If the link comes back before
// that, nothing has happened. If a newer incarnation of the node links itself
// first, the old one is down with [overlay.ErrRestarted].
//
// A node that is down is tried again for Forget with growing waits: the same
// incarnation back means that a partition has healed. One that has left, with
// [overlay.ErrLeft], is not; it comes back as a newer incarnation only.
//
// A full mesh costs each node a link and a heartbeat an interval for every
// other node: it is meant for up to some hundred nodes.
package fullmesh
