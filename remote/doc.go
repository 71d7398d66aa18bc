// Package remote joins nodes to a cluster in which processes send to, call,
// link and monitor each other as if they were on one node.
//
//	   node a                                        node b
//	actor.System                                 actor.System
//	     | Route                                      ^ Deliver, NodeDown
//	     v      channels, of one or more lanes each   |
//	  [Node] ======== membership: heartbeats ========= [Node]
//	         ======== control: topics of layers above =
//	         ======== default: signals of processes ===
//	         =======/ bulk: lane 0 \=================
//	                \       lane 1 /
//
// The smallest program:
//
//	node, err := remote.New(remote.Config{Name: "a", Secret: secret, Join: []string{"10.0.0.7:4000"}})
//	sys, err := actor.NewSystem(actor.Config{Node: node.ID(), Router: node})
//	err = node.Start(sys)
//	defer node.Leave(ctx) // after sys.Close(ctx)
//
// New fixes the node's identity, which every PID carries, and opens the
// listener; Start lets it accept, dial and join. Nodes find each other from any
// one address in Join; see package directory. [Node.Subscribe] tells who comes and
// goes, [Node.SendControl] is for protocols between nodes, such as a registry's.
//
// In [FullMesh] all nodes are linked to each other. In the other topologies each is
// linked to a few; members, and their deaths, are told by broadcasts, and nodes
// connect when their processes have something to say to each other.
// [Node.SetTopology] puts one in the place of another while the cluster runs.
// Everything below holds for all of them.
//
// Where two nodes cannot connect, but others reach both, a connection leads over
// one of these: see [RelayChannel].
//
// # What is promised
//
// Between two nodes, an incarnation each, everything that [Node.Route] has taken
// is delivered once, and in the order in which it was routed for the same pair of
// processes, key and channel, or both nodes learn that the other one is down for
// them. A connection that breaks is made again, and goes on where it stopped:
// each side counts what it has delivered, and keeps what it has sent until that
// is confirmed. Lanes come and go under it. What is acknowledged (actor.Ack)
// outlives even that one node has given the other up. docs/guarantees.md says it
// option by option.
//
// Not promised: that a message is handled; any order between messages that come
// from different nodes or over different channels, or between processes'
// messages and control payloads; that two nodes agree on who else is up.
//
// # What happens when a node crashes
//
// Its connections break, and the others dial at once. If its machine answers them
// that nobody listens there, it is down, which after a SIGKILL takes a fraction of
// a second. If nothing answers, it is suspected, and down when it has not refuted
// that in time: Config.Misses heartbeats and up to twice as many more. See package
// swim. A newer incarnation of the same name makes the old one down when it is
// known. Who wants to know sooner can ask itself: see actor.Heartbeat. First
// everything that had
// arrived is delivered, then the system is told by NodeDown: links break,
// monitors fire and calls fail, with a reason that wraps actor.ErrNoConnection
// and the overlay's own; then subscribers learn of it. How much had been sent
// and not confirmed is counted in [Stats] and told by [NodeLost].
//
// A node that was given up wrongly, because the network failed or the process
// was stopped, comes back as the same incarnation. Both sides have then broken
// what bound them: whichever had not noticed is told that it was given up, and
// its links and monitors fire too, before anything new is delivered.
//
// # What can come in
//
// A connection has to prove the cluster secret within Config.HandshakeTimeout
// and a few kilobytes; see package handshake. What fails is counted, logged
// with a bound on lines, and closed. After that, a frame that breaks the
// protocol costs its connection; a message that cannot be decoded is counted
// and, if it is a call, answered with codec.ErrUnknownType or codec.ErrDecode.
// None of this ends a process or the node.
//
// With Config.TLS, all of it is inside of mutual TLS 1.3, and a node must have a
// certificate for its host; see package secure. Without, a listener that other
// machines can reach must be asked for with Config.Insecure.
//
// # Limits
//
// What waits for one node on one channel, sent and unconfirmed or not sent yet,
// is bounded by [Channel].QueueBytes. Beyond it the channel's policy decides: the
// sender waits, fails with [ErrQueueFull], or something older is dropped. Links,
// exits, monitors and replies may use twice as much; a node that lets even that
// fill up is given up with [ErrOverloaded]. A message may have Config.MaxMessage
// bytes: beyond it the sender gets [ErrTooLarge].
//
// A connection delivers on its own goroutine, which never waits for a mailbox.
// When too much waits for one process, the node asks the others to send it no
// more; whoever else they send to goes on. Heartbeats have a connection of their
// own and are never behind.
//
// Small messages that arrive together, []byte and protobuf messages of gogo's, may
// lie in the same memory, a few kilobytes of it: nobody can write into another's,
// but one that is kept for long keeps its neighbours' memory, and none can be given
// a finalizer. Who keeps few of many copies them. See codec.Reader.ReadAll.
//
// A large []byte, or another message of 64 KiB to 4 MiB, is its receiver's own for as
// long as anything refers to any part of it. When the collector has found that
// nothing does, its memory is used for another, 16 MiB for each node at most; beyond
// that, and while receivers keep as much, memory is new. It has a finalizer for that:
// a receiver that sets one too, on the first byte, ends the program, and what it gives
// to runtime.AddCleanup may never run and is kept until then. To take the finalizer
// away keeps that memory from being used again, and so does, for all of the program, a
// finalizer that does not return. Who needs any of these copies the message.
package remote
