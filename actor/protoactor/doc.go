// Package protoactor is a bridge to proto.actor, github.com/asynkron/protoactor-go,
// in both directions: its actors run as processes of ours, and processes of
// ours are PIDs in its actor systems.
//
//	supervisor ── Child(props) ──▶ process ═ hosts ═ their actor ── Spawn ──▶ hosted child
//	                                 ▲  ▲                │
//	Send, Call, Link, Monitor, names ┘  │                │ Send, Request, RequestFuture,
//	                                    │                │ Watch, Stop, Poison
//	                     their mail ────┘                ▼
//	                                     ProtoPID(pid, name, cluster name)
//
// The smallest program:
//
//	bridge, err := protoactor.Attach(ctx, protoactor.Config{System: sys})
//	greeter := proto.PropsFromFunc(func(ctx proto.Context) {
//		if name, ok := ctx.Message().(string); ok {
//			ctx.Respond("hello " + name)
//		}
//	})
//	sup, err := supervisor.Spawn(ctx, sys, supervisor.Spec{Children: []supervisor.ChildSpec{
//		{ID: "greeter", Start: bridge.Child(greeter, actor.Name("greeter"))},
//	}})
//	text, err := actor.Call[string](ctx, sys, actor.Name("greeter"), "world")
//
// A hosted actor has no goroutine and no mailbox of its own: the process is its
// mailbox. So order, names, PIDs that are never used again, links, monitors and
// other nodes are what they are for every process, and a message costs one
// enqueueing.
//
// # What happens when an actor crashes
//
// A panic ends the process of a [Bridge.Child] with an *actor.PanicError, as it
// would end a process of ours: the actor is told Stopping and Stopped, its
// children are stopped, links and monitors fire, and the supervisor spawns the
// actor anew. Requests that wait in its mailbox are answered with a
// DeadLetterResponse, so that futures fail at once. Props with proto.WithGuardian keep their strategy: it restarts and
// resumes the actor in place, and the process ends with a *[Failure] when it
// stops the actor or escalates. Children of hosted actors are hosted, and
// supervised by their parents as before.
//
// Some failures that end a program of theirs, or worse, do not here:
//
//   - A panic in Stopping does not bring the actor back to life: it is stopped.
//   - A panic in Stopped does not keep its parent from stopping.
//   - A failure that is escalated to the top ends a process instead of the program.
//   - A message of a type that a node does not know is dropped, logged and
//     answered with a DeadLetterResponse.
//   - A PID whose actor has ended does not reach a later one, unless the child
//     was given an actor.Name, which is what a name is for; and the address of
//     a PID holds the start of its node.
//   - What the library logs goes to a slog.Logger; see [Config] and [LogTo].
//   - Its stash is a stack that forgets senders; [Stash] is a queue.
//
// # Actors on other nodes
//
// Their remote is not used, and must not be started. Where a node has a bridge,
// PIDs of theirs work from all others: Send, Request, RequestFuture, Watch and
// Stop travel between the nodes' bridges, over our connections. A watcher is
// told AddressTerminated when the node is lost. [Bridge.Resolve] finds the
// process of ours for such a PID, which links, monitors and names work on.
//
// # Options
//
// See [Config]. [Bridge.New] hosts an actor without a supervisor, or as what other
// nodes may spawn here. [Bridge.Root] is a root context whose actors are hosted.
// Middleware, behaviors and routers work as before; a router itself is stood in
// for, its routees are hosted. Actors spawned without the bridge run as they
// did, with all that may happen to them, and are stood in for when
// [Bridge.Resolve] asks for them.
//
// # What is not promised
//
//   - Poison of a process of ours is a shutdown signal, and does not wait for
//     mail that is queued before it. To a hosted actor it is what it was.
//   - The mailbox of hosted props is not used; see [Bridge.Child].
//   - What a killed actor that does not return from its handler still sends to
//     PIDs of theirs is sent.
//   - A request of theirs to a process of ours is a call that waits for a
//     goroutine; see Config.AskTimeout. An error that it is answered with
//     arrives as a message.
package protoactor
