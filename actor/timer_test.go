package actor_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/actor/actortest"
)

func TestSendAfterSendsOnceAfterItsTime(t *testing.T) {
	bubble(t, func(t *testing.T, _ *actor.System, probe *actortest.Probe) {
		began := time.Now()
		probe.Do(func(self *actor.Self) error {
			self.SendAfter(2*time.Second, "second")
			self.SendAfter(time.Second, "first")
			self.SendAfter(0, "now")
			return nil
		})
		for i, want := range []string{"now", "first", "second"} {
			probe.ExpectMessage(want, soon)
			if d := time.Since(began); d.Truncate(time.Microsecond) != time.Duration(i)*time.Second {
				t.Errorf("%s after %v", want, d)
			}
		}
		probe.ExpectNothing(time.Minute)
	})
}

func TestEveryKeepsItsBeatAndLeavesOutWhatIsMissed(t *testing.T) {
	bubble(t, func(t *testing.T, sys *actor.System, probe *actortest.Probe) {
		began := time.Now()
		slow := 3500 * time.Millisecond
		pid := spawn(t, sys, &scripted{
			init: func(self *actor.Self) error { self.Every(time.Second, "tick"); return nil },
			receive: func(self *actor.Self, _ any) error {
				_ = self.Send(probe.PID(), time.Since(began))
				time.Sleep(slow)
				slow = 0
				return nil
			},
		})
		// The first at 1 s is handled until 4.5 s; of those at 2, 3 and 4 s one waits.
		for _, want := range []float64{1, 4.5, 5, 6, 7} {
			if got := actortest.Expect[time.Duration](probe, soon); got.Seconds() != want {
				t.Errorf("tick at %v, want %v s", got, want)
			}
		}
		_ = sys.Kill(pid)
		probe.ExpectNothing(time.Minute)
	})
}

func TestCancelledTimerIsNotReceivedEvenIfItIsQueued(t *testing.T) {
	bubble(t, func(t *testing.T, _ *actor.System, probe *actortest.Probe) {
		probe.Do(func(self *actor.Self) error {
			waiting, queued, every := self.SendAfter(time.Hour, 1), self.SendAfter(0, 2), self.Every(time.Millisecond, 3)
			time.Sleep(time.Second)
			for _, ref := range []actor.TimerRef{waiting, queued, every} {
				if !self.CancelTimer(ref) || self.CancelTimer(ref) {
					t.Error("CancelTimer is not true once")
				}
			}
			if self.CancelTimer(actor.TimerRef{}) {
				t.Error("the zero ref was cancelled")
			}
			return nil
		})
		probe.ExpectNothing(2 * time.Hour)
		var ref actor.TimerRef
		probe.Do(func(self *actor.Self) error { ref = self.SendAfter(0, 4); return nil })
		probe.ExpectMessage(4, soon)
		probe.Do(func(self *actor.Self) error {
			if self.CancelTimer(ref) {
				t.Error("a received timer was cancelled")
			}
			return nil
		})
	})
}

func TestTimerOfAnotherProcessCannotBeCancelled(t *testing.T) {
	bubble(t, func(t *testing.T, sys *actor.System, probe *actortest.Probe) {
		other := actortest.NewProbe(t, sys)
		var ref actor.TimerRef
		probe.Do(func(self *actor.Self) error { ref = self.SendAfter(time.Second, 1); return nil })
		other.Do(func(self *actor.Self) error {
			if self.CancelTimer(ref) {
				t.Error("cancelled")
			}
			return nil
		})
		probe.ExpectMessage(1, soon)
	})
}

func TestTimersDieWithTheProcess(t *testing.T) {
	bubble(t, func(t *testing.T, sys *actor.System, probe *actortest.Probe) {
		events := actortest.Observe(t, sys)
		pid := spawn(t, sys, &scripted{terminate: func(self *actor.Self, _ error) { self.SendAfter(time.Second, 1) }})
		perform(t, sys, pid, func(self *actor.Self) {
			self.SendAfter(time.Second, 1)
			self.Every(time.Second, 2)
			self.SetReceiveTimeout(time.Second)
		})
		tell(t, sys, pid, actor.ErrNormal)
		time.Sleep(time.Minute)
		actortest.Expect[actor.ProcessExited](events, soon)
		if events.Len() != 0 { // no dead letters of timers
			t.Errorf("%v", events.Drain())
		}
	})
}

func TestTimersRefuseNonsense(t *testing.T) {
	sys := actortest.NewSystem(t)
	probe := actortest.NewProbe(t, sys)
	for name, f := range map[string]func(*actor.Self){
		"no interval": func(self *actor.Self) { self.Every(0, 1) },
		"nil tick":    func(self *actor.Self) { self.Every(1, nil) },
		"nil message": func(self *actor.Self) { self.SendAfter(1, nil) },
	} {
		pid := probe.SpawnLink(echo())
		tell(t, sys, pid, do(func(self *actor.Self) error { f(self); return nil }))
		if exit, ok := actortest.Expect[actor.Exit](probe, soon).Reason.(*actor.PanicError); !ok {
			t.Errorf("%s: %v", name, exit)
		}
	}
}

func TestReceiveTimeoutComesWheneverNothingWasHandledForItsTime(t *testing.T) {
	bubble(t, func(t *testing.T, sys *actor.System, probe *actortest.Probe) {
		began := time.Now()
		pid := spawn(t, sys, &scripted{
			init: func(self *actor.Self) error { self.SetReceiveTimeout(time.Second); return nil },
			receive: func(self *actor.Self, msg any) error {
				switch m := msg.(type) {
				case actor.ReceiveTimeout:
					return self.Send(probe.PID(), time.Since(began).Seconds())
				case time.Duration:
					time.Sleep(m)
				}
				return nil
			},
		})
		expect := func(want ...float64) {
			t.Helper()
			for _, w := range want {
				probe.ExpectMessage(w, soon)
			}
		}
		expect(1, 2, 3)
		time.Sleep(time.Second / 2)
		tell(t, sys, pid, "work") // at 3.5
		expect(4.5)
		tell(t, sys, pid, 5*time.Second) // work from 4.5 to 9.5 is not idleness
		expect(10.5)
		for range 8 { // at 11, 11.5 … 14.5
			time.Sleep(time.Second / 2)
			tell(t, sys, pid, "work")
		}
		expect(15.5)
		perform(t, sys, pid, func(self *actor.Self) { self.SetReceiveTimeout(2 * time.Second) })
		expect(17.5)
		perform(t, sys, pid, func(self *actor.Self) { self.SetReceiveTimeout(0) })
		probe.ExpectNothing(time.Minute)
	})
}

func TestReceiveTimeoutSetWhileOneIsQueuedCountsAnew(t *testing.T) {
	bubble(t, func(t *testing.T, _ *actor.System, probe *actortest.Probe) {
		probe.Do(func(self *actor.Self) error {
			self.SetReceiveTimeout(time.Second)
			time.Sleep(2 * time.Second) // one is queued now
			self.SetReceiveTimeout(time.Minute)
			return nil
		})
		began := time.Now()
		actortest.Expect[actor.ReceiveTimeout](probe, time.Hour)
		if d := time.Since(began); d != time.Minute {
			t.Errorf("after %v", d)
		}
		synctest.Wait()
	})
}
