package actor_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/actor/actortest"
)

// Replies race with timeouts, cancellations, kept Froms and
// deaths, while the records of calls are reused all the time. Every call must
// get its own answer or an error.
func TestEveryCallGetsItsOwnAnswerUnderStress(t *testing.T) {
	const callers, rounds = 16, 400
	sys := actortest.NewSystem(t)
	server := func() actor.Actor {
		n := 0
		return &scripted{receive: func(self *actor.Self, msg any) error {
			switch n++; n % 5 {
			case 0:
				from := self.From()
				go from.Reply(msg)
			case 1:
				_, _ = self.Reply(msg), self.Reply(-1)
			case 2:
				if n < 1000 && n%7 == 0 {
					self.UnstashAll()
				}
				if n%3 == 0 {
					return self.Stash(msg)
				}
				return self.Reply(msg)
			case 3:
				from := self.From()
				from.Reply(msg)
				_ = from.Reply(-2)
			default:
				return self.Reply(msg)
			}
			self.UnstashAll()
			return nil
		}}
	}
	servers := []actor.PID{spawn(t, sys, server()), spawn(t, sys, server()), spawn(t, sys, server(), actor.Mailbox{Capacity: 4})}
	var wg sync.WaitGroup
	for i := range callers {
		wg.Go(func() {
			for j := range rounds {
				want := i*rounds + j
				ctx, cancel := context.WithTimeout(context.Background(), time.Duration(j%50)*time.Microsecond+time.Duration(j%3)*5*time.Millisecond)
				n, err := actor.Call[int](ctx, sys, servers[j%len(servers)], want)
				cancel()
				if err == nil && n != want {
					t.Errorf("call %d got the answer %d", want, n)
				}
				if err != nil && !errors.Is(err, actor.ErrTimeout) && !errors.Is(err, actor.ErrMailboxFull) {
					t.Errorf("call %d: %v", want, err)
				}
			}
		})
	}
	wg.Wait()
}

func TestCallsToDyingProcessesAllEnd(t *testing.T) {
	sys := actortest.NewSystem(t)
	var wg sync.WaitGroup
	for range 200 {
		pid := spawn(t, sys, echo())
		for i := range 4 {
			wg.Go(func() {
				n, err := actor.Call[int](context.Background(), sys, pid, i)
				if err == nil && n != i || err != nil && !errors.Is(err, errBoom) && !errors.Is(err, actor.ErrNoProc) {
					t.Errorf("%v, %v", n, err)
				}
			})
		}
		wg.Go(func() { _ = sys.Exit(pid, errBoom) })
	}
	wg.Wait()
}
