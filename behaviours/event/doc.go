// Package event is OTP's gen_event: a process to which handlers can be added,
// each of which gets every event that is sent to it.
//
//	Notify, SyncNotify                +-----------------+
//	----------------- event --------> | manager         |
//	                                  |  "log"    ---- HandleEvent
//	Add, Delete, Replace              |  "alarm"  ---- HandleEvent
//	-------------------- ID --------> |  ...            |
//	Call                              +--------+--------+
//	-------------------- ID, request           | HandlerExit, when a supervised
//	                                           v handler has been removed
//	                                         owner
//
// The smallest use:
//
//	mgr, err := sys.Spawn(ctx, event.New(), actor.Name("alarms"))
//	err = event.Add(ctx, sys, mgr, "pager", event.On(func(self *actor.Self, a Alarm) (event.Next, error) {
//		return event.Next{}, page(a)
//	}))
//	err = event.Notify(sys, mgr, Alarm{"disk full"})
//
// Whatever is sent to a manager is an event, but for the kernel's messages,
// which go to those handlers that want them.
//
// # When it crashes
//
// A handler that returns an error or panics is removed, after its Terminate has
// been called with the error; that is logged. The manager and the other handlers
// live on, and nobody else is told, unless the handler is supervised: then its
// owner receives a [HandlerExit], and may add it again. When the owner of a
// handler ends, the handler is removed. Owner and manager are linked: if the
// manager is killed, the owner gets its exit signal.
//
// A manager that ends terminates its handlers first. One that is restarted by a
// supervisor has none; that is what owners are for.
//
// # Handlers
//
// A [Handler] lives in the manager's process, so what it does holds up all
// others: whatever may take long belongs into a process of its own, to which the
// handler sends. [On] makes one of a function of one type of events. A handler
// says by [Next] that it wants to be removed, or to be swapped for another, to
// which it hands its state over: [Successor]. A handler cannot call its own
// manager.
//
// # What differs from gen_event
//
// Handlers are named by an [ID] instead of a module and a term; an ID is given
// once. Events and [Which] follow the order in which handlers were added. A
// handler's state is its fields, and is handed over by its successor's Inherit.
// There is no wrapper around an event, so sending and notifying are the same.
package event
