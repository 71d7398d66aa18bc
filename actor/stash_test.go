package actor_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/actor/actortest"
)

// locked stashes everything until it gets "open", and then passes it on with
// its trace.
func locked(probe *actortest.Probe) actor.Actor {
	open := false
	return &scripted{receive: func(self *actor.Self, msg any) error {
		if msg == "open" {
			open = true
			return self.Send(probe.PID(), self.UnstashAll())
		}
		if !open {
			return self.Stash(msg)
		}
		if self.IsCall() {
			msg = fmt.Sprint("call ", msg)
			_ = self.Reply(string(actor.TraceFrom(self.Context())))
		} else if trace := actor.TraceFrom(self.Context()); trace != nil {
			msg = fmt.Sprint(string(trace), " ", msg)
		}
		return self.Send(probe.PID(), msg)
	}}
}

func TestStashIsFIFOAndComesBeforeTheMail(t *testing.T) {
	for name, opts := range map[string][]actor.SpawnOption{"unbounded": nil, "bounded": {actor.Mailbox{Capacity: 1000}}} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, sys *actor.System, probe *actortest.Probe) {
				pid := spawn(t, sys, locked(probe), opts...)
				const n = 300 // several chunks of a mailbox
				for i := range n {
					tell(t, sys, pid, i)
				}
				synctest.Wait()
				gate := make(chan struct{})
				tell(t, sys, pid, stuck(gate))
				tell(t, sys, pid, "open")
				for i := range n {
					tell(t, sys, pid, n+i)
				}
				close(gate)
				probe.ExpectMessage(n, soon)
				for i := range 2 * n {
					probe.ExpectMessage(i, soon)
				}
			})
		})
	}
}

func TestStashedCallIsAnsweredLaterWithItsTrace(t *testing.T) {
	bubble(t, func(t *testing.T, sys *actor.System, probe *actortest.Probe) {
		pid := spawn(t, sys, locked(probe))
		reply := make(chan string)
		go func() {
			s, err := actor.Call[string](actor.ContextWithTrace(context.Background(), []byte("t1")), sys, pid, 1)
			reply <- fmt.Sprint(s, err)
		}()
		synctest.Wait()
		_ = sys.Send(pid, 2, actor.Traced([]byte("t2")))
		tell(t, sys, pid, 3)
		go func() { // gives up before it is unstashed
			ctx, cancel := context.WithCancel(t.Context())
			go cancel()
			_, err := actor.Call[string](ctx, sys, pid, 4)
			reply <- fmt.Sprint(errors.Is(err, context.Canceled))
		}()
		if got := <-reply; got != "true" {
			t.Errorf("cancelled call: %v", got)
		}
		synctest.Wait()
		tell(t, sys, pid, "open")
		actortest.Expect[int](probe, soon)
		probe.ExpectMessage("call 1", soon)
		probe.ExpectMessage("t2 2", soon)
		probe.ExpectMessage(3, soon)
		if got := <-reply; got != "t1<nil>" {
			t.Errorf("stashed call: %v", got)
		}
		tell(t, sys, pid, 5)
		probe.ExpectMessage(5, soon) // not call 4: nobody would see the reply
	})
}

func TestStashHasALimit(t *testing.T) {
	bubble(t, func(t *testing.T, sys *actor.System, probe *actortest.Probe) {
		pid := spawn(t, sys, locked(probe), actor.StashLimit(2))
		probe.Monitor(pid)
		for i := range 3 {
			tell(t, sys, pid, i)
		}
		probe.ExpectDown(pid, actor.ErrStashFull, soon)
		if n := sys.Stats().DeadLetters; n != 2 {
			t.Errorf("%d dead letters of 2 stashed", n)
		}
		perform(t, sys, spawn(t, sys, echo()), func(self *actor.Self) {
			for i := range actor.DefaultStashLimit {
				if err := self.Stash(i); err != nil {
					t.Fatalf("Stash %d: %v", i, err)
				}
			}
			if err := self.Stash(1); err != actor.ErrStashFull {
				t.Errorf("Stash beyond the default: %v", err)
			}
			if err := self.Stash(nil); err != actor.ErrNilMessage {
				t.Errorf("Stash nil: %v", err)
			}
		})
	})
}

func TestUnstashOfNothingIsNothing(t *testing.T) {
	bubble(t, func(t *testing.T, sys *actor.System, _ *actortest.Probe) {
		perform(t, sys, spawn(t, sys, echo()), func(self *actor.Self) {
			if n := self.UnstashAll(); n != 0 {
				t.Errorf("UnstashAll = %d", n)
			}
		})
	})
}
