package actor_test

import (
	"errors"
	"testing"
	"testing/synctest"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/actor/actortest"
)

// Whatever a peer sends, the system and its processes live.
func TestMalformedSignalsDoNoHarm(t *testing.T) {
	cluster(t, func(t *testing.T, _ *network, a, b *place) {
		pid := spawn(t, b.System, &scripted{receive: func(_ *actor.Self, msg any) error {
			if msg == nil {
				t.Error("received nil")
			}
			return nil
		}})
		bounded := spawn(t, b.System, echo(), actor.Mailbox{Capacity: 1})
		for kind := range actor.SignalDown + 3 {
			for _, to := range []actor.PID{pid, bounded, {}, actor.MakePID(b.NodeHandle(), 1), a.probe.PID()} {
				for _, from := range []actor.PID{a.probe.PID(), {}, actor.MakePID(elsewhere(), 7)} {
					b.Deliver(actor.Signal{Kind: kind, To: to, From: from, Origin: a.NodeHandle(), Ref: 1})
				}
			}
		}
		synctest.Wait()
		for _, p := range []actor.PID{pid, bounded} {
			if !b.Alive(p) {
				t.Errorf("%v is dead", p)
			}
			perform(t, b.System, p, func(*actor.Self) {})
			b.probe.Monitor(p)
			tell(t, b.System, p, errBoom)
			b.probe.ExpectDown(p, errBoom, soon)
		}
	})
}

// decoded is a reply whose type only the caller knows.
type decoded struct{ fail bool }

func (d decoded) DecodeInto(target any) error {
	n, ok := target.(*int)
	if d.fail || !ok {
		return errBoom
	}
	*n = 42
	return nil
}

func TestEncodedReplyIsDecodedByTheCaller(t *testing.T) {
	sys := actortest.NewSystem(t)
	pid := spawn(t, sys, &scripted{receive: func(self *actor.Self, msg any) error { return self.Reply(decoded{msg == "fail"}) }})
	if n, err := actor.Call[int](t.Context(), sys, pid, 1); n != 42 || err != nil {
		t.Errorf("%v, %v", n, err)
	}
	if n, err := actor.Call[int](t.Context(), sys, pid, "fail"); n != 0 || !errors.Is(err, actor.ErrReplyType) || !errors.Is(err, errBoom) {
		t.Errorf("%v, %v", n, err)
	}
}

// clusterNames is a registry of cluster names.
type clusterNames map[string]actor.PID

func (c clusterNames) Whereis(name string) (actor.PID, bool) { pid, ok := c[name]; return pid, ok }
func (c clusterNames) Unregister(name string, pid actor.PID) {
	if c[name] == pid {
		delete(c, name)
	}
}
func (c clusterNames) Register(name string, pid actor.PID) error {
	if _, taken := c[name]; taken {
		return actor.ErrNameTaken
	}
	c[name] = pid
	return nil
}

func TestClusterNamesAreRegisteredAndFreed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		names := clusterNames{}
		sys := actortest.NewSystemConfig(t, actor.Config{Names: names})
		pid := spawn(t, sys, echo(), actor.ClusterName("c"))
		if n, err := actor.Call[int](t.Context(), sys, actor.ClusterName("c"), 7); n != 7 || err != nil {
			t.Errorf("Call = %v, %v", n, err)
		}
		if _, err := sys.Spawn(t.Context(), echo(), actor.Name("n"), actor.ClusterName("c")); !errors.Is(err, actor.ErrNameTaken) {
			t.Errorf("Spawn: %v", err)
		}
		tell(t, sys, pid, errBoom)
		synctest.Wait()
		if _, ok := names["c"]; ok {
			t.Error("the name is still held")
		}
	})
}

// The system is the parent of what was spawned from outside, and signals as the
// zero PID. Another node's goroutine signals as the zero PID too.
func TestExitSignalFromOutsideAnotherNodeIsNotTheParents(t *testing.T) {
	cluster(t, func(t *testing.T, _ *network, a, b *place) {
		exits := make(chan actor.Exit, 1)
		pid := spawn(t, b.System, &scripted{receive: func(_ *actor.Self, msg any) error {
			exits <- msg.(actor.Exit)
			return nil
		}, init: func(self *actor.Self) error {
			self.TrapExit(true)
			return nil
		}})
		if err := a.Exit(pid, errBoom); err != nil {
			t.Fatal(err)
		}
		if exit := <-exits; exit.From != (actor.PID{}) || !errors.Is(exit.Reason, errBoom) {
			t.Errorf("received %v", exit)
		}
		if !b.Alive(pid) {
			t.Error("it ended, as if its parent had sent the signal")
		}
	})
}
