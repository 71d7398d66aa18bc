// Package order keeps sequences of messages in order while they move between
// lanes.
//
//	sender                                  receiver
//	Table  --- lane 0: 1 2 ---------------> delivers 1, 2
//	       \-- lane 1: [after 2] 3 4 -----> Gate: 3 and 4 wait until 2 is delivered
//
// A lane delivers in order what goes over it. Messages are divided into [Shards],
// those of one sender, receiver and key into one of them, and all of a shard go
// over one lane: the one that [Home] says, of those there are. When there are
// more lanes, or fewer, some shards move. The first message of a shard over
// another lane then follows a condition: it is not to be delivered before so many
// messages of the shard have been. The same kind of condition lets the end of a
// process come after its last message on every channel.
//
// The sending side has a [Table] for each channel to a node:
//
//	var t order.Table
//	after, must := t.Next(seq, lane, false, nil) // if must, send a condition with after
//	t.Pushed(seq)                                // when lane has counted its frame
//
// The receiving side has one [Gate] for each node that sends to it, for all lanes
// of all channels, since a condition may name any:
//
//	g.Condition(turn, marks)
//	if !g.Hold(turn, message, no, size) { deliver(message); count(turn) }
//	g.Release(reached, deliver, turn)
//
// # When a condition is needed
//
// Not if all earlier messages of the shard are sure to have been delivered. That
// the lane they went over has confirmed them is not enough: they may have come,
// and be waiting for others that went over a third lane. So a Table remembers
// what the messages of a shard wait for, as [Standing]s of lanes, until those have
// been confirmed too. What has been confirmed, and waits for nothing that has not
// been, has been delivered: a receiver delivers what it releases before it
// confirms what released it.
//
// # What happens when something breaks
//
// A lane that loses its connection goes on where it stopped, after its next, so
// that nothing is missing in a sequence. If one of the nodes is given up, so are
// the tables and gates of the two, after [Gate.Flush] has let through what waits
// for messages that do not come any more.
//
// Everything here is pure: no goroutine, lock or clock. A Table is for one
// goroutine at a time, and so is a Gate.
package order
