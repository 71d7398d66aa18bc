// Package server is OTP's gen_server: a process that keeps a state and serves
// calls and casts, with the receive loop written once and for all.
//
//	client                          server process
//	actor.Call(ctx, from, to, req)  HandleCall(self, req)   self.Reply(value), or keep self.From()
//	from.Send(to, msg)              HandleCast(self, msg)
//	(Down, Exit, ReceiveTimeout)    HandleInfo(self, msg)
//	(Next{Continue: x})             HandleContinue(self, x)
//	(Next{Timeout: d})              HandleTimeout(self)
//	Stop(ctx, from, to, reason)     Terminate(self, reason)
//
// The smallest server:
//
//	type Counter struct{ n int }
//
//	func (c *Counter) HandleCall(self *actor.Self, req any) (server.Next, error) {
//		return server.Next{}, self.Reply(c.n)
//	}
//
//	func (c *Counter) HandleCast(self *actor.Self, msg any) (server.Next, error) {
//		c.n += msg.(int)
//		return server.Next{}, nil
//	}
//
//	pid, err := sys.Spawn(ctx, server.New(new(Counter)))
//
// # When it crashes
//
// A callback that returns an error or panics ends the process with that reason.
// Everyone who waits for a reply, whether the request was being handled, still
// queued, or its From was kept, gets the reason at once. Under a supervisor the
// server is started anew, with a fresh state from its constructor. The cast
// above panics on anything but an int: that is the style. Handle what you
// expect and let the supervisor deal with the rest.
//
// # Asking without waiting
//
// actor.SendRequest sends a request now and lets its response be waited for, or
// looked at, later; [Requests] collects many under labels and hands out the
// responses as they come; the request's Notify turns a response into a message, so
// that a server goes on serving meanwhile. [MultiCall] asks the servers of one
// name on several nodes, [Abcast] casts to them. All of them ask any actor, not
// only servers.
//
// # Types
//
// [Typed] makes a server of a [Handler], whose requests, replies and casts have
// types; [Client] is its address with the same types. It costs a type assertion.
//
// # What differs from gen_server
//
// The state is the receiver's fields instead of a value handed round. A reply
// is given with self.Reply instead of being returned; a callback that neither
// replies nor keeps the From fails the call with actor.ErrNoReply instead of
// letting it time out. Casts need no wrapper: whatever is sent with Send is a
// cast, timers that the server set for itself included, and only the kernel's
// own messages are info. A request without a deadline has that of a call.
package server
