package actor_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/actor/actortest"
)

func TestEachMonitorOfAPairHasItsOwnDown(t *testing.T) {
	bubble(t, func(t *testing.T, sys *actor.System, probe *actortest.Probe) {
		pid := spawn(t, sys, echo())
		a, b, c := probe.Monitor(pid), probe.Monitor(pid), probe.Monitor(pid)
		if a == b || b == c || a == c {
			t.Fatal("refs are not distinct")
		}
		if !probe.Demonitor(b) || probe.Demonitor(b) {
			t.Error("Demonitor must be true once")
		}
		tell(t, sys, pid, errBoom)
		if got := probe.ExpectDown(pid, errBoom, soon).Ref; got != a {
			t.Errorf("first Down of %v", got)
		}
		if got := probe.ExpectDown(pid, errBoom, soon).Ref; got != c {
			t.Errorf("second Down of %v", got)
		}
		probe.ExpectNothing(time.Minute)
	})
}

func TestMonitorOfWhatIsNotThereFiresAtOnce(t *testing.T) {
	bubble(t, func(t *testing.T, sys *actor.System, probe *actortest.Probe) {
		dead := spawn(t, sys, echo())
		_ = sys.Kill(dead)
		synctest.Wait()
		here := sys.Node().Name
		for _, c := range []struct {
			of     actor.Address
			reason error
		}{
			{dead, actor.ErrNoProc},
			{actor.PID{}, actor.ErrNoProc},
			{actor.Name("nobody"), actor.ErrNoProc},
			{actor.NameAt{Name: "nobody", Node: here}, actor.ErrNoProc},
			{actor.ClusterName("nobody"), actor.ErrNoProc},
			{actor.NameAt{Name: "x", Node: "elsewhere"}, actor.ErrNoCluster},
			{actor.MakePID(elsewhere(), 1<<28), actor.ErrNoCluster},
		} {
			ref := probe.Monitor(c.of)
			if down := probe.ExpectDown(c.of, c.reason, soon); down.Ref != ref {
				t.Errorf("%v: another ref", c.of)
			}
			if probe.Demonitor(ref) {
				t.Errorf("%v: Demonitor after the Down", c.of)
			}
		}
	})
}

func TestMonitorByNameNamesTheHolderOfThatMoment(t *testing.T) {
	bubble(t, func(t *testing.T, sys *actor.System, probe *actortest.Probe) {
		first := spawn(t, sys, echo(), actor.Name("n"))
		ref := probe.Monitor(actor.Name("n"))
		perform(t, sys, first, func(self *actor.Self) { self.Unregister("n") })
		second := spawn(t, sys, echo(), actor.Name("n"))
		tell(t, sys, second, errOther)
		probe.ExpectNothing(time.Minute)
		tell(t, sys, first, errBoom)
		if down := probe.ExpectDown(actor.Name("n"), errBoom, soon); down.Ref != ref {
			t.Error("another ref")
		}
	})
}

func TestDemonitorFlushTakesBackAQueuedDown(t *testing.T) {
	bubble(t, func(t *testing.T, sys *actor.System, probe *actortest.Probe) {
		pid := spawn(t, sys, echo())
		probe.Do(func(self *actor.Self) error {
			kept, flushed := self.Monitor(pid), self.Monitor(pid)
			_ = sys.Kill(pid)
			synctest.Wait() // both Downs are in the mailbox now
			if self.Demonitor(kept) || self.DemonitorFlush(flushed) {
				t.Error("Demonitor of a queued Down is true")
			}
			_ = self.Send(self.PID(), kept)
			return nil
		})
		down := probe.ExpectDown(pid, actor.ErrKilled, soon)
		probe.ExpectMessage(down.Ref, soon) // it was kept's
		probe.ExpectNothing(time.Minute)
	})
}

func TestDemonitorOfAnothersRefIsFalse(t *testing.T) {
	bubble(t, func(t *testing.T, sys *actor.System, probe *actortest.Probe) {
		other := actortest.NewProbe(t, sys)
		pid := spawn(t, sys, echo())
		ref := other.Monitor(pid)
		if probe.Demonitor(ref) || probe.Demonitor(actor.MonitorRef{}) {
			t.Error("Demonitor of a foreign ref is true")
		}
		tell(t, sys, pid, errBoom)
		other.ExpectDown(pid, errBoom, soon)
	})
}

func TestMonitorsOfAnEndedProcessAreForgotten(t *testing.T) {
	bubble(t, func(t *testing.T, sys *actor.System, probe *actortest.Probe) {
		pid := spawn(t, sys, echo())
		watcher := actortest.NewProbe(t, sys)
		watcher.Monitor(pid)
		probe.Demonitor(probe.Monitor(pid))
		watcher.End(actor.ErrNormal)
		synctest.Wait()
		if info, _ := sys.Info(pid); info.Watchers != 0 {
			t.Errorf("%d watchers left", info.Watchers)
		}
	})
}

// TestDownAndExitComeAfterEverythingSentBefore is FIFO for messages and signals.
func TestDownAndExitComeAfterEverythingSentBefore(t *testing.T) {
	sys := actortest.NewSystem(t)
	for range 200 {
		probe := actortest.NewProbe(t, sys, actor.Mailbox{Capacity: 1 << 20})
		pid := probe.SpawnLink(&scripted{
			receive: func(self *actor.Self, msg any) error {
				for i := range msg.(int) {
					_ = self.Send(probe.PID(), i)
				}
				return errBoom
			},
			terminate: func(self *actor.Self, _ error) { _ = self.Send(probe.PID(), "goodbye") },
		})
		probe.Monitor(pid)
		const n = 300 // more than a turn
		_ = probe.Send(pid, n)
		for i := range n {
			probe.ExpectMessage(i, soon)
		}
		probe.ExpectMessage("goodbye", soon)
		probe.ExpectExit(pid, errBoom, soon)
		probe.ExpectDown(pid, errBoom, soon)
		probe.End(actor.ErrNormal)
	}
}

// TestOnDownTerminateHasEndedAndNamesAreFree restarts a named process at the very moment its Down
// arrives, again and again: Terminate must have ended and the name be free.
func TestOnDownTerminateHasEndedAndNamesAreFree(t *testing.T) {
	const rounds = 5000
	sys := actortest.NewSystem(t)
	rivals := 0 // unguarded: also proves that one ends before the next begins
	child := func() actor.Actor {
		return &scripted{
			init:      func(*actor.Self) error { rivals++; return nil },
			terminate: func(*actor.Self, error) { rivals-- },
		}
	}
	done := make(chan error, 1)
	spawn(t, sys, &scripted{
		init: func(self *actor.Self) error { return self.Send(self.PID(), "again") },
		receive: func(self *actor.Self, msg any) error {
			if down, ok := msg.(actor.Down); ok && down.Reason != errBoom {
				done <- down.Reason
			}
			if rivals != 0 {
				t.Errorf("%d still there on Down", rivals)
			}
			if sys.Stats().Spawned > rounds {
				done <- nil
				return actor.ErrNormal
			}
			pid, _, err := self.SpawnMonitor(child(), actor.Name("a"), actor.Name("b"))
			if err != nil {
				done <- err
				return err
			}
			return self.Send(pid, errBoom)
		},
	})
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}
