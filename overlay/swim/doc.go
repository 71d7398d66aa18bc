// Package swim finds out which members of a cluster have failed, at the same cost
// to each node however many there are.
//
//	A --ping--> B          A asks one member each period, in turn.
//	A --ping-req--> C      If B does not answer, A has others ask it: perhaps only
//	      C --ping--> B    the way from A to B is bad.
//	A: B is suspect        If nobody has an answer, all are told of the suspicion,
//	B: I am not            and B is, if it lives. It says so, with a greater number.
//	A: B has failed        If it does not, it has failed.
//
// It follows Das, Gupta and Motivala, "SWIM: Scalable Weakly-consistent
// Infection-style Process Group Membership Protocol" (DSN 2002), and Dadgar,
// Phillips and Currey, "Lifeguard: Local Health Awareness for More Accurate Failure
// Detection" (2018).
//
// A [Core] is one node. It is pure: it is told what happens, and returns what it
// wants done, in order. Who is a member is not its affair: the directory tells it.
//
//	core, err := swim.New(swim.Config{Self: self, Rand: rng})
//
//	effects := core.Step(now, swim.Watch{Node: peer}) // a member, says the directory
//	for _, e := range effects {
//		switch e := e.(type) {
//		case swim.Send: // e.Message to e.To, over a link or a connection made for it
//		case swim.Failed: // e.Node has, because of e.Reason
//		case swim.Returned: // e.Node has not: it was cut off, and is the same process
//		}
//	}
//	wait(core.Deadline()) // then core.Tick(now)
//
// # What a node thinks of another
//
//	             no answer, or told so               in time no refutation
//	Watch      +------------------------> Suspect ------------------------+
//	  |        |                            |  |                          |
//	  +----> Alive <------ refuted ---------+  +-- refused, with others --+
//	           |  ^                                                       v
//	           |  +---------------------- refuted --------------------- Confirm
//	           +--------------- refused, with others, or told so ---------^
//
// Each state is about an incarnation number of the member, which is no incarnation
// of the node: it counts refutations, begins at 0 with each [overlay.Node], and is
// raised by that node alone. What has the greater number is right. With the same
// number, [Suspect] is right against [Alive], and [Confirm] against both. So no old
// news undoes a refutation, and a member that failed comes back, with [Returned],
// only if it says so itself. A process that was started again is another Node, of
// which nothing is known but what the directory says.
//
// # What happens when something crashes
//
// A process that crashes while its machine lives: connections to it are reset, and
// the driver says [LinkReset]. One broken link proves nothing, so the node has
// Config.Indirect others try. If Config.Witnesses of them are refused, too, and
// nobody has had an answer, the member has failed, [ErrRefused]; if there is nobody to
// ask, when this node has been refused once more. Among a hundred
// nodes that takes some 20 ms where there was a link, and 600 ms at p99 until all
// know. In a crowd where some are near, see Config.Crowd and Config.Stride, a node that
// is refused by one who is not near it leaves that to those who are, for eight periods:
// they find out at once, and hundreds of others would each have three more try. Who has
// nobody near any more who lives is found out so much later, at least.
//
// A machine that crashes says nothing. Somebody's turn to ask it comes after a
// period on average, and 4.6 at p99, whatever the number of nodes; half a second
// later it is suspected, and after two seconds it has failed, [ErrNotRefuted], if
// three others agree. With the defaults, among a hundred nodes and with 5 % of all
// messages lost, all know after 3.1 s at p50 and 5.4 s at p99.
//
// A partition is a crash of the other side, to either side. Each node asks one of
// its dead from time to time (Config.Revive). The first answer after the partition
// has healed carries the refutation.
//
// A process that was stopped finds that it comes late when it runs on, and so does one
// on a machine with too much to do. What it waited for may lie unread, so it takes all
// its questions back and suspects nobody. One that was late by more than a period gives
// those it suspects all of their time again; one that was less late, as much as it was,
// and no less than Config.Timeout: it has missed nothing that others know. Both refute
// what they hear of themselves.
//
// When this node crashes, what it knows goes with it. It begins as another Node.
//
// # Lifeguard
//
// A node that gets no answers may be to blame itself. It keeps a score of its local
// health, by which it multiplies its periods and timeouts: worse with each probe in
// which not even the helpers were heard of, with each accusation of itself, and
// when it has slept. A suspicion lasts long at first, and is shortened by each
// member that has had no answer itself: the logarithm has the first count most. And
// a suspect is told first, with any message that it is sent.
//
// # Where it differs from the papers
//
//   - Failed is not the end: a greater number overrides it. In SWIM a member would
//     have to join again.
//   - Who suspects a member goes on asking it each period, directly and through
//     others, until it refutes or has failed. A helper who had no answer asks
//     the member at its next turn. So a refutation, or the confirmations, need
//     not wait for chance.
//   - Local health gets worse only if no helper answers, and not by each. See the
//     file health.go.
//   - With Config.Twice, a member that has not answered in its turn, neither this node
//     nor others, is asked once more in the same way before it is suspected. And
//     whatever else comes from it, of which [Core.Seen] is told, counts as a sign of
//     life: who is too busy to answer has not failed.
//   - With Config.Discreet, a suspicion is this node's secret for a period, in which it
//     asks the member and others once more: any answer ends it. All are told after
//     that, and the time that the member has counts from the beginning, at those who
//     are told, too: from a period before, a quarter of the shortest suspicion at most. The same
//     option has a node on a busy machine take its time: see below.
//   - News is also sent by itself, as in memberlist: Config.Gossip, Config.Fanout. If
//     each [Spread] is broadcast, Fanout can be negative, and there are no messages
//     but probes.
//   - Who is accused by broadcast of what it has refuted before says so by broadcast, for
//     those who watch it only since then, and believe it: once for several that come together.
//   - A member that was not suspected here before is not Failed because somebody says
//     so, but suspected, for as long as a suspicion lasts at least: it may be
//     news from the other side of a partition that has healed.
//   - Whoever pings with something outdated is told what is known, and whoever accuses
//     this node is answered at once.
//
// # On a machine with too much to do
//
// Where many nodes share a machine, or a network, that cannot keep up, answers come
// late, and whoever asks others because of that, asks again and tells all makes them come
// later still: a pause of a second was enough for hundreds of nodes to never get over it.
// With Config.Discreet a node stretches its periods and timeouts, by two seconds at most
// with the defaults, as soon as it is called late, or answers have taken long, or two
// members have not answered, one after the other, while nobody else has. It asks nobody
// anything else for a period if not even a helper was heard of, and does not help others
// as long as it has so much to do itself. None of it happens on a machine that keeps up,
// but a node that hears from nobody at all, since it was cut off, is slower to say so: the
// others are not, who hear from each other. And where a third of all or more fall silent
// at a time, some members' helpers have all fallen silent, too, and the last of the dead
// are found later than without, though half of them are not.
//
// # What is promised
//
// A member that has crashed is Failed at all who watch it, in the end, if messages
// get through at all. What a node does does not depend on how many there are: it
// sends four messages a second with the defaults as long as nobody is suspected,
// up to 15 more as long as there is news, and eight for each member that it suspects
// itself. It sends a fact Config.Retransmit × ln(n+1) times at most, not counting
// what it tells those whom the fact is about.
//
// Not promised: that a member that lives is never Failed. One that is not heard of for
// two seconds and a half is, as is fit for six seconds. Nor that all nodes think the
// same at a time. Nor anything against members that lie: each can accuse whom it
// likes, three of them can hurry it, and who says that it was refused is believed.
// Who is accused falsely returns, and no lie makes a node grow.
//
// What is said of nodes that are not watched is dropped, except that their pings are
// answered: they may know of this node before it knows of them.
//
// # Options
//
// Period decides how fast, and how dear, detection is; Timeout should be three round
// trips, and less than half of it. Suspicion × Period is how long a node may stand
// still. All nodes of a cluster should have the same Config.
package swim
