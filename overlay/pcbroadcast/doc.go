// Package pcbroadcast delivers what nodes broadcast at all others after what
// happened before it, with messages that carry an origin and a number and nothing
// else, over an overlay whose links come and go.
//
//	A --m1--> B ..m1..> C     A has broadcast m1, which is slow on its way by B.
//	|                   ^     A new link to C is no shortcut: A keeps m2 for C
//	+-------m2----------+     until a ping that followed m1 has been answered.
//
// Every node passes on what it delivers, in that order, over links that are FIFO.
// That alone is causal order as long as no link is added: Nédelec, Molli and
// Mostéfaoui, "Breaking the Scalability Barrier of Causal Broadcast for Large and
// Dynamic Systems" (SRDS 2018, arXiv 1805.04201), which is followed here.
//
// A [Core] is one node. It is pure: it is told what happens, and returns what it
// wants done, in order.
//
//	core, err := pcbroadcast.New[string](pcbroadcast.Config{Self: self})
//
//	effects := core.Step(now, pcbroadcast.LinkUp{Node: peer}) // a neighbour of the overlay
//	effects = core.Step(now, pcbroadcast.Broadcast[string]{Payload: "hello"})
//	for _, e := range effects {
//		switch e := e.(type) {
//		case pcbroadcast.Send: // e.Message to e.To
//		case pcbroadcast.Deliver[string]: // e.Payload, to whoever listens
//		}
//	}
//	wait(core.Deadline()) // then core.Tick(now)
//
// # What is promised
//
// For two broadcasts m and n of which m happened before n, in the sense of
// Lamport by broadcasts and deliveries, no incarnation of a node delivers n and
// afterwards m. Each delivers a broadcast once at most, and only if it was
// broadcast. This holds whatever links do, and whoever crashes. It depends on no
// time but Config.Forget, and not on numbers of rounds or sizes of buffers.
//
// While links that are safe in both directions, at both ends, connect all nodes,
// and messages are faster than Config.Timeout × Config.Rounds, every node delivers
// what is broadcast. After any faults, if nodes are connected again for long
// enough, they deliver what is broadcast from then on.
//
// Not promised: that what was on its way on a link that breaks, or was broadcast
// on the other side of a partition, or before a node had any link, is delivered:
// nothing is sent again. It is given up instead, by all to whom it would come too
// late, and each reports a [Gap]; n may be delivered where m, before which it
// happened, never will be. Nor that all nodes have the same gaps; nor order
// between broadcasts of which none happened before the other. A peer that lies can
// break the order, and make others give up messages; it breaks no limit.
//
// # How it works
//
// A node has settled a message if it has delivered it or never will. What it has
// settled is one [Mark] a name: an incarnation and a number. Everything rests on
// one rule: whatever a stream carries is received by a node that has settled at
// least what the sender had settled before it. So if n is delivered, all that
// happened before n is settled, and is not delivered later. A stream is begun when
// the rule holds, and then keeps it, as FIFO has it carry all that its sender
// settles: messages, or a [Skip] for what it gives up. A link that breaks takes
// nothing from the rule for the other links.
//
// There are four ways to begin one, for each direction of a link by itself.
//
//   - A [Ping] goes over the streams that there are, behind what was sent, and the
//     other end answers it with a [Pong]. What is delivered meanwhile is kept, and
//     sent first. A new ping needs no new buffer, unless the buffer was full: then
//     it begins anew, and only pings sent since count.
//   - If a node has no stream to send a ping on, or if one has had no answer, it
//     [Ask]s the other end directly, which answers when it has settled the marks
//     in the question. If it has no more than Config.Direct, it does so at once,
//     and sends no ping: that goes over every link within Config.Hops.
//   - A node to which no stream leads asks one neighbour to [Adopt] it, which begins
//     at once, with its marks. What they say and the node lacks is lost. It ends its
//     own streams but the one back, with [Shut], and tries those links anew, so that
//     nobody else loses anything.
//   - After Config.Rounds without an answer there is no way: a partition has healed.
//     The stream begins by force, with the marks from before the buffer, and the
//     side that receives it gives up what it lacks, by Skip to all behind it. Then
//     both sides are one. If answers came, but too late for the buffer, the link
//     rests instead.
//
// # Where it is stricter than the paper
//
//   - A node that joins has delivered nothing, and yet its first link is not safe as
//     it is: it could get n at once, and later, over another link, m from a third
//     node which was slow to have it. So it begins with its neighbour's marks.
//   - The paper assumes a network that is never partitioned. Here a link that no
//     ping can make safe is opened with marks, and these travel in the streams.
//   - A ping must not be sent before the message at which the buffer was emptied is
//     on its way on all links, nor overtake anything; links say hello with a number
//     of the receiver's, so that neither messages nor pongs of an earlier link with
//     the same node count.
//   - A later incarnation of a node settles all of the earlier ones, but only from
//     its first broadcast on, which all streams carry. That it knows of itself is
//     nothing that those behind it know.
//
// # What happens when something crashes
//
// A node that crashes takes what only it had with it. Its links break; who has
// another neighbour has the same from there, as every stream carries everything.
// It comes back as another incarnation, and is adopted. A link that is made anew
// between the same nodes is a new link.
//
// A link that is [Safe] at one end may not have begun at the other: if that loses
// its last other link at that moment, it may be adopted elsewhere, and has a gap.
// So the overlay had better keep an old link for a moment longer. A cluster that
// begins needs Config.Timeout until two nodes without any history are sure that
// nobody else is there; what they broadcast meanwhile is kept. So it is delivered
// late, by two seconds with the defaults, which is right after two nodes have met
// and at no other time, as long as links do not break.
//
// # Limits
//
// A [Data] message has an origin and a number besides its payload, and a message
// the number of its link. Only [Open], [Ask] and [Skip], which are for links that
// are new, have a mark for each name, Config.MaxOrigins at most. A core keeps
// MaxLinks × MaxBuffer messages, MaxOrigins marks, for each link at most as many
// that are asked for, and MaxPings numbers. Messages are counted, not weighed: the
// caller bounds their size.
//
// Numbers of one origin come in order, so one mark is enough to know duplicates. A
// name is forgotten when nothing has come of it for Config.Forget, and no copy may
// be on its way for so long; this is the one assumption about time that order and
// duplicates rest on. If there are more names than MaxOrigins, a node is [Full]: it
// cannot know what it has settled, so it refuses all streams until it can forget.
package pcbroadcast
