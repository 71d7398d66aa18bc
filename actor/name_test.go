package actor_test

import (
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/actor/actortest"
)

func TestNameFindsItsHolder(t *testing.T) {
	bubble(t, func(t *testing.T, sys *actor.System, probe *actortest.Probe) {
		probe.Do(func(self *actor.Self) error {
			for _, name := range []actor.Name{"a", "b"} {
				if err := self.Register(name); err != nil {
					t.Errorf("Register: %v", err)
				}
			}
			if err := self.Register("a"); err != actor.ErrNameTaken {
				t.Errorf("again: %v", err)
			}
			if err := self.Register(""); err != actor.ErrInvalidName {
				t.Errorf("empty: %v", err)
			}
			return nil
		})
		for _, to := range []actor.Address{actor.Name("a"), actor.Name("b"), actor.NameAt{Name: "a", Node: "local"}} {
			tell(t, sys, to, to)
			probe.ExpectMessage(to, soon)
		}
		probe.Do(func(self *actor.Self) error {
			if !self.Unregister("a") || self.Unregister("a") || self.Unregister("nobody") {
				t.Error("Unregister is not true once")
			}
			return nil
		})
		if err := sys.Send(actor.Name("a"), 1); err != actor.ErrNoProc {
			t.Errorf("Send to a free name: %v", err)
		}
		if pid, ok := sys.Whereis("b"); !ok || pid != probe.PID() {
			t.Errorf("Whereis = %v, %v", pid, ok)
		}
	})
}

func TestNameOfAnotherCannotBeTakenOrFreed(t *testing.T) {
	bubble(t, func(t *testing.T, sys *actor.System, probe *actortest.Probe) {
		holder := spawn(t, sys, echo(), actor.Name("n"))
		probe.Do(func(self *actor.Self) error {
			if err := self.Register("n"); err != actor.ErrNameTaken || self.Unregister("n") {
				t.Errorf("Register: %v", err)
			}
			return nil
		})
		if _, err := sys.Spawn(t.Context(), echo(), actor.Name("m"), actor.Name("n")); !errors.Is(err, actor.ErrNameTaken) {
			t.Errorf("Spawn: %v", err)
		}
		if _, ok := sys.Whereis("m"); ok {
			t.Error("the failed spawn kept a name")
		}
		if pid, _ := sys.Whereis("n"); pid != holder {
			t.Errorf("held by %v", pid)
		}
	})
}

func TestOneOfManyRivalsGetsTheName(t *testing.T) {
	sys := actortest.NewSystem(t)
	for range 100 {
		var wg sync.WaitGroup
		winners := make(chan actor.PID, 8)
		for range 8 {
			wg.Go(func() {
				pid, err := sys.Spawn(t.Context(), echo(), actor.Name("n"))
				if err == nil {
					winners <- pid
				} else if !errors.Is(err, actor.ErrNameTaken) {
					t.Errorf("Spawn: %v", err)
				}
			})
		}
		wg.Wait()
		winner := <-winners
		if len(winners) > 0 {
			t.Fatal("two winners")
		}
		if _, err := actor.Call[any](t.Context(), sys, winner, actor.ErrNormal); !errors.Is(err, actor.ErrNormal) {
			t.Fatal(err)
		}
	}
}

func TestAliasIsAnotherAddressUntilItIsTakenBack(t *testing.T) {
	bubble(t, func(t *testing.T, sys *actor.System, probe *actortest.Probe) {
		var one, two actor.PID
		probe.Do(func(self *actor.Self) error {
			one, _ = self.Alias()
			two, _ = self.Alias()
			return nil
		})
		if one == two || one == probe.PID() {
			t.Fatal("aliases are not distinct")
		}
		tell(t, sys, one, 1)
		probe.ExpectMessage(1, soon)
		other := actortest.NewProbe(t, sys)
		_ = other.Exit(two, errBoom)
		probe.ExpectExit(other.PID(), errBoom, soon)
		other.End(actor.ErrNormal)
		synctest.Wait()
		probe.Do(func(self *actor.Self) error {
			if !self.Unalias(one) || self.Unalias(one) || self.Unalias(self.PID()) || self.Unalias(actor.PID{}) {
				t.Error("Unalias is not true once")
			}
			return nil
		})
		if err := sys.Send(one, 2); err != actor.ErrNoProc || sys.Alive(one) {
			t.Errorf("Send to a former alias: %v", err)
		}
		n := 0
		for range sys.Processes() {
			n++
		}
		if n != 1 {
			t.Errorf("%d processes; an alias is none", n)
		}
		probe.End(actor.ErrNormal)
		synctest.Wait()
		if err := sys.Send(two, 3); err != actor.ErrNoProc {
			t.Errorf("Send to a dead process's alias: %v", err)
		}
	})
}

func TestMonitorOfAnAliasOutlivesTheAlias(t *testing.T) {
	bubble(t, func(t *testing.T, sys *actor.System, probe *actortest.Probe) {
		pid := spawn(t, sys, echo())
		var alias actor.PID
		perform(t, sys, pid, func(self *actor.Self) { alias, _ = self.Alias() })
		probe.Monitor(alias)
		perform(t, sys, pid, func(self *actor.Self) { self.Unalias(alias) })
		probe.ExpectNothing(time.Minute)
		tell(t, sys, pid, errBoom)
		probe.ExpectDown(alias, errBoom, soon)
	})
}

// TestStalePIDNeverReachesASuccessor uses few slots for many processes: each old PID must find
// nobody, however often its slot has been given away since.
func TestStalePIDNeverReachesASuccessor(t *testing.T) {
	sys := actortest.NewSystem(t)
	sink := actor.Func(func(self *actor.Self, msg any) error {
		if msg != self.PID() {
			t.Errorf("%v received what was for %v", self.PID(), msg)
		}
		return actor.ErrNormal
	})
	seen := make(map[actor.PID]bool)
	var wg sync.WaitGroup
	var mu sync.Mutex
	for range 4 {
		wg.Go(func() {
			var old []actor.PID
			for range 2000 {
				pid := spawn(t, sys, sink)
				mu.Lock()
				if seen[pid] {
					t.Errorf("%v was used twice", pid)
				}
				seen[pid] = true
				mu.Unlock()
				_ = sys.Send(pid, pid) // ends it
				for _, stale := range old {
					_ = sys.Send(stale, stale)
				}
				if old = append(old, pid); len(old) > 20 {
					old = old[1:]
				}
			}
		})
	}
	wg.Wait()
}
