package actor_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/actor/actortest"
)

func TestMessagesReachOtherNodesInOrder(t *testing.T) {
	cluster(t, func(t *testing.T, _ *network, a, b *place) {
		b.probe.Do(func(self *actor.Self) error { return self.Register("probe") })
		for _, to := range []actor.Address{b.probe.PID(), actor.NameAt{Name: "probe", Node: "b"}} {
			for i := range 100 {
				if err := a.probe.Send(to, i); err != nil {
					t.Fatal(err)
				}
			}
			for i := range 100 {
				b.probe.ExpectMessage(i, soon)
			}
		}
		events := actortest.Observe(t, b.System)
		for _, to := range []actor.Address{actor.MakePID(b.NodeHandle(), 99<<28), actor.NameAt{Name: "nobody", Node: "b"}} {
			if err := a.probe.Send(to, "lost"); err != nil {
				t.Errorf("Send: %v", err) // it is on its way
			}
			events.ExpectMessage(actor.DeadLetter{To: to, From: a.probe.PID(), Message: "lost", Reason: actor.ErrNoProc}, soon)
		}
	})
}

func TestRemoteCallIsAnsweredOrFails(t *testing.T) {
	cluster(t, func(t *testing.T, net *network, a, b *place) {
		pid := spawn(t, b.System, &scripted{receive: func(self *actor.Self, msg any) error {
			d, _ := self.Context().Deadline()
			switch msg {
			case "trace":
				return self.Reply(string(actor.TraceFrom(self.Context())))
			case "deadline":
				return self.Reply(time.Until(d))
			case "silent":
				return nil
			case "error":
				return self.ReplyError(errBoom)
			case "end":
				return errOther
			}
			return self.Reply(msg)
		}}, actor.Name("echo"))
		ctx, cancel := context.WithTimeout(actor.ContextWithTrace(t.Context(), []byte("tr")), time.Minute)
		defer cancel()
		for _, to := range []actor.Address{pid, actor.NameAt{Name: "echo", Node: "b"}} {
			for req, want := range map[any]any{7: 7, "trace": "tr", "deadline": time.Minute} {
				if got, err := actor.Call[any](ctx, a.System, to, req); got != want || err != nil {
					t.Errorf("%v from outside: %v, %v", req, got, err)
				}
				if got, err := a.probe.Call(ctx, to, req); got != want || err != nil {
					t.Errorf("%v from a process: %v, %v", req, got, err)
				}
			}
		}
		for req, want := range map[string]error{"silent": actor.ErrNoReply, "error": errBoom} {
			if _, err := actor.Call[any](ctx, a.System, pid, req); !errors.Is(err, want) {
				t.Errorf("%s: %v", req, err)
			}
		}
		if _, err := actor.Call[any](ctx, a.System, pid, "end"); !errors.Is(err, errOther) {
			t.Errorf("end: %v", err)
		}
		for _, to := range []actor.Address{pid, actor.NameAt{Name: "echo", Node: "b"}} {
			if _, err := actor.Call[any](ctx, a.System, to, 1); !errors.Is(err, actor.ErrNoProc) {
				t.Errorf("call of the dead: %v", err)
			}
		}
		if _, err := actor.Call[any](ctx, a.System, actor.NameAt{Name: "x", Node: "c"}, 1); !errors.Is(err, actor.ErrNoConnection) {
			t.Errorf("call without a connection: %v", err)
		}
		if _, calls := a.PeerCounts(); calls != 0 {
			t.Errorf("%d calls left in the table", calls)
		}
	})
}

func TestRemoteCallThatTimesOutLeavesNothingAndItsLateReplyIsDropped(t *testing.T) {
	cluster(t, func(t *testing.T, net *network, a, b *place) {
		pid := spawn(t, b.System, echo())
		net.hold("b", "a", true)
		for i := range 10 {
			if _, err := actor.Call[int](t.Context(), a.System, pid, -i); !errors.Is(err, actor.ErrTimeout) {
				t.Errorf("Call: %v", err)
			}
		}
		if _, calls := a.PeerCounts(); calls != 0 {
			t.Errorf("%d calls left in the table", calls)
		}
		net.hold("b", "a", false)
		for i := range 10 {
			if n, err := actor.Call[int](t.Context(), a.System, pid, i); n != i || err != nil {
				t.Errorf("call %d: %v, %v", i, n, err)
			}
		}
		killed := spawn(t, a.System, echo())
		net.hold("b", "a", true)
		tell(t, a.System, killed, do(func(self *actor.Self) error {
			_, err := actor.Call[any](context.Background(), self, pid, 1)
			return err
		}))
		synctest.Wait()
		_ = a.Kill(killed)
		synctest.Wait()
		if _, calls := a.PeerCounts(); calls != 0 {
			t.Errorf("%d calls of the killed left", calls)
		}
	})
}

func TestRemoteLinkCarriesExitsBothWays(t *testing.T) {
	cluster(t, func(t *testing.T, _ *network, a, b *place) {
		local, remote := spawn(t, a.System, echo()), spawn(t, b.System, echo())
		_ = a.probe.Link(remote)
		synctest.Wait() // until the link has arrived
		tell(t, b.System, remote, errBoom)
		a.probe.ExpectExit(remote, errBoom, soon)
		_ = b.probe.Link(local)
		synctest.Wait()
		perform(t, a.System, local, func(self *actor.Self) { self.Unlink(b.probe.PID()) })
		synctest.Wait()
		tell(t, a.System, local, errBoom)
		b.probe.ExpectNothing(time.Minute)
		_ = a.probe.Link(remote) // dead by now
		a.probe.ExpectExit(remote, actor.ErrNoProc, soon)
		_ = a.probe.Link(actor.MakePID(elsewhere(), 1<<28))
		a.probe.ExpectExit(actor.MakePID(elsewhere(), 1<<28), actor.ErrNoConnection, soon)
	})
}

func TestRemoteLinkToAnAliasFindsNoProcess(t *testing.T) {
	cluster(t, func(t *testing.T, _ *network, a, b *place) {
		var alias actor.PID
		b.probe.Do(func(self *actor.Self) (err error) { alias, err = self.Alias(); return err })
		_ = a.probe.Link(alias)
		a.probe.ExpectExit(alias, actor.ErrNoProc, soon)
		_ = a.probe.Send(alias, 1)
		b.probe.ExpectMessage(1, soon)
	})
}

func TestRemoteExitSignalsFollowTheSameRules(t *testing.T) {
	cluster(t, func(t *testing.T, _ *network, a, b *place) {
		pid := spawn(t, b.System, echo())
		a.probe.Monitor(pid)
		_ = a.probe.Exit(pid, actor.ErrNormal)
		a.probe.ExpectNothing(time.Minute)
		_ = a.probe.Exit(pid, errBoom)
		a.probe.ExpectDown(pid, errBoom, soon)
		_ = a.probe.Exit(b.probe.PID(), errBoom)
		b.probe.ExpectExit(a.probe.PID(), errBoom, soon)
		a.probe.Monitor(b.probe.PID())
		_ = a.probe.Exit(b.probe.PID(), actor.ErrKilled)
		a.probe.ExpectDown(b.probe.PID(), actor.ErrKilled, soon)
	})
}

func TestRemoteMonitorsFireWithTheReason(t *testing.T) {
	cluster(t, func(t *testing.T, _ *network, a, b *place) {
		pid := spawn(t, b.System, echo(), actor.Name("n"))
		at := actor.NameAt{Name: "n", Node: "b"}
		one, two := a.probe.Monitor(pid), a.probe.Monitor(at)
		off, offName := a.probe.Monitor(pid), a.probe.Monitor(at)
		synctest.Wait()
		if info, _ := b.Info(pid); info.Watchers != 4 {
			t.Errorf("%d watchers", info.Watchers)
		}
		if !a.probe.Demonitor(off) || !a.probe.Demonitor(offName) {
			t.Error("Demonitor is false")
		}
		synctest.Wait()
		if info, _ := b.Info(pid); info.Watchers != 2 {
			t.Errorf("%d watchers left", info.Watchers)
		}
		_ = a.probe.Send(pid, 1)
		tell(t, b.System, pid, errBoom)
		if d := a.probe.ExpectDown(pid, errBoom, soon); d.Ref != one {
			t.Error("another ref")
		}
		if d := a.probe.ExpectDown(at, errBoom, soon); d.Ref != two {
			t.Error("another ref")
		}
		a.probe.Monitor(pid)
		a.probe.ExpectDown(pid, actor.ErrNoProc, soon)
		a.probe.Monitor(at)
		a.probe.ExpectDown(at, actor.ErrNoProc, soon)
		c := actor.NameAt{Name: "n", Node: "c"}
		a.probe.Monitor(c)
		a.probe.ExpectDown(c, actor.ErrNoConnection, soon)
	})
}

func TestLossOfANodeBreaksLinksFiresMonitorsAndFailsCalls(t *testing.T) {
	for _, reason := range []error{errBoom, nil} {
		want := reason
		if want == nil {
			want = actor.ErrNoConnection
		}
		cluster(t, func(t *testing.T, net *network, a, b *place) {
			at := actor.NameAt{Name: "n", Node: "b"}
			remote := spawn(t, b.System, echo(), actor.Name("n"))
			other := spawn(t, b.System, echo())
			_ = a.probe.Link(remote)
			a.probe.Monitor(remote)
			a.probe.Monitor(at)
			victim := spawn(t, b.System, echo())
			perform(t, b.System, victim, func(self *actor.Self) { _ = self.Link(a.probe.PID()); self.Monitor(a.probe.PID()) })
			b.probe.Monitor(victim)
			results := make(chan error)
			for _, to := range []actor.Address{remote, at} {
				go func() {
					_, err := actor.Call[any](context.Background(), a.System, to, do(func(self *actor.Self) error { self.From(); return nil }))
					results <- err
				}()
			}
			synctest.Wait()
			net.cut("a", "b", reason)
			for range 2 {
				if err := <-results; !errors.Is(err, want) {
					t.Errorf("Call: %v", err)
				}
			}
			exits := map[actor.PID]bool{}
			for range 2 {
				exits[actortest.Expect[actor.Exit](a.probe, soon).From] = true
			}
			if !exits[remote] || !exits[victim] {
				t.Errorf("exits from %v", exits)
			}
			for range 2 {
				if d := actortest.Expect[actor.Down](a.probe, soon); d.Reason != want {
					t.Errorf("Down: %v", d.Reason)
				}
			}
			b.probe.ExpectDown(victim, want, soon) // its link broke too
			if info, _ := b.Info(remote); info.Watchers != 0 || len(info.Links) != 0 || !b.Alive(other) {
				t.Errorf("left on the other side: %+v", info)
			}
			a.probe.ExpectNothing(time.Minute)
		})
	}
}

func TestPeerTableForgetsTheDead(t *testing.T) {
	cluster(t, func(t *testing.T, _ *network, a, b *place) {
		for range 100 {
			pid := spawn(t, a.System, echo())
			perform(t, a.System, pid, func(self *actor.Self) {
				_ = self.Link(b.probe.PID())
				self.Monitor(b.probe.PID())
				self.Monitor(actor.NameAt{Name: "n", Node: "b"})
			})
			tell(t, a.System, pid, actor.ErrNormal)
		}
		synctest.Wait()
		if n, _ := a.PeerCounts(); n != 0 {
			t.Errorf("%d processes in the table of a", n)
		}
		if info, _ := b.Info(b.probe.PID()); info.Watchers != 0 || len(info.Links) != 0 {
			t.Errorf("left on the other side: %d watchers, links %v", info.Watchers, info.Links)
		}
	})
}
