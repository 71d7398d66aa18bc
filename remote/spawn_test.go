package remote_test

import (
	"errors"
	"testing"
	"time"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/actor/actortest"
	"github.com/topos-go/topos/overlay"
	"github.com/topos-go/topos/remote/codec"
)

// constructors are what each node of these tests can spawn for others.
func constructors() map[string]actor.Constructor {
	return map[string]actor.Constructor{
		"counter": func(args any) (actor.Actor, []actor.SpawnOption, error) {
			switch start := args.(type) {
			case nil:
				return &counter{}, nil, nil
			case Add:
				return &counter{n: start.N}, nil, nil
			}
			return nil, nil, errBroken
		},
	}
}

func TestProcessIsSpawnedOnAnotherNode(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		h := w.cluster("a", "b")
		probe := actortest.NewProbe(t, h[0].sys)
		for _, node := range []actor.NodeID{h[1].ID(), {Name: h[1].ID().Name}} {
			for args, want := range map[any]int{nil: 0, Add{7}: 7} {
				probe.Do(func(self *actor.Self) error {
					pid, err := self.SpawnLinkAt(t.Context(), node, "counter", args)
					if err != nil || pid.Node() != h[1].ID() {
						t.Fatalf("got %v, %v", pid, err)
					}
					if n, err := actor.Call[int](t.Context(), self, pid, Get{}); n != want || err != nil {
						t.Errorf("got %d, %v", n, err)
					}
					if info, ok := h[1].sys.Info(pid); !ok || info.Parent != self.PID() {
						t.Errorf("its parent is %v", info.Parent)
					}
					return self.Send(pid, Fail{"broken"})
				})
				if exit := actortest.Expect[actor.Exit](probe, time.Second); !errors.Is(exit.Reason, errBroken) {
					t.Errorf("got %v", exit)
				}
			}
		}
	})
}

func TestSpawnOnAnotherNodeFailsWithTheReason(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		h := w.cluster("a", "b")
		nowhere := actor.NodeID{Name: "x@x:1"}
		for _, c := range []struct {
			node        actor.NodeID
			constructor string
			args        any
			want        error
		}{
			{h[1].ID(), "counter", "not an Add", errBroken},
			{h[1].ID(), "other", nil, actor.ErrNoConstructor},
			{h[1].ID(), "counter", Secret{1}, codec.ErrUnknownType},
			{nowhere, "counter", nil, actor.ErrNoConnection},
		} {
			if pid, err := h[0].sys.SpawnAt(t.Context(), c.node, c.constructor, c.args); !errors.Is(err, c.want) {
				t.Errorf("%s(%v) on %v: got %v, %v", c.constructor, c.args, c.node, pid, err)
			}
		}
		w.net.Kill("b")
		begun := time.Now()
		if _, err := h[0].sys.SpawnAt(t.Context(), h[1].ID(), "counter", nil); !errors.Is(err, actor.ErrNoConnection) {
			t.Errorf("got %v", err)
		}
		if took := time.Since(begun); took > actor.DefaultCallTimeout {
			t.Errorf("it took %v", took)
		}
	})
}

func TestNodeMonitorSaysHowTheNodeWasLost(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		for name, c := range map[string]struct {
			lose func(h *host)
			want error
		}{
			"b": {func(h *host) { _ = h.Leave(t.Context()) }, overlay.ErrLeft},
			"c": {func(h *host) { w.net.Kill("c") }, overlay.ErrUnreachable},
			"d": {func(h *host) { w.net.Freeze("d") }, overlay.ErrSilent},
		} {
			h := w.cluster("a"+name, name)
			probe := actortest.NewProbe(t, h[0].sys)
			refs := make(map[actor.MonitorRef]bool)
			probe.Do(func(self *actor.Self) error {
				refs[self.MonitorNode(h[1].ID())] = true
				refs[self.MonitorNode(actor.NodeID{Name: h[1].ID().Name})] = true
				return nil
			})
			for i := range 100 {
				if err := h[1].sys.Send(probe.PID(), Add{i}); err != nil {
					t.Fatal(err)
				}
			}
			w.pass(time.Second)
			c.lose(h[1])
			for i := range 100 {
				probe.ExpectMessage(Add{i}, time.Second)
			}
			for range 2 {
				down := actortest.Expect[actor.NodeDown](probe, time.Minute)
				if !refs[down.Ref] || down.Node != h[1].ID() || !errors.Is(down.Reason, c.want) || !errors.Is(down.Reason, actor.ErrNoConnection) {
					t.Errorf("%s: got %v", name, down)
				}
				delete(refs, down.Ref)
			}
			w.net.Thaw("d")
		}
	})
}

func TestMonitorOfUnknownNodeMakesItKnown(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		a, b := w.start("a"), w.start("b")
		probe := actortest.NewProbe(t, a.sys)
		probe.Do(func(self *actor.Self) error { self.MonitorNode(b.ID()); return nil })
		meet(t, a, b)
		w.net.Kill("b")
		actortest.Expect[actor.NodeDown](probe, time.Minute)
	})
}

// A node that stands still is lost for whoever asks it often, and not for the rest.
func TestHeartbeatNoticesALossBeforeTheClusterDoes(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		h := w.cluster("a", "b", "c")
		p := newProbe(false)
		watcher := h[0].spawn(t, p)
		var patient, quick, taken actor.MonitorRef
		h[0].do(t, watcher, func(self *actor.Self) {
			patient = self.MonitorNode(h[1].ID())
			quick = self.MonitorNode(h[1].ID(), actor.Heartbeat(100*time.Millisecond, 3))
			taken = self.MonitorNode(h[1].ID(), actor.Heartbeat(100*time.Millisecond, 3))
			self.DemonitorFlush(taken)
		})
		w.pass(10 * time.Second)
		if len(p.got) > 0 {
			t.Fatalf("%v, though it answers", <-p.got)
		}
		begun := time.Now()
		w.net.Freeze("b")
		down := next[actor.NodeDown](t, p)
		if took := time.Since(begun); down.Ref != quick || !errors.Is(down.Reason, actor.ErrNoHeartbeat) ||
			!errors.Is(down.Reason, actor.ErrNoConnection) || took > 600*time.Millisecond {
			t.Errorf("%+v after %v", down, took)
		}
		for _, m := range h[0].Members() {
			if m.Node == h[1].ID() {
				down = next[actor.NodeDown](t, p)
				if took := time.Since(begun); down.Ref != patient || took < 2*time.Second {
					t.Errorf("%+v after %v", down, took)
				}
			}
		}
		w.pass(10 * time.Second)
		if len(p.got) > 0 {
			t.Errorf("and %v", <-p.got)
		}
		// What the cluster knows, a monitor with a heartbeat knows at once.
		h[0].do(t, watcher, func(self *actor.Self) {
			quick = self.MonitorNode(h[2].ID(), actor.Heartbeat(time.Hour, 3))
		})
		w.pass(time.Second)
		w.net.Kill("c")
		if down = next[actor.NodeDown](t, p); down.Ref != quick || errors.Is(down.Reason, actor.ErrNoHeartbeat) {
			t.Errorf("%+v", down)
		}
	})
}
