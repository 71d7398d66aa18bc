// Package pool is a process that has others work for it: each job that is sent
// to it goes to one of its workers, waits when all have their hands full, and is
// refused when too many wait.
//
//	callers, here and on                      +-- worker 0  (in hand: Limit)
//	other nodes -----> pool ----- Route ------+-- worker 1
//	                    |                     +-- worker 2  here, or on other nodes
//	                 [ Queue ]
//	                    |
//	                    +-- full: fail, or block the caller until its deadline
//
// The smallest pool:
//
//	p, err := pool.Spawn(ctx, sys, pool.Config{
//		Size: 8,
//		Work: func(ctx context.Context, job any) (any, error) { return resize(ctx, job.(Image)) },
//	})
//	thumb, err := actor.Call[Image](ctx, sys, p, photo)
//
// A call of the pool is a job whose reply is the worker's; a message that is just
// sent is a job for which nobody waits. Everything that holds for calls holds for
// jobs: the deadline and the trace travel on, and a job whose caller has given up
// is not begun.
//
// # When a worker crashes
//
// What it had in hand fails with its exit reason, at once. It is started again in
// its slot by a supervisor of the pool's own, with the Intensity, Period and
// Backoff of the [Config]; jobs that are only for it wait meanwhile, all others
// go to the rest. If it crashes too often, the supervisor gives up, and the pool
// ends with that reason, for its own supervisor to deal with. So it does when one
// of the first workers does not start.
//
// A job is given to one worker, once: it is not tried again when a worker has
// failed with it. One that found its worker gone before it arrived is given to
// the next. When the pool ends, its callers get its exit reason.
//
// A worker that is on a lost node has crashed with actor.ErrNoConnection.
//
// # Which worker
//
// [RoundRobin] and [LeastBusy] leave out workers whose hands are full; [Hash]
// gives equal keys to the same one. To several at once: [Broadcast] (nobody
// waits), [Scatter] (all replies, as far as they come in time), [First] (the
// first good one; the others are cancelled).
//
// # How many
//
// Size workers, or with Max an elastic number: a pool grows by one worker at a
// time while GrowQueue jobs wait or one has waited for GrowWait, and stops
// workers that have had nothing to do for Idle. With [Hash] only the keys of that
// worker move.
//
// # How much
//
// Limit is how many jobs a worker has in hand. Queue is how many wait, and
// Overflow what happens to more: a call fails with [ErrFull], or its caller waits
// outside, in order, until there is room or its deadline has passed. A worker on
// another node that cannot be sent to for the moment holds up the pool; give it a
// pool of its own there.
//
// # What is not promised
//
// Jobs are begun in the order in which they came, but with more than one worker
// they end in any. Within one key of [Hash] they reach the worker in order. A job
// whose caller gave up while an actor was at it counts as out of hand: the next
// one may wait for that actor behind it. Work that heeds its context has no such
// problem.
//
// # Inside
//
// Which worker gets what, what waits and when the pool grows is decided by a pure
// value, the desk; the process only carries out its decisions.
package pool
