// Package causal delivers messages between pairs of nodes after those that
// happened before them, whichever comes first.
//
//	A ---m1----------------------------------> C
//	|                                          |  m3 has come: it waits for m1
//	+----m2---> B ---m3------> C               |  m1 has come: m1, m3
//
// A has sent m1 before m2, and B had m2 before it sent m3: so m1 happened before
// m3, and C must have it first, though B knows nothing of m1 but that it is on
// its way. The stamp of m2 tells B so, and that of m3 tells C.
//
// A [Group] is one label on one node. It is pure: it has no goroutine, lock,
// clock or socket. The caller hands in the time and what has come, and carries
// out the effects that it gets back:
//
//	g, err := causal.New[Message](causal.Config{Self: self})
//
//	stamp, err := g.Stamp(to) // and send it with the next message to that node
//
//	for _, e := range g.Receive(now, from, stamp, message, size) {
//		switch e := e.(type) {
//		case causal.Deliver[Message]: // e.Item goes into its mailbox, now
//		case causal.Dead[Message]: // e.Item never will, because of e.Reason
//		case causal.Released: // something waits no more for what e.From has sent
//		case causal.Notify: // send e.Stamp to e.To, without a message
//		case causal.Heard: // if e.Node is dead, g.Obituary next
//		}
//	}
//
// Call [Group.Tick] when [Group.Deadline] has come. Messages of a node to itself
// are not stamped: delivered at once, they are in order. A message that starts
// from what this node has delivered must be stamped after Receive has returned
// it, and one that is stamped must be in its place in what happened on the node:
// Stamp and Deliver are the two events that the order is made of.
//
// # What is promised
//
// If the send of m happened before the send of n, in the sense of Lamport, by
// messages of this label, and both go to the same node, then n is never
// delivered before m. m is delivered before n, or it is not delivered at all:
// then it was given up, its sender is dead, or a limit was reached, which
// [Released] reports, and if it comes later it is [Dead] with [ErrLate]. Each
// message is delivered once or is dead. Messages of one sender are in order. A
// message that waits for nothing undelivered is delivered at once; of several,
// the first to have come.
//
// Not promised: order between messages of which none happened before the other,
// between labels, between a labelled message and others, or by way of what is
// outside the label, such as a telephone; that a message is handled; anything
// about what a peer says that lies. Such a peer can delay, dead-letter and use
// up the numbers of what others send in the label, and take its places; it
// breaks no limit and nothing outside the label.
//
// # How it works
//
// The idea is that of Schiper, Eggli and Sandoz, "A new algorithm to implement
// causal ordering" (1989): a message carries, besides its own number, what its
// sender knows to have been sent to each other node. It needs no broadcast, and
// tells nobody of a message but those whom messages reach: unlike the causal
// order of Birman, Schiper and Stephenson, "Lightweight causal and atomic group
// multicast" (1991), whose vector counts messages that every member gets. Where
// the paper of 1989 has a vector time for each receiver, a stamp has an [Entry]
// for each pair of sender and receiver, the last number that is sent and up to
// which the receiver has to wait, as in the matrix of Raynal, Schiper and Toueg,
// "The causal ordering abstraction and a simple way to implement it" (1991). So
// whatever is lost can be named.
//
// Entries are told as long as the receiver of a pair is not known to have passed
// the number. That it has is said in Done, once to each node that was told of
// the pair: what is told ends soon after it is true, and nothing at all is told
// in a conversation of two. With n nodes a stamp has at most (n-1)² entries, of
// about five bytes, and the names of those in them; n is at most [MaxMembers].
// [Group.Delivered] shortens stamps where nobody answers.
//
// # What happens when something crashes
//
// If a node crashes, what it has sent and nobody has is lost, and others may
// know of it. [Group.Obituary] releases what waits for it, now and later. If the
// obituary is final, its place is another's after twice Config.MaxWait: until
// then somebody who heard of the death last may hold what the dead has sent. If
// all places are taken, it is another's at once, if nobody is known to wait.
//
// If it is not final, the node may come back, as after a partition, and begins a
// new epoch of numbers. [Group.Met] on either side tells the other where to
// begin, also if it never knew that it was counted as dead. What was sent in
// between is dead, with [ErrBuried] or [ErrLate]. What is told of messages to a
// buried node is told until Config.Forget.
//
// If a sender gives up, [Group.GaveUp] has its receiver told in a [Notify] and in
// every later stamp, until it is known to be past it. If the receiver is never
// told, Config.MaxWait ends the wait.
//
// If too much waits, more than Config.MaxHeld or MaxBytes, what has waited
// longest is delivered without what it waited for, and everything first that it
// waits for and that is there. If there are [MaxMembers] incarnations, others
// cannot be sent to, and a message that tells of others is dead: [ErrGroupFull].
//
// If this node crashes, its group is gone with it. Its next incarnation is
// another node, to itself and to others.
package causal
