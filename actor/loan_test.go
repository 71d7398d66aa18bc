package actor_test

import (
	"testing"
	"testing/synctest"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/actor/actortest"
)

// loan counts how often it is returned.
type loan struct{ returned int }

func (l *loan) Return() { l.returned++ }

func TestLentMessageIsReturnedWhenItsHandlerHasReturned(t *testing.T) {
	for name, c := range map[string]struct {
		handle func(self *actor.Self, msg any) error
		want   int
	}{
		"handled":             {func(*actor.Self, any) error { return nil }, 1},
		"retained":            {func(self *actor.Self, _ any) error { self.Retain(); return nil }, 0},
		"retained twice":      {func(self *actor.Self, _ any) error { self.Retain(); self.Retain(); return nil }, 0},
		"stashed":             {func(self *actor.Self, msg any) error { return self.Stash(msg) }, 0},
		"end of the process":  {func(*actor.Self, any) error { return actor.ErrNormal }, 1},
		"panic":               {func(*actor.Self, any) error { panic(errBoom) }, 0}, // somebody may look at it
		"stashed and handled": {func(self *actor.Self, msg any) error { _ = self.Stash(msg); self.UnstashAll(); return nil }, 0},
	} {
		for _, trace := range [][]byte{nil, []byte("00-abc")} {
			bubble(t, func(t *testing.T, sys *actor.System, _ *actortest.Probe) {
				l, handled := new(loan), 0
				pid := spawn(t, sys, &scripted{receive: func(self *actor.Self, msg any) error {
					if handled++; handled > 1 {
						return nil
					}
					if l.returned != 0 {
						t.Errorf("%s: returned too soon", name)
					}
					return c.handle(self, msg)
				}})
				sys.Deliver(actor.Signal{Kind: actor.SignalMessage, To: pid, Msg: []byte("lent"), Loan: l, Trace: trace})
				sys.Deliver(actor.Signal{Kind: actor.SignalMessage, To: pid, Msg: []byte("own")})
				synctest.Wait()
				if l.returned != c.want {
					t.Errorf("%s: returned %d times, want %d", name, l.returned, c.want)
				}
			})
		}
	}
}

func TestLentMessageThatIsNotHandledIsNotReturned(t *testing.T) {
	bubble(t, func(t *testing.T, sys *actor.System, _ *actortest.Probe) {
		events := actortest.Observe(t, sys)
		pid, l := spawn(t, sys, echo()), new(loan)
		_ = sys.Kill(pid)
		synctest.Wait()
		actortest.Expect[actor.ProcessExited](events, soon)
		sys.Deliver(actor.Signal{Kind: actor.SignalMessage, To: pid, Msg: []byte("lent"), Loan: l})
		if letter := actortest.Expect[actor.DeadLetter](events, soon); string(letter.Message.([]byte)) != "lent" || l.returned != 0 {
			t.Errorf("%v, returned %d times", letter, l.returned)
		}
	})
}

func TestRetainOfAMessageThatWasNotLentDoesNothing(t *testing.T) {
	bubble(t, func(t *testing.T, sys *actor.System, probe *actortest.Probe) {
		probe.Do(func(self *actor.Self) error { self.Retain(); return nil })
		pid := spawn(t, sys, &scripted{receive: func(self *actor.Self, msg any) error { self.Retain(); return self.Reply(msg) }})
		if got, err := actor.Call[int](t.Context(), sys, pid, 1); got != 1 || err != nil {
			t.Errorf("%v, %v", got, err)
		}
	})
}
