// Package session delivers the messages of a stream once and in order between
// two incarnations of nodes, whatever the network between them does.
//
//	  Push                                               mailbox
//	    |                                                   ^
//	    v      Transmit{Seq, Oldest, Item}, Skip            |
//	[Sender] -- - - - - - - - - - - - - - - - - - - -> [Receiver]
//	keeps what   <- - - - - - - - - - - - - - - - - -- keeps what came
//	is not acked           Ack{Cumulative, Ranges}     before its turn
//	    |
//	    v
//	 GaveUp: outcome unknown, or never transmitted
//
// Both sides are pure: they have no goroutine, lock, clock or socket. The
// caller hands in the time and what has come, and carries out what it gets
// back. A [Table] has the streams of one pair of nodes:
//
//	t, err := session.NewTable[Stream, Message](session.TableConfig[Stream]{Rand: rng})
//	_, effects, err := t.Push(now, stream, message, size) // transmit what it says
//	messages, err := t.Receive(now, stream, seq, oldest, message, size) // deliver them
//	acks := t.Acks(now) // and only then send these
//
// Call [Table.Tick] and [Table.Acks] when [Table.Deadline] has come.
//
// # What is promised
//
// A message that left its Sender without being reported in GaveUp has been
// returned by the Receiver exactly once, and after everything that was pushed
// to the stream before it and not given up. A message reported with an error
// that wraps [ErrOutcomeUnknown] has been returned once or never, and may be
// returned yet. One reported with [ErrNotTransmitted] was never handed to the
// network. Every message is either acknowledged or given up, if Tick is called.
//
// Not promised: that a message is handled; any order between streams. It all
// rests on three things that the caller does: it loses neither table while both
// incarnations live, it delivers what Receive returns before it sends an ack
// taken later, and it sends nothing of one incarnation to another one's table.
//
// # What it costs
//
// On a network that loses nothing, a message costs one Transmit and a part of
// an ack, and allocates nothing. Nothing is sent again before a timer that
// follows the round trips and is never shorter than Config.RetryMin; a lane
// that recovers by itself does so below this package, unseen. When an
// association is lost, [Sender.Down] stops the timer and [Sender.Reconnected]
// sends everything again that is not known to have come, oldest first.
//
// # What happens when something crashes
//
// If the other incarnation dies, Close reports everything that is not
// acknowledged: whether it came before the end cannot be known. If this one
// dies, its unacknowledged messages die with it, and the receiver never returns
// what waits there for one of them. A new incarnation has new tables.
//
// A message that cannot be delivered does not hold up its stream for ever:
// after Config.Attempts unanswered transmissions, or at Config.MaxAge, it is
// given up, and every later Transmit says in Oldest, or a Skip if there is none,
// that the receiver need not wait for it.
//
// # Why sequence numbers never restart
//
// A receiver knows duplicates by their number, so a stream must never use a
// number twice. A Table forgets senders that are idle and wholly acknowledged;
// it keeps only the highest number that any of them used. A new sender, of
// whatever stream, begins above it, and says so in Oldest. So its numbers are
// new to a receiver that remembers the stream, and copies from its earlier life
// are old.
//
// Receivers are never forgotten while both incarnations live: a late copy could
// not be told from something new. What is left of an idle one is a few numbers.
// TableConfig.MaxStreams bounds how many there are, so a stream should be
// something of which there are few, such as a shard of a channel, not a pair of
// processes.
//
// # What can come in
//
// Acks and transmissions are checked. What no honest side would have sent is
// refused with [ErrMalformed] or [ErrNeverSent] and changes nothing; what does
// not fit is dropped and counted, and the sender tries again. A peer that lies
// can spoil its own streams and nothing else.
package session
