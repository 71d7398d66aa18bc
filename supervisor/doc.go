// Package supervisor keeps processes running: it starts them in order, starts
// them again when they crash, gives up when that does not help, and stops them
// in the reverse order. It is OTP's supervisor, whole.
//
//	         Run, or a parent supervisor
//	                   │ started last to end first: ErrShutdown
//	             supervisor  Spec{Strategy, Intensity, Period}
//	    ┌──────────────┼──────────────┐
//	 "db"           "cache"        "web"       ChildSpec{ID, Start, Restart, Shutdown}
//	worker          worker       supervisor
//	                            ┌─────┴─────┐
//	                         "accept"    "conns"
//
// The smallest program:
//
//	sys, _ := actor.NewSystem(actor.Config{})
//	sup, err := supervisor.Spawn(ctx, sys, supervisor.Spec{
//		Children: []supervisor.ChildSpec{{
//			ID:    "counter",
//			Start: actor.Start(func() actor.Actor { return new(Counter) }, actor.Name("counter")),
//		}},
//	})
//
// Spawn returns when the children have been started, one after the other, each
// when the Init of the one before has returned.
//
// # When a child crashes
//
// The child's Terminate runs, its names become free, everybody who waits for
// its reply gets the reason. Only then does its supervisor hear of it, log it,
// and call the start function again: a new process with a fresh state, under
// the same names, a few microseconds later. Who holds the old PID gets
// actor.ErrNoProc from it; who sends to the name reaches the new process.
//
// If that happens more often than the Intensity allows within the Period, once
// in five seconds unless told otherwise, the fault is not one that a restart
// repairs. The supervisor stops its children and ends with [ErrIntensity], and
// its own supervisor restarts it, with all that is below: each level of the
// tree tries with a cleaner slate. A start that fails during a restart counts
// like a crash, and is tried again. The root supervisor's end is the program's:
// [Run] returns its reason.
//
// A child that does not end when it is told to is killed after its Shutdown. If
// even that does not end it, because its handler heeds no context, the kernel
// gives it up as a zombie after the kill grace, and [OnZombie] says whether its
// replacement may run beside it. A supervisor that is killed itself takes its
// children along by their links, in no order.
//
// # What may be said of a supervisor
//
// [Strategy]: who is restarted with a child that has ended. [Intensity] and
// Period: how many restarts are too many; [AtMost](0) is none. [AutoShutdown]:
// whether the supervisor ends when its significant children have.
//
// # What may be said of a child
//
// [Restart]: after which ends it is restarted. Shutdown: how long it may take
// to end; [BrutalKill], [Infinity]. [Type]: whether it is a supervisor.
// [Backoff]: growing delays between restarts, which OTP does not have.
// [OnZombie].
//
// Anything with a start function can be a child: actors ([actor.Start]),
// servers, supervisors ([Child], [Start], or [StartWith] if the Spec is to be
// made anew each time), plain functions that run until their context ends
// ([Service]).
//
// # While it runs
//
// [StartChild], [TerminateChild], [RestartChild] and [DeleteChild] change who
// the children are; [StartInstance] and [TerminateInstance] do so where there
// are thousands of the same kind; [UpdateSpec] changes everything else.
// [WhichChildren] and [CountChildren] look. A supervisor does one thing at a
// time and answers in between: nobody sees a restart half done.
//
// # A whole program
//
// [Applications] orders the parts of a program by what they depend on, and
// [Run] runs them until SIGTERM, with a deadline for the way down.
//
// # Inside
//
// What a supervisor decides is a pure value, the plan: events with their times
// go in, effects come out. The transcripts in testdata show it at work; the
// process only carries its effects out.
package supervisor
