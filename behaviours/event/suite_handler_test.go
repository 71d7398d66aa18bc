package event_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/actor/actortest"
	"github.com/topos-go/topos/behaviours/event"
)

func TestStart(t *testing.T) {
	bubble(t, func(f *fixture) {
		f.wantHandlers()
		f.stop(nil)
		name := actor.Name("my_dummy_name")
		pid := f.probe.SpawnLink(event.New(), name)
		_, err := f.sys.Spawn(f.Context(), event.New(), name)
		f.wantFailed("start under a name that is taken", err, actor.ErrNameTaken)
		if ids, err := event.Which(f.Context(), f.sys, name); len(ids) != 0 || err != nil {
			f.Errorf("handlers %v, %v", ids, err)
		}
		if err := event.Stop(f.Context(), f.sys, name, actor.ErrShutdown); err != nil {
			f.Error(err)
		}
		f.probe.ExpectExit(pid, actor.ErrShutdown, soon)
		f.wantFailed("another stop", event.Stop(f.Context(), f.sys, name, nil), actor.ErrNoProc)
		// An exit signal of the parent ends it, though it traps exits.
		pid = f.probe.SpawnLink(event.New(), name)
		_ = f.probe.Exit(pid, actor.ErrShutdown)
		f.probe.ExpectExit(pid, actor.ErrShutdown, soon)
		f.probe.ExpectNothing(soon)
	})
}

func TestAddHandler(t *testing.T) {
	bubble(t, func(f *fixture) {
		refuse := f.dummy("dummy")
		refuse.refused = errMade
		f.wantFailed("add", event.Add(f.Context(), f.sys, f.mgr, "dummy", refuse), errMade)
		f.wantHandlers()
		f.add("dummy")
		f.wantHandlers("dummy")
		f.wantFailed("add another", event.Add(f.Context(), f.sys, f.mgr, "dummy/2", refuse), errMade)
		f.wantHandlers("dummy")
		f.add("dummy/2")
		f.wantHandlers("dummy", "dummy/2")
		f.wantFailed("add twice", event.Add(f.Context(), f.sys, f.mgr, "dummy", f.dummy("x")), event.ErrExists)
		f.wantFailed("add nil", event.Add(f.Context(), f.sys, f.mgr, "nil", nil), event.ErrNilHandler)
	})
}

func TestAddSupHandler(t *testing.T) {
	bubble(t, func(f *fixture) {
		f.addSupervised("dummy")
		f.wantHandlers("dummy")
		// An exit signal of the owner removes its handlers, and the manager lives.
		_ = f.probe.Exit(f.mgr, errBoom)
		f.wantEnd("dummy", errBoom)
		f.wantExit("dummy", errBoom)
		f.wantHandlers()

		f.addSupervised("dummy")
		f.addSupervised("dummy/2")
		f.add("nobody's")
		f.wantHandlers("dummy", "dummy/2", "nobody's")
		f.stop(nil)
		f.wantExit("dummy", actor.ErrShutdown)
		f.wantExit("dummy/2", actor.ErrShutdown)
		f.probe.ExpectExit(f.mgr, actor.ErrNormal, soon)
		f.wantEnd("dummy", actor.ErrNormal)
		f.wantEnd("dummy/2", actor.ErrNormal)
		f.wantEnd("nobody's", actor.ErrNormal)
	})
}

func TestSupervisedHandlerIsRemovedWhenItsOwnerEnds(t *testing.T) {
	bubble(t, func(f *fixture) {
		f.add("other")
		f.addSupervised("dummy")
		f.probe.End(errBoom)
		f.wantEnd("dummy", errBoom)
		f.wantHandlers("other")
	})
}

func TestHandlerOfAnOwnerThatHasEndedIsRemovedAtOnce(t *testing.T) {
	bubble(t, func(f *fixture) {
		// The owner is killed while its request waits behind a slow event.
		slow := event.On(func(*actor.Self, time.Duration) (event.Next, error) {
			time.Sleep(time.Minute)
			return event.Next{}, nil
		})
		if err := event.Add(f.Context(), f.sys, f.mgr, "slow", slow); err != nil {
			f.Fatal(err)
		}
		owner, err := f.sys.Spawn(f.Context(), actor.Func(func(self *actor.Self, _ any) error {
			_ = event.AddSupervised(f.Context(), self, f.mgr, "dummy", f.dummy("dummy"))
			return nil
		}))
		if err != nil {
			f.Fatal(err)
		}
		_ = event.Notify(f.sys, f.mgr, time.Minute)
		_ = f.sys.Send(owner, "add")
		synctest.Wait()
		_ = f.sys.Kill(owner)
		time.Sleep(2 * time.Minute)
		f.wantHandlers("slow")
	})
}

func TestManagerThatIsKilledEndsItsOwnersByTheirLinks(t *testing.T) {
	bubble(t, func(f *fixture) {
		f.addSupervised("dummy")
		_ = f.sys.Kill(f.mgr)
		f.probe.ExpectExit(f.mgr, actor.ErrKilled, soon)
	})
}

func TestDeleteHandler(t *testing.T) {
	bubble(t, func(f *fixture) {
		f.add("dummy")
		_, err := event.Delete(f.Context(), f.sys, f.mgr, "dummmmmy", nil)
		f.wantFailed("delete", err, event.ErrNoHandler)
		got, err := event.Delete(f.Context(), f.sys, f.mgr, "dummy", "return_hej")
		if got != "return_hej" || err != nil {
			f.Errorf("delete: %v, %v", got, err)
		}
		f.wantHappened("dummy", event.End{Reason: event.ErrDeleted, Arg: "return_hej"})
		f.wantHandlers()
		// One without Terminate.
		_ = event.Add(f.Context(), f.sys, f.mgr, "plain", event.On(func(*actor.Self, int) (event.Next, error) { return event.Next{}, nil }))
		if got, err := event.Delete(f.Context(), f.sys, f.mgr, "plain", 1); got != nil || err != nil {
			f.Errorf("delete: %v, %v", got, err)
		}
		f.addSupervised("dummy")
		_, _ = event.Delete(f.Context(), f.sys, f.mgr, "dummy", nil)
		f.wantExit("dummy", actor.ErrNormal)
	})
}

func TestSwapHandler(t *testing.T) {
	bubble(t, func(f *fixture) {
		f.add("first")
		f.add("dummy")
		f.add("last")
		f.wantFailed("swap of nobody", event.Replace(f.Context(), f.sys, f.mgr, "faulty",
			event.Swap{ID: "dummy1", Handler: f.dummy("dummy1")}), errNoState)
		f.wantHandlers("first", "dummy", "last")
		successor := f.dummy("dummy1")
		if err := event.Replace(f.Context(), f.sys, f.mgr, "dummy", event.Swap{ID: "dummy1", Handler: successor, Arg: "state"}); err != nil {
			f.Fatal(err)
		}
		f.wantHappened("dummy", event.End{Reason: event.ErrSwapped, Arg: "state"})
		f.wantHandlers("first", "dummy1", "last")
		if successor.state != "state" {
			f.Errorf("inherited %v", successor.state)
		}
		f.wantFailed("swap to an ID that is taken", event.Replace(f.Context(), f.sys, f.mgr, "dummy1",
			event.Swap{ID: "last", Handler: f.dummy("x")}), event.ErrExists)
		f.wantFailed("swap to nil", event.Replace(f.Context(), f.sys, f.mgr, "dummy1", event.Swap{}), event.ErrNilHandler)
		// The ID may stay, and a successor refuse: then neither is there.
		if err := event.Replace(f.Context(), f.sys, f.mgr, "dummy1", event.Swap{Handler: f.dummy("dummy2")}); err != nil {
			f.Error(err)
		}
		f.wantHandlers("first", "dummy1", "last")
		refuse := f.dummy("refuse")
		refuse.refused = errMade
		f.wantFailed("swap", event.Replace(f.Context(), f.sys, f.mgr, "dummy1", event.Swap{Handler: refuse}), errMade)
		f.wantHandlers("first", "last")
	})
}

func TestSwapSupHandler(t *testing.T) {
	bubble(t, func(f *fixture) {
		f.addSupervised("dummy")
		// Replace keeps the owner.
		if err := event.Replace(f.Context(), f.sys, f.mgr, "dummy", event.Swap{ID: "dummy1", Handler: f.dummy("dummy1")}); err != nil {
			f.Fatal(err)
		}
		_, _ = event.Delete(f.Context(), f.sys, f.mgr, "dummy1", nil)
		f.wantExit("dummy1", actor.ErrNormal)

		// ReplaceSupervised has another, and the old one is told.
		f.addSupervised("dummy")
		other := actortest.NewProbe(f.T, f.sys)
		var err error
		other.Do(func(self *actor.Self) error {
			err = event.ReplaceSupervised(f.Context(), self, f.mgr, "dummy", event.Swap{ID: "dummy2", Handler: f.dummy("dummy2")})
			return nil
		})
		if err != nil {
			f.Error(err)
		}
		f.wantExit("dummy", event.ErrSwapped)
		f.wantHandlers("dummy2")
		other.End(errBoom)
		synctest.Wait()
		f.wantHandlers()

		// The owner of one whose successor refuses is told why.
		f.addSupervised("dummy")
		refuse := f.dummy("refuse")
		refuse.refused = errMade
		f.wantFailed("swap", event.Replace(f.Context(), f.sys, f.mgr, "dummy", event.Swap{Handler: refuse}), errMade)
		f.wantExit("dummy", errMade)
	})
}
