package actor_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/topos-go/topos/actor"
)

// stressed is a request with what became of it at its callee.
type stressed struct {
	n        int
	answered atomic.Int32 // whoever has answered it was told that it was in time
}

// fickle answers at once, later, twice, never, from other goroutines, or ends.
func fickle(t *testing.T, seed uint64) actor.Actor {
	random := rand.New(rand.NewPCG(seed, 0))
	return &scripted{receive: func(self *actor.Self, msg any) error {
		q := msg.(*stressed)
		how := random.IntN(20)
		if how == 0 {
			return errBoom
		}
		from := self.From()
		ctx := self.Context()
		if ctx.Err() != nil && from.Waiting() {
			t.Errorf("request %d: its context has ended, and its caller has not", q.n)
		}
		reply := func() {
			if from.Reply(q.n) {
				q.answered.Add(1)
			}
		}
		switch {
		case how < 8:
			reply()
			reply()
		case how < 14:
			go reply()
			go reply()
		case how < 18:
			context.AfterFunc(ctx, reply)
			time.AfterFunc(time.Duration(random.IntN(10))*time.Millisecond, reply)
		}
		return nil
	}}
}

// However a request ends, it ends once, with its own reply or with an error, and
// who answers hears which.
func TestRequestsThatEndInAllWaysAtOnceHaveTheirOwnOutcomes(t *testing.T) {
	for _, abroad := range []bool{false, true} {
		cluster(t, func(t *testing.T, _ *network, a, b *place) {
			const senders, each = 8, 300
			at := a.System
			if abroad {
				at = b.System
			}
			bounded := actor.Mailbox{Capacity: 2, Overflow: actor.OverflowBlock}
			var all sync.WaitGroup
			for s := range senders {
				all.Go(func() {
					random := rand.New(rand.NewPCG(uint64(s), 1))
					callee := spawn(t, at, fickle(t, uint64(s)), bounded)
					var requests []*actor.Request[int]
					var questions []*stressed
					for i := range each {
						if !at.Alive(callee) {
							callee = spawn(t, at, fickle(t, uint64(s*each+i)), bounded)
						}
						q := &stressed{n: s*each + i}
						ctx, cancel := context.WithTimeout(t.Context(), time.Duration(1+random.IntN(20))*time.Millisecond)
						var r *actor.Request[int]
						if send := func(from actor.Caller) { r = actor.SendRequest[int](ctx, from, callee, q) }; i%3 == 0 {
							send(a.System)
						} else {
							asker := spawn(t, a.System, &scripted{})
							perform(t, a.System, asker, func(self *actor.Self) { send(self) })
							if i%3 == 1 {
								_ = a.Kill(asker)
							}
						}
						switch random.IntN(4) {
						case 0:
							r.Abandon()
						case 1:
							cancel()
						case 2:
							_, _ = r.Receive(ctx)
						}
						requests, questions = append(requests, r), append(questions, q)
						defer cancel()
					}
					time.Sleep(time.Minute) // until all is at rest
					for i, r := range requests {
						got, err, ok := r.Check()
						if !ok {
							t.Errorf("request %d has not ended", questions[i].n)
						} else if err := rightOutcome(questions[i], got, err, abroad); err != nil {
							t.Error(err)
						}
					}
				})
			}
			all.Wait()
			if _, calls := a.PeerCounts(); calls != 0 {
				t.Errorf("%d calls are left", calls)
			}
		})
	}
}

// rightOutcome compares what a request's sender has got with what its callee was
// told, which on another node may be told so and yet be late.
func rightOutcome(q *stressed, got int, err error, abroad bool) error {
	answered := q.answered.Load()
	switch {
	case answered > 1:
		return fmt.Errorf("request %d was answered %d times", q.n, answered)
	case err == nil && (got != q.n || answered != 1):
		return fmt.Errorf("request %d: reply %d, answered %d times", q.n, got, answered)
	case err != nil && answered == 1 && !abroad:
		return fmt.Errorf("request %d was answered, and has failed: %w", q.n, err)
	}
	return nil
}
