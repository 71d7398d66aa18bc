package remote_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/overlay"
	"github.com/topos-go/topos/remote"
	"github.com/topos-go/topos/remote/codec"
)

func TestCallReachesProcessOnOtherNode(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		h := w.cluster("a", "b")
		pid := h[0].spawn(t, &counter{})
		for range 10 {
			if err := h[1].sys.Send(pid, Add{2}); err != nil {
				t.Fatal(err)
			}
		}
		if n, err := actor.Call[int](t.Context(), h[1].sys, pid, Get{}); n != 20 || err != nil {
			t.Fatalf("got %d, %v", n, err)
		}
	})
}

func TestCallByNameReachesOtherNode(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		h := w.cluster("a", "b")
		h[0].spawn(t, &counter{n: 7}, actor.Name("counter"))
		at := actor.NameAt{Name: "counter", Node: h[0].ID().Name}
		if n, err := actor.Call[int](t.Context(), h[1].sys, at, Get{}); n != 7 || err != nil {
			t.Fatalf("got %d, %v", n, err)
		}
		at.Name = "nobody"
		if _, err := actor.Call[int](t.Context(), h[1].sys, at, Get{}); !errors.Is(err, actor.ErrNoProc) {
			t.Fatalf("got %v for a name nobody has", err)
		}
		at.Node = "x@x:1"
		if _, err := actor.Call[int](t.Context(), h[1].sys, at, Get{}); !errors.Is(err, actor.ErrNoConnection) {
			t.Fatalf("got %v for a node that is no member", err)
		}
	})
}

func TestPIDInsideMessageReachesItsProcess(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		h := w.cluster("a", "b", "c")
		target := h[0].spawn(t, &counter{n: 5})
		middle := h[1].spawn(t, &counter{})
		if n, err := actor.Call[int](t.Context(), h[2].sys, middle, Ask{Of: target}); n != 5 || err != nil {
			t.Fatalf("got %d, %v", n, err)
		}
	})
}

func TestMonitorOfRemoteProcessTellsReason(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		h := w.cluster("a", "b")
		p := newProbe(false)
		watcher := h[1].spawn(t, p)
		for how, check := range map[string]func(error) bool{
			"normal": func(err error) bool { return err == actor.ErrNormal },
			"broken": func(err error) bool {
				return errors.Is(err, errBroken) && err.Error() == `handling "broken": test: broken`
			},
			"panic":   func(err error) bool { return err.Error() == "panic: out of order" },
			"unknown": func(err error) bool { var r *codec.RemoteError; return errors.As(err, &r) && r.Text == "unknown" },
		} {
			pid := h[0].spawn(t, &counter{})
			h[1].do(t, watcher, func(self *actor.Self) { self.Monitor(pid) })
			if err := h[1].sys.Send(pid, Fail{how}); err != nil {
				t.Fatal(err)
			}
			if down := next[actor.Down](t, p); down.Of != actor.Address(pid) || !check(down.Reason) {
				t.Errorf("%s: got %v", how, down)
			}
		}
	})
}

func TestMonitorOfUnknownRemoteProcessFires(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		h := w.cluster("a", "b")
		dead := h[0].spawn(t, &counter{})
		_ = h[0].sys.Kill(dead)
		p := newProbe(false)
		watcher := h[1].spawn(t, p)
		h[1].do(t, watcher, func(self *actor.Self) {
			self.Monitor(dead)
			self.Monitor(actor.NameAt{Name: "nobody", Node: h[0].ID().Name})
			self.Monitor(actor.NameAt{Name: "nobody", Node: "x@x:1"})
		})
		want := map[actor.Address]error{
			dead: actor.ErrNoProc,
			actor.NameAt{Name: "nobody", Node: h[0].ID().Name}: actor.ErrNoProc,
			actor.NameAt{Name: "nobody", Node: "x@x:1"}:        actor.ErrNoConnection,
		}
		for range want {
			if down := next[actor.Down](t, p); !errors.Is(down.Reason, want[down.Of]) {
				t.Errorf("%v: got %v, want %v", down.Of, down.Reason, want[down.Of])
			}
		}
	})
}

func TestDemonitorReachesOtherNode(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		h := w.cluster("a", "b")
		pid := h[0].spawn(t, &counter{})
		p := newProbe(false)
		watcher := h[1].spawn(t, p)
		h[1].do(t, watcher, func(self *actor.Self) { self.Demonitor(self.Monitor(pid)) })
		h[1].do(t, watcher, func(self *actor.Self) { _ = self.Send(pid, Fail{"normal"}) })
		time.Sleep(time.Second)
		if len(p.got) > 0 {
			t.Fatalf("received %v", <-p.got)
		}
	})
}

func TestLinkCarriesExitBothWays(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		h := w.cluster("a", "b")
		p := newProbe(true)
		trapper := h[1].spawn(t, p)
		pid := h[0].spawn(t, &counter{})
		h[1].do(t, trapper, func(self *actor.Self) { self.Link(pid) })
		synctest.Wait()
		_ = h[0].sys.Send(pid, Fail{"broken"})
		if exit := next[actor.Exit](t, p); exit.From != pid || !errors.Is(exit.Reason, errBroken) {
			t.Fatalf("got %v", exit)
		}
		// And the other way: the linked process does not trap, so it ends.
		other := h[0].spawn(t, &counter{})
		watch := newProbe(false)
		watcher := h[0].spawn(t, watch)
		h[0].do(t, watcher, func(self *actor.Self) { self.Monitor(other) })
		h[1].do(t, trapper, func(self *actor.Self) { self.Link(other) })
		synctest.Wait()
		_ = h[1].sys.Exit(trapper, errBroken)
		if down := next[actor.Down](t, watch); down.Of != actor.Address(other) || down.Reason != errBroken {
			t.Fatalf("got %v", down)
		}
	})
}

func TestExitSignalEndsRemoteProcess(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		h := w.cluster("a", "b")
		p := newProbe(false)
		watcher := h[1].spawn(t, p)
		for _, reason := range []error{actor.ErrShutdown, actor.ErrKilled, errBroken} {
			pid := h[0].spawn(t, &counter{})
			h[1].do(t, watcher, func(self *actor.Self) { self.Monitor(pid) })
			if err := h[1].sys.Exit(pid, reason); err != nil {
				t.Fatal(err)
			}
			if down := next[actor.Down](t, p); down.Reason != reason {
				t.Errorf("got %v, want %v", down.Reason, reason)
			}
		}
	})
}

func TestCallFailsAtOnceWhenCalleeEnds(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		h := w.cluster("a", "b")
		pid := h[0].spawn(t, &counter{})
		begun := time.Now()
		if _, err := actor.Call[int](t.Context(), h[1].sys, pid, Fail{"broken"}); !errors.Is(err, errBroken) {
			t.Fatalf("got %v", err)
		}
		if waited := time.Since(begun); waited > 100*time.Millisecond {
			t.Errorf("it took %v", waited)
		}
	})
}

func TestCallFailsAtOnceWhenNodeIsKilled(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		h := w.cluster("a", "b")
		pid := h[0].spawn(t, &counter{})
		p := newProbe(true)
		watcher := h[1].spawn(t, p)
		h[1].do(t, watcher, func(self *actor.Self) { self.Link(pid); self.Monitor(pid) })
		begun := time.Now()
		time.AfterFunc(time.Millisecond, func() { w.net.Kill("a") })
		_, err := actor.Call[int](t.Context(), h[1].sys, pid, Fail{"never"})
		if !errors.Is(err, actor.ErrNoConnection) || !errors.Is(err, overlay.ErrUnreachable) {
			t.Fatalf("got %v", err)
		}
		next[actor.Exit](t, p)
		next[actor.Down](t, p)
		if waited := time.Since(begun); waited > 500*time.Millisecond {
			t.Errorf("it took %v", waited)
		}
		h[1].await(t, remote.MemberDown, h[0].ID())
	})
}

func TestTimeoutOfRemoteCallIsDeadlineExceeded(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		h := w.cluster("a", "b")
		pid := h[0].spawn(t, &counter{})
		middle := h[1].spawn(t, &counter{})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := actor.Call[int](ctx, h[1].sys, pid, Fail{"never"})
		if !errors.Is(err, actor.ErrTimeout) || !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("got %v", err)
		}
		// A timeout that is a reason keeps both identities too.
		p := newProbe(false)
		watcher := h[0].spawn(t, p)
		h[0].do(t, watcher, func(self *actor.Self) { self.Monitor(middle) })
		synctest.Wait()
		_ = h[1].sys.Exit(middle, err)
		if down := next[actor.Down](t, p); !errors.Is(down.Reason, context.DeadlineExceeded) || down.Reason.Error() != err.Error() {
			t.Fatalf("got %v", down.Reason)
		}
	})
}

func TestMessageOfUnknownTypeIsRefusedAtSender(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		h := w.cluster("a", "b")
		pid := h[0].spawn(t, &counter{})
		if err := h[1].sys.Send(pid, Secret{1}); !errors.Is(err, codec.ErrUnknownType) {
			t.Errorf("got %v", err)
		}
		if _, err := actor.Call[int](t.Context(), h[1].sys, pid, Secret{1}); !errors.Is(err, codec.ErrUnknownType) {
			t.Errorf("call: got %v", err)
		}
	})
}

func TestMessageOfTypeUnknownToReceiverIsCountedAndFailsCall(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		a := w.start("a")
		cfg := w.config("b", a)
		cfg.Types = append(cfg.Types, codec.Type{Sample: Secret{}})
		b := start(t, cfg)
		meet(t, a, b)
		undelivered := make(chan remote.Undelivered, 10)
		defer a.Observe(func(ev remote.Event) {
			if u, ok := ev.(remote.Undelivered); ok {
				undelivered <- u
			}
		})()
		pid := a.spawn(t, &counter{})
		if err := b.sys.Send(pid, Secret{1}); err != nil {
			t.Fatal(err)
		}
		if u := <-undelivered; u.To != pid || !errors.Is(u.Reason, codec.ErrUnknownType) {
			t.Errorf("got %+v", u)
		}
		if _, err := actor.Call[int](t.Context(), b.sys, pid, Secret{1}); !errors.Is(err, codec.ErrUnknownType) {
			t.Errorf("call: got %v", err)
		}
		if n := a.Stats().Undecodable; n != 2 {
			t.Errorf("%d counted", n)
		}
		// The node goes on.
		if _, err := actor.Call[int](t.Context(), b.sys, pid, Get{}); err != nil {
			t.Error(err)
		}
	})
}

// replier replies with what it was made with.
type replier struct{ value any }

func (r replier) Receive(self *actor.Self, _ any) error { return self.Reply(r.value) }

func TestReplyOfUnregisteredTypeReachesCallerThatKnowsIt(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		h := w.cluster("a", "b")
		call := func(v any) actor.PID { return h[0].spawn(t, replier{v}) }
		if got, err := actor.Call[Secret](t.Context(), h[1].sys, call(Secret{3}), Get{}); got.N != 3 || err != nil {
			t.Errorf("got %v, %v", got, err)
		}
		if got, err := actor.Call[map[string][]Secret](t.Context(), h[1].sys, call(map[string][]Secret{"x": {{4}}}), Get{}); err != nil || got["x"][0].N != 4 {
			t.Errorf("got %v, %v", got, err)
		}
		if got, err := actor.Call[any](t.Context(), h[1].sys, call("text"), Get{}); got != "text" || err != nil {
			t.Errorf("got %v, %v", got, err)
		}
		if got, err := actor.Call[error](t.Context(), h[1].sys, call(errBroken), Get{}); got != errBroken || err != nil {
			t.Errorf("got %v, %v", got, err)
		}
		if got, err := actor.Call[*Secret](t.Context(), h[1].sys, call(nil), Get{}); got != nil || err != nil {
			t.Errorf("got %v, %v", got, err)
		}
		if _, err := actor.Call[int](t.Context(), h[1].sys, call("text"), Get{}); !errors.Is(err, actor.ErrReplyType) {
			t.Errorf("a string for an int: %v", err)
		}
		if _, err := actor.Call[int](t.Context(), h[1].sys, call(func() {}), Get{}); !errors.Is(err, codec.ErrEncode) {
			t.Errorf("a reply that cannot be encoded: %v", err)
		}
	})
}

func TestErrorReplyKeepsItsIdentity(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		h := w.cluster("a", "b")
		pid := h[0].spawn(t, actor.Func(func(self *actor.Self, _ any) error {
			return self.ReplyError(errBroken)
		}))
		if _, err := actor.Call[int](t.Context(), h[1].sys, pid, Get{}); !errors.Is(err, errBroken) {
			t.Fatalf("got %v", err)
		}
	})
}

func TestTraceAndDeadlineTravelWithTheMessage(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		h := w.cluster("a", "b")
		pid := h[0].spawn(t, actor.Func(func(self *actor.Self, _ any) error {
			deadline, _ := self.Context().Deadline()
			return self.Reply(string(actor.TraceFrom(self.Context())) + time.Until(deadline).String())
		}))
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		got, err := actor.Call[string](actor.ContextWithTrace(ctx, []byte("trace")), h[1].sys, pid, Get{})
		if got != "trace3s" || err != nil {
			t.Fatalf("got %q, %v", got, err)
		}
	})
}

// What cannot be decoded has its place in every order: nothing waits for it.
func TestMessageThatCannotBeDecodedHoldsUpNothing(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		a := w.start("a")
		cfg := w.config("b", a)
		cfg.Types = append(cfg.Types, codec.Type{Sample: Secret{}})
		cfg.Channels = []remote.Channel{{Name: "other", MinLanes: 3}}
		b := start(t, cfg)
		meet(t, a, b)
		p := newProbe(false)
		watcher := a.spawn(t, p)
		pid := b.spawn(t, newProbe(false))
		a.do(t, watcher, func(self *actor.Self) { self.Monitor(pid) })
		w.pass(time.Second)
		for i, opts := range [][]actor.SendOption{
			{actor.Channel("other")}, {actor.Channel("other"), actor.Unordered()}, {actor.Key("k")},
			{actor.Ack()}, {actor.Causal("talk")},
		} {
			b.do(t, pid, func(self *actor.Self) {
				for _, msg := range []any{Secret{i}, Add{i}} {
					if err := self.Send(watcher, msg, opts...); err != nil {
						t.Fatal(err)
					}
				}
			})
			w.pass(time.Second)
			if len(p.got) != 1 || next[Add](t, p) != (Add{i}) {
				t.Fatalf("%d: %d messages", i, len(p.got))
			}
		}
		_ = b.sys.Exit(pid, errBroken)
		w.pass(time.Second)
		if len(p.got) != 1 {
			t.Fatal("its end is not known")
		}
		if n := a.Stats().Undecodable; n != 5 {
			t.Errorf("%d counted", n)
		}
	})
}
