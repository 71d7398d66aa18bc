// Package actor runs processes: goroutine-cheap units of state that share
// nothing, talk by messages, and tell each other when they end.
//
//	        Spawn, Send, Call                       +----------------------+
//	you ------------------------------------------> | process              |
//	        PID, Name, NameAt, ClusterName          |  mailbox -> Receive  |
//	                                                |  state, timers, stash|
//	        Down{Ref, Of, Reason}                   +----+-----------+-----+
//	watcher <---------- monitor ------------------------ |           | link
//	                                                     v           v
//	                                                  children    another process:
//	                                                              exit signal, or Exit
//
// It is the kernel of Topos and follows Erlang/OTP in words and meaning:
// supervisors, servers and the cluster are built on it. It has no sockets;
// other nodes are reached through a [Router], cluster names through [Names].
//
// The smallest program:
//
//	type Counter struct{ n int }
//
//	func (c *Counter) Receive(self *actor.Self, msg any) error {
//		switch m := msg.(type) {
//		case Add:
//			c.n += m.N
//		case Get:
//			return self.Reply(c.n)
//		}
//		return nil
//	}
//
//	sys, err := actor.NewSystem(actor.Config{})
//	defer sys.Close(ctx)
//	pid, err := sys.Spawn(ctx, new(Counter), actor.Name("counter"))
//	err = sys.Send(pid, Add{2})
//	n, err := actor.Call[int](ctx, sys, actor.Name("counter"), Get{})
//
// # What happens when a process crashes
//
// A process ends when Receive returns an error or panics, by an exit signal, or
// by a kill. The reason is an error: [ErrNormal], [ErrShutdown], a [*PanicError],
// or whatever Receive returned. A panic never ends the program. Then, in this
// order:
//
//  1. Its [Self.Context] is cancelled with the reason as the cause, and Terminate
//     runs, unless it was killed.
//  2. Its names and aliases are free, its timers stopped, its PID finds nobody.
//  3. Every call that it has accepted and not answered fails with the reason.
//     What else was in its mailbox or stash becomes a [DeadLetter].
//  4. Linked processes get an exit signal: one that does not trap exits ends with
//     the same reason, unless that is ErrNormal; one that does receives an
//     [Exit]. See [Self.Link] and [Self.TrapExit].
//  5. Monitors fire: whoever called [Self.Monitor] receives a [Down].
//
// So whoever has received a Down can take the name and start a successor at
// once, and has received everything that the process had sent to it before. To
// restart what has crashed is the work of package supervisor.
//
// # Kill
//
// Go cannot interrupt a goroutine. [System.Kill] cancels the context of a
// process, drops everything it sends from then on, and waits for its handler to
// return, for [DefaultKillGrace] at most. After that the process is a zombie: the
// world is told that it has ended, with [ErrZombie], and its names are free, but
// its goroutine may still be running beside its successor. [System.Close] names
// the zombies that are left. Handlers that may block should look at
// [Self.Context].
//
// # Options
//
// Of a system: [Config]. Of a process: [Name] and [ClusterName] register it,
// [Mailbox] bounds its mail with one of four policies, [Label] shows it,
// [StashLimit] bounds its stash. Of a message: [Traced]. Of a call: the deadline
// and [ContextWithTrace] of its context; without a deadline,
// [DefaultCallTimeout]. A process changes by [Self.Become], puts messages off by
// [Self.Stash], answers a call later by [Self.From]. [Ref] and [Ask] put types on
// the untyped core. [System.Info], [System.Trees] and [System.Observe] look at
// what goes on. Package actortest helps to test.
//
// # What is not promised
//
//   - A message that was sent is not certain to be handled: the receiver may end
//     first, or its node be lost. A call that returns says so.
//   - There is no order between messages from different processes.
//   - Messages are not copied on one node: a sender must not touch what it has
//     sent. Between nodes they are.
//   - A process in its handler is not interrupted, only asked; see Kill.
//   - Processes that run do not time-share: each handles up to a few hundred
//     messages before the next has its turn. A handler that blocks, for however
//     long, keeps nobody else from running, but costs a goroutine meanwhile.
package actor
