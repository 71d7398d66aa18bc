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

// attentive is an actor that holds each call until its context ends, and tells
// when that was.
func attentive(ended chan<- time.Duration) actor.Actor {
	return &scripted{receive: func(self *actor.Self, _ any) error {
		began, ctx := time.Now(), self.Context()
		<-ctx.Done()
		ended <- time.Since(began)
		return self.Reply("too late")
	}}
}

// deferring keeps each call, and tells when its context has ended.
func deferring(ended chan<- time.Duration) actor.Actor {
	return &scripted{receive: func(self *actor.Self, _ any) error {
		began, ctx := time.Now(), self.Context()
		self.From()
		context.AfterFunc(ctx, func() { ended <- time.Since(began) })
		return nil
	}}
}

// givingUp are the ways in which a caller at a waits no longer for pid, each a
// second after it has asked.
func givingUp(t *testing.T, at *actor.System, pid actor.Address) map[string]func() {
	long := func() context.Context {
		ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
		t.Cleanup(cancel)
		return ctx
	}
	caller := func() actor.PID {
		return spawn(t, at, &scripted{receive: func(self *actor.Self, _ any) error {
			_, _ = actor.Call[any](long(), self, pid, "?")
			return nil
		}})
	}
	return map[string]func(){
		"its context is cancelled": func() {
			ctx, cancel := context.WithCancel(long())
			time.AfterFunc(time.Second, cancel)
			_, _ = actor.Call[any](ctx, at, pid, "?")
		},
		"its request is abandoned": func() {
			r := actor.SendRequest[any](long(), at, pid, "?")
			time.AfterFunc(time.Second, r.Abandon)
			<-r.Done()
		},
		"it receives an exit signal": func() {
			who := caller()
			tell(t, at, who, "go")
			time.AfterFunc(time.Second, func() { _ = at.Exit(who, errBoom) })
		},
		"it is killed": func() {
			who := caller()
			tell(t, at, who, "go")
			time.AfterFunc(time.Second, func() { _ = at.Kill(who) })
		},
		"the process ends that has sent the request": func() {
			who := spawn(t, at, &scripted{receive: func(self *actor.Self, msg any) error {
				if msg == "end" {
					return errBoom
				}
				actor.SendRequest[any](long(), self, pid, "?")
				return nil
			}})
			tell(t, at, who, "go")
			time.AfterFunc(time.Second, func() { tell(t, at, who, "end") })
		},
	}
}

func wantEnded(t *testing.T, ended <-chan time.Duration) {
	t.Helper()
	select {
	case after := <-ended:
		if after != time.Second {
			t.Errorf("the context ended after %v, its caller was there for 1s", after)
		}
	case <-time.After(time.Minute):
		t.Error("the context goes on without its caller")
	}
}

func TestContextOfACallEndsWhenItsCallerGivesUp(t *testing.T) {
	for kind, callee := range map[string]func(chan<- time.Duration) actor.Actor{"in hand": attentive, "kept": deferring} {
		bubble(t, func(t *testing.T, sys *actor.System, _ *actortest.Probe) {
			ended := make(chan time.Duration, 1)
			pid := spawn(t, sys, callee(ended))
			for name, giveUp := range givingUp(t, sys, pid) {
				t.Log(kind, name)
				giveUp()
				wantEnded(t, ended)
			}
		})
	}
}

func TestContextOfACallEndsWhenItsCallerOnAnotherNodeGivesUp(t *testing.T) {
	for kind, callee := range map[string]func(chan<- time.Duration) actor.Actor{"in hand": attentive, "kept": deferring} {
		cluster(t, func(t *testing.T, _ *network, a, b *place) {
			ended := make(chan time.Duration, 1)
			pid := spawn(t, b.System, callee(ended), actor.Name("callee"))
			for _, to := range []actor.Address{pid, actor.NameAt{Name: "callee", Node: "b"}} {
				for name, giveUp := range givingUp(t, a.System, to) {
					t.Log(kind, name, to)
					giveUp()
					wantEnded(t, ended)
				}
			}
			synctest.Wait()
			if _, calls := a.PeerCounts(); calls != 0 {
				t.Errorf("the caller's node waits for %d calls", calls)
			}
		})
	}
}

func TestRequestWhoseCallerOnAnotherNodeGaveUpIsNotHandled(t *testing.T) {
	cluster(t, func(t *testing.T, net *network, a, b *place) {
		var handled []any
		pid := spawn(t, b.System, &scripted{receive: func(self *actor.Self, msg any) error {
			handled = append(handled, msg)
			return self.Reply(1)
		}})
		tell(t, b.System, pid, do(func(*actor.Self) error { time.Sleep(time.Minute); return nil }))
		ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
		defer cancel()
		given := actor.SendRequest[int](ctx, a.System, pid, "given up")
		kept := actor.SendRequest[int](ctx, a.System, pid, "kept")
		given.Abandon()
		if v, err := kept.Wait(ctx); v != 1 || err != nil {
			t.Errorf("%d, %v", v, err)
		}
		if len(handled) != 1 || handled[0] != "kept" {
			t.Errorf("handled %v", handled)
		}
	})
}

func TestContextsOfCallsEndWhenTheNodeOfTheirCallersIsLost(t *testing.T) {
	cluster(t, func(t *testing.T, net *network, a, b *place) {
		ended := make(chan time.Duration, 3)
		busy, waiting := spawn(t, b.System, attentive(ended)), spawn(t, b.System, deferring(ended))
		for range 2 { // and again when the same node is back
			ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
			defer cancel()
			requests := []*actor.Request[any]{
				actor.SendRequest[any](ctx, a.System, busy, "?"), actor.SendRequest[any](ctx, a.System, waiting, "?"),
			}
			own := actor.SendRequest[any](ctx, b.System, waiting, "?") // of the node itself
			time.Sleep(time.Second)
			net.cut("a", "b", nil)
			for _, r := range requests {
				if _, err := r.Wait(ctx); !errors.Is(err, actor.ErrNoConnection) {
					t.Errorf("request: %v", err)
				}
				wantEnded(t, ended)
			}
			synctest.Wait()
			if len(ended) != 0 {
				t.Error("the context of another node's call has ended too")
			}
			own.Abandon()
			<-ended
			net.connect("a", "b")
			net.connect("b", "a")
		}
	})
}

// Numbers of requests are only unique on the node that has sent them.
func TestCallersOfOneNodeTakeNoCallsOfAnothersBack(t *testing.T) {
	cluster(t, func(t *testing.T, net *network, a, b *place) {
		c := net.start(t, "c")
		net.connect("c", "b")
		net.connect("b", "c")
		pid := spawn(t, b.System, slow())
		const n = 20
		var given, kept []*actor.Request[int]
		for i := range n {
			given = append(given, actor.SendRequest[int](t.Context(), a.System, pid, i))
			kept = append(kept, actor.SendRequest[int](t.Context(), c.System, pid, i))
		}
		synctest.Wait()
		for _, r := range given {
			r.Abandon()
		}
		for i, r := range kept {
			<-r.Done()
			wantResponse(t, r, i, nil)
		}
	})
}

func TestDemonitorTakesNoCallBack(t *testing.T) {
	cluster(t, func(t *testing.T, net *network, a, b *place) {
		pid := spawn(t, b.System, &scripted{receive: func(self *actor.Self, _ any) error {
			self.SendAfter(time.Minute, do(func(*actor.Self) error { return nil }))
			from := self.From()
			time.AfterFunc(time.Second, func() { from.Reply(1) })
			return nil
		}})
		ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
		defer cancel()
		var requests []*actor.Request[int]
		for range 10 {
			requests = append(requests, actor.SendRequest[int](ctx, a.System, pid, "?"))
			a.probe.Do(func(self *actor.Self) error {
				self.Demonitor(self.Monitor(pid))
				return nil
			})
		}
		for _, r := range requests {
			if v, err := r.Wait(ctx); v != 1 || err != nil {
				t.Errorf("%d, %v", v, err)
			}
		}
	})
}

// The default deadline is not sent: the other node does not know when it passes.
func TestDefaultTimeoutOfACallerOnAnotherNodeEndsItsCalls(t *testing.T) {
	cluster(t, func(t *testing.T, _ *network, a, b *place) {
		ended := make(chan time.Duration, 1)
		pid := spawn(t, b.System, attentive(ended))
		busy := func(d time.Duration) do {
			return func(*actor.Self) error { time.Sleep(d); return nil }
		}
		tell(t, b.System, pid, busy(actor.DefaultCallTimeout-time.Second))
		r := actor.SendRequest[string](context.Background(), a.System, pid, "?")
		wantEnded(t, ended)
		wantResponse(t, r, "", actor.ErrTimeout)
		tell(t, b.System, pid, busy(time.Minute))
		if _, err := actor.Call[string](context.Background(), a.System, pid, "?"); !errors.Is(err, actor.ErrTimeout) {
			t.Errorf("call: %v", err)
		}
		time.Sleep(time.Hour)
		if len(ended) != 0 {
			t.Error("a request was handled whose caller had given up")
		}
	})
}

func TestContextOfACallEndsWithItsCallerThoughItWasKeptAndStashed(t *testing.T) {
	bubble(t, func(t *testing.T, sys *actor.System, _ *actortest.Probe) {
		ended := make(chan time.Duration, 1)
		later := deferring(ended)
		stashed := false
		pid := spawn(t, sys, &scripted{receive: func(self *actor.Self, msg any) error {
			if stashed {
				if _, limited := self.Context().Deadline(); !limited {
					t.Error("the context has no deadline")
				}
				return later.Receive(self, msg)
			}
			stashed = true
			self.From()
			return self.Stash(msg)
		}})
		r := actor.SendRequest[any](t.Context(), sys, pid, "?")
		tell(t, sys, pid, do(func(self *actor.Self) error { self.UnstashAll(); return nil }))
		time.Sleep(time.Second)
		r.Abandon()
		wantEnded(t, ended)
	})
}

// What thousands of callers take back at once must not hold the callee up: looking
// each request up among all of them takes seconds.
func TestManyCallersMayGiveUpAtOnce(t *testing.T) {
	cluster(t, func(t *testing.T, _ *network, a, b *place) {
		const n = 5000
		waiting, given := make([]actor.From, 0, n+n/10), 0
		pid := spawn(t, b.System, &scripted{receive: func(self *actor.Self, _ any) error {
			waiting = append(waiting, self.From())
			return nil
		}})
		ctx, cancel := context.WithCancel(actor.Patient(context.Background()))
		kept := make([]*actor.Request[int], n/10)
		for i := range n {
			actor.SendRequest[int](ctx, a.System, pid, "given up")
			if i%10 == 0 {
				kept[i/10] = actor.SendRequest[int](actor.Patient(context.Background()), a.System, pid, "kept")
			}
		}
		synctest.Wait()
		cancel()
		synctest.Wait()
		if indexed := b.Indexed(pid); indexed != n/10 {
			t.Errorf("%d requests are found by their numbers, want %d", indexed, n/10)
		}
		for _, from := range waiting {
			if !from.Reply(7) {
				given++
			}
		}
		if given != n {
			t.Errorf("%d requests were taken back, want %d", given, n)
		}
		for _, r := range kept {
			<-r.Done()
			wantResponse(t, r, 7, nil)
		}
		if indexed := b.Indexed(pid); indexed != 0 {
			t.Errorf("an index of %d is left", indexed)
		}
	})
}
