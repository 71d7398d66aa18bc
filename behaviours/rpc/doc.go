// Package rpc makes calls that survive what goes wrong on the way: lost nodes,
// lost messages, slow and overloaded servers; and that run once nevertheless.
//
//	Call ──try 1──▶ server            lost on the way, or no answer in time
//	     ──try 2──▶ server ──▶ handler
//	     ──try 3──▶ server ─ ─ ┘      the same request: waits for the same answer
//	     ◀──answer──                  tries 2 and 3 cannot both have run it
//	     ──cancel─▶ server            if the caller gives up: the handler's context ends
//
// The smallest program:
//
//	handler := func(ctx context.Context, self *actor.Self, req any) (any, error) {
//		return users.Find(ctx, req.(GetUser).ID)
//	}
//	node.Supervise(ctx, supervisor.Spec{Children: []supervisor.ChildSpec{
//		{ID: "users", Start: rpc.Start(rpc.ServerConfig{Handler: handler}, actor.ClusterName("users"))}}})
//
//	client, err := rpc.New(rpc.Config{System: node.System})
//	user, err := rpc.Call[User](ctx, client, node, actor.ClusterName("users"), GetUser{7})
//
// Nodes must have registered [WireTypes] and [WireErrors], and clients and
// servers the types of their requests; protobuf messages need no registration.
//
// # What happens when something crashes
//
// A server numbers the requests of each client and remembers their answers, as
// long as its [Window] says. A try of a request that runs waits for its answer,
// and one of a request that has run gets the answer again. A try of which the
// server cannot say any more whether the request has run gets [ErrForgotten]:
// it is never run a second time.
//
// What a server remembers ends with its process. When that crashes, or its node
// is lost, a request that may have run there is tried again on another server,
// or on the successor, only if it is [Idempotent]; otherwise the call fails at
// once and the [Error] wraps actor.ErrOutcomeUnknown. A request that certainly
// has not run goes to another server in any case.
//
// A handler that panics fails its request and no other. When the server's
// process ends, the contexts of its handlers are cancelled, and their processes
// have ended before a supervisor starts the successor.
//
// When the caller crashes, gives up or is late, its server is told, or finds the
// deadline passed, and the handler's context ends. An answer that comes late is
// dropped.
//
// # Options
//
// Of a client: [Config], with the deadlines of a try and of the call, the number
// of tries, the [Backoff] between them, other servers, and when to hedge. Of a
// call: [Idempotent], [Fallback], [Key]. Of a server: [ServerConfig]. Which
// errors are tried again is said by [Judge], to which Config.Judge can add. What
// the handler answers is not tried again, unless it says so by [Retry].
//
// # What is not promised
//
//   - Once is once for a server's process, not for ever: what must survive that
//     belongs into the handler's own store, under a key.
//   - A [Key] that was in use at one server is not known at another.
//   - Handlers run in processes of their own. Calls of one client that are made
//     at the same time may run in any order.
package rpc
