package pool

import (
	"context"
	"errors"
	"time"

	"github.com/topos-go/topos/actor"
)

// Reply is what one worker has answered.
type Reply[R any] struct {
	// Slot is the worker's.
	Slot  int
	Value R
	// Err is why there is no Value: the worker's error, its exit reason, or
	// actor.ErrTimeout.
	Err error
}

// Scatter gives a job to every worker that is there, and gathers their replies,
// in the order of their slots. Those that have not come within that time, if it
// is positive, or by ctx's deadline are given up, with actor.ErrTimeout; pass a
// time that is shorter than ctx's, after which the whole call fails. It fails
// with [ErrNoWorkers], with [ErrFull] if not all can be given the job, and with
// the errors of actor.Call. The pool must be on the caller's node.
func Scatter[R any](ctx context.Context, from actor.Caller, pool actor.Address, msg any, within time.Duration) ([]Reply[R], error) {
	results, err := actor.Call[[]result](ctx, from, pool, fanOut{msg: msg, mode: scatter, within: within})
	if err != nil {
		return nil, err
	}
	replies := make([]Reply[R], len(results))
	for i, r := range results {
		replies[i] = Reply[R]{Slot: r.slot, Err: r.err}
		if r.err == nil {
			replies[i].Value, replies[i].Err = as[R](r.value)
		}
	}
	return replies, nil
}

// First gives a job to every worker that is there, and returns the first reply
// that is good, or the first of all if good is nil. The others are given up then:
// the contexts of those who are at it are cancelled. If none is good it fails
// with [ErrNoneGood] and the workers' errors; otherwise it fails as [Scatter]
// does. good runs in the pool's process, so it must be quick.
func First[R any](ctx context.Context, from actor.Caller, pool actor.Address, msg any, good func(R) bool) (R, error) {
	judge := func(value any) bool {
		r, err := as[R](value)
		return err == nil && (good == nil || good(r))
	}
	r, err := actor.Call[result](ctx, from, pool, fanOut{msg: msg, mode: first, good: judge})
	if err != nil {
		var none R
		return none, err
	}
	return as[R](r.value)
}

// Broadcast gives a job for which nobody waits to every worker that is there. It
// returns how many, as soon as it is in their hands or waits for them; how it
// goes is not told. It fails as [Scatter] does.
func Broadcast(ctx context.Context, from actor.Caller, pool actor.Address, msg any) (int, error) {
	return actor.Call[int](ctx, from, pool, fanOut{msg: msg, mode: broadcast})
}

// as returns value as an R. Nil is R's zero value.
func as[R any](value any) (R, error) {
	r, ok := value.(R)
	if !ok && value != nil {
		return r, actor.ErrReplyType
	}
	return r, nil
}

// Stats is what is known of a pool at one moment.
type Stats struct {
	// Workers is how many workers there are, Starting how many are being
	// started or started again.
	Workers, Starting int
	// Busy is how many jobs are in the workers' hands.
	Busy int
	// Waiting is how many jobs wait for a worker, Blocked how many callers
	// outside of the full queue.
	Waiting, Blocked int
	// Completed, Failed and Refused count jobs since the pool was started. A
	// job whose caller has given up, and one that was refused, has failed.
	Completed, Failed, Refused uint64
}

type statsRequest struct{}

// Messages returns a value of each message that this package sends to pools on
// other nodes, to be registered with the types of a node. Only [StatsOf] needs
// it: jobs are the user's own messages.
func Messages() []any { return []any{statsRequest{}} }

// StatsOf returns what is known of a pool. The errors are those of actor.Call.
func StatsOf(ctx context.Context, from actor.Caller, pool actor.Address) (Stats, error) {
	return actor.Call[Stats](ctx, from, pool, statsRequest{})
}

func (p *process) stats() Stats {
	s := Stats{Completed: p.completed, Failed: p.failed, Refused: p.refused}
	for i := range p.desk.slots {
		switch slot := &p.desk.slots[i]; slot.state {
		case up:
			s.Workers++
		case starting, growing, down:
			s.Starting++
		}
		s.Busy += p.desk.slots[i].busy
	}
	s.Waiting = min(len(p.desk.waiting), p.cfg.Queue)
	s.Blocked = len(p.desk.waiting) - s.Waiting
	return s
}

// Refused reports whether err says that a pool did not take a job, so that it
// certainly was not done.
func Refused(err error) bool { return errors.Is(err, ErrFull) || errors.Is(err, ErrNoWorkers) }
