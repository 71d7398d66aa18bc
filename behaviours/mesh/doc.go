// Package mesh calls services instead of processes: it knows which instances
// there are on all nodes, which are well, and which is the best to ask.
//
//	   Register ──▶ process groups ──▶ every node knows the instances
//	   Health   ──▶   (the sick are in a group of their own)
//
//	Call ─▶ breaker of ─▶ pick ─▶ breaker of ─▶ instance ─▶ answer
//	        the service    │      the instance       │
//	          versions, health,                      ├─▶ latency, load, ejection
//	          ejection, balancing                    └─▶ failed: another instance,
//	                                                     or the fallback
//
// The smallest program:
//
//	m, err := mesh.Start(ctx, mesh.Config{System: node.System, Groups: groups})
//	_, err = m.Register(ctx, mesh.Definition{
//		Name: "orders", Version: "1.2.0", Balancing: mesh.PowerOfTwo,
//		Health: mesh.Health{Check: mesh.CallCheck(Ping{})},
//	}, pid)
//
//	// On any node:
//	orders, err := m.Service("orders", "^1.2")
//	reply, err := mesh.Call[Reply](ctx, orders, node, GetOrders{UserID: 7})
//
// # What happens when an instance crashes
//
// Each node that calls a service monitors its instances: one that has ended is
// not chosen any more, from the moment on when its Down would be received. Calls
// that were under way fail, or are tried elsewhere if they are [Idempotent]; a
// call that comes too early to know finds no process and goes elsewhere in any
// case. When a node is lost, so are its instances, until it answers again.
//
// An instance that lives and is not well is found in three ways. Its own node
// checks its [Health] and tells all others. Each node that calls it counts its
// failures: after some in a row its [Breaker] opens, and lets a few calls pass
// later, to see. And each node compares the instances: an [Outlier] is ejected
// for a while. What the processes of the mesh itself know can be found again, and
// is, when they crash.
//
// Calls fail with ErrServiceNotFound, ErrNoHealthyInstances, ErrCircuitOpen or
// ErrServiceTimeout, between nodes too if [WireErrors] are registered. The
// breaker of a service counts calls that have failed at instances, and not those
// for which there was none to ask: that would keep a service closed after its
// instances have come back.
//
// # Traces
//
// With a Config.Tracer each call is a span. Its W3C traceparent travels as the
// trace of the message; the instance finds it with [Mesh.Serve] or [Extract].
//
// # Options
//
// Of a service: [Definition], with its [Balancing], [Breaker] and [Outlier]. Of a
// node: [Config]. Of a call: [Idempotent], [Key], [Fallback], [Via], also as
// defaults of a [Service]. With package rpc a request runs once at an instance
// however often it is tried: [Service.Pick] finds its first server and
// [Service.Alternative] is its Config.Alternative.
//
// # What is not promised
//
//   - Discovery is eventually consistent, as process groups are.
//   - Loads, latencies, circuits and ejections are each node's own.
//   - A server that answers with actor.ErrNoProc or an error of a timeout itself
//     is taken for one that is not there, or is late. What it has to say of a
//     request should not wrap those.
package mesh
