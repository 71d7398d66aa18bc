package actor_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/actor/actortest"
)

// slow answers what it is asked after a second.
func slow() actor.Actor {
	return &scripted{receive: func(self *actor.Self, msg any) error {
		from := self.From()
		time.AfterFunc(time.Second, func() { from.Reply(msg) })
		return nil
	}}
}

func wantResponse[R comparable](t *testing.T, r *actor.Request[R], want R, failure error) {
	t.Helper()
	got, err, ok := r.Check()
	if !ok || got != want || !errors.Is(err, failure) || (failure == nil) != (err == nil) {
		t.Errorf("response %v, %v, %v; want %v, %v", got, err, ok, want, failure)
	}
}

func TestResponseIsTheReplyOrTheReasonForNone(t *testing.T) {
	bubble(t, func(t *testing.T, sys *actor.System, _ *actortest.Probe) {
		pid, ctx := spawn(t, sys, slow()), t.Context()
		r := actor.SendRequest[int](ctx, sys, pid, 7)
		if _, _, ok := r.Check(); ok {
			t.Error("there is a response at once")
		}
		if got, err := r.Wait(ctx); got != 7 || err != nil {
			t.Errorf("response %v, %v", got, err)
		}
		wantResponse(t, r, 7, nil) // once more
		ended := actor.SendRequest[int](ctx, sys, pid, 7)
		tell(t, sys, pid, errBoom)
		<-ended.Done()
		wantResponse(t, ended, 0, errBoom)
		var failed *actor.CallError
		if _, err, _ := ended.Check(); !errors.As(err, &failed) || failed.To != pid {
			t.Errorf("error %#v", err)
		}
		wantResponse(t, actor.SendRequest[int](ctx, sys, pid, 7), 0, actor.ErrNoProc)
		wantResponse(t, actor.SendRequest[int](ctx, sys, pid, nil), 0, actor.ErrNilMessage)
		other := actor.SendRequest[string](ctx, sys, spawn(t, sys, echo()), 7)
		<-other.Done()
		wantResponse(t, other, "", actor.ErrReplyType)
		cancelled, cancel := context.WithCancel(ctx)
		cancel()
		wantResponse(t, actor.SendRequest[int](cancelled, sys, spawn(t, sys, echo()), 7), 0, context.Canceled)
	})
}

func TestRequestIsGivenUpAtItsDeadline(t *testing.T) {
	bubble(t, func(t *testing.T, sys *actor.System, _ *actortest.Probe) {
		pid := spawn(t, sys, &scripted{receive: func(self *actor.Self, _ any) error { self.From(); return nil }})
		limited, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		began := time.Now()
		early, late := actor.SendRequest[int](context.Background(), sys, pid, 7), actor.SendRequest[int](limited, sys, pid, 7)
		<-early.Done()
		if took := time.Since(began); took != actor.DefaultCallTimeout {
			t.Errorf("took %v, want the default", took)
		}
		<-late.Done()
		if took := time.Since(began); took != time.Minute {
			t.Errorf("took %v, want a minute", took)
		}
		wantResponse(t, early, 0, actor.ErrTimeout)
		wantResponse(t, late, 0, actor.ErrTimeout)
		patient := actor.SendRequest[int](actor.Patient(context.Background()), sys, pid, 7)
		time.Sleep(1000 * time.Hour)
		if _, _, ok := patient.Check(); ok {
			t.Error("who is patient has a deadline")
		}
		patient.Abandon()
	})
}

func TestReceiveGivesUpAndWaitDoesNot(t *testing.T) {
	bubble(t, func(t *testing.T, sys *actor.System, _ *actortest.Probe) {
		pid := spawn(t, sys, slow())
		waited, received := actor.SendRequest[int](t.Context(), sys, pid, 1), actor.SendRequest[int](t.Context(), sys, pid, 2)
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		if _, err := waited.Wait(ctx); err != actor.ErrTimeout {
			t.Errorf("Wait: %v", err)
		}
		if _, err := received.Receive(ctx); err != actor.ErrTimeout {
			t.Errorf("Receive: %v", err)
		}
		time.Sleep(time.Minute)
		wantResponse(t, waited, 1, nil)
		wantResponse(t, received, 0, context.Canceled) // and the reply is dropped
		answered := actor.SendRequest[int](t.Context(), sys, pid, 3)
		if v, err := answered.Receive(t.Context()); v != 3 || err != nil {
			t.Errorf("Receive: %v, %v", v, err)
		}
		answered.Abandon()
		wantResponse(t, answered, 3, nil)
	})
}

func TestProcessGoesOnWhileItsRequestsAreAnswered(t *testing.T) {
	bubble(t, func(t *testing.T, sys *actor.System, probe *actortest.Probe) {
		var r *actor.Request[int]
		full := spawn(t, sys, &scripted{receive: func(self *actor.Self, msg any) error {
			switch msg {
			case "ask":
				r = actor.SendRequest[int](t.Context(), self, spawn(t, sys, slow()), 7)
				r.Notify(self.PID(), "answered")
				_, _ = r.Wait(t.Context()) // while others fill the mailbox
			default:
				_ = self.Send(probe.PID(), msg)
			}
			return nil
		}}, actor.Mailbox{Capacity: 1})
		tell(t, sys, full, "ask")
		synctest.Wait()
		tell(t, sys, full, "other")
		probe.ExpectMessage("other", soon)
		probe.ExpectMessage("answered", soon)
		wantResponse(t, r, 7, nil)
		r.Notify(probe.PID(), "again")
		probe.ExpectMessage("again", soon)
		called := 0
		r.AfterFunc(func() { called++ })
		if called != 1 {
			t.Errorf("AfterFunc called %d times", called)
		}
	})
}

func TestProcessMayAskItself(t *testing.T) {
	bubble(t, func(t *testing.T, sys *actor.System, _ *actortest.Probe) {
		var r *actor.Request[int]
		pid := spawn(t, sys, &scripted{receive: func(self *actor.Self, msg any) error { return self.Reply(msg) }})
		tell(t, sys, pid, do(func(self *actor.Self) error { r = actor.SendRequest[int](t.Context(), self, pid, 7); return nil }))
		synctest.Wait()
		wantResponse(t, r, 7, nil)
	})
}

func TestRequestsOfAProcessKeepTheOrderOfItsMessagesBetweenNodes(t *testing.T) {
	cluster(t, func(t *testing.T, _ *network, a, b *place) {
		recorder := spawn(t, b.System, &scripted{receive: func(self *actor.Self, msg any) error {
			return self.Send(b.probe.PID(), msg)
		}})
		sender := spawn(t, a.System, &scripted{receive: func(self *actor.Self, _ any) error {
			for i := 0; i < 100; i += 2 {
				_ = self.Send(recorder, i)
				actor.SendRequest[any](t.Context(), self, recorder, i+1)
			}
			return nil
		}})
		tell(t, a.System, sender, "go")
		for i := range 100 {
			b.probe.ExpectMessage(i, soon)
		}
	})
}

func TestRequestToAFullMailboxWaitsNoLongerThanItsSenderLives(t *testing.T) {
	bubble(t, func(t *testing.T, sys *actor.System, _ *actortest.Probe) {
		release := make(chan struct{})
		defer close(release)
		full := spawn(t, sys, echo(), actor.Mailbox{Capacity: 1, Overflow: actor.OverflowBlock, Wait: time.Hour})
		tell(t, sys, full, stuck(release))
		synctest.Wait()
		tell(t, sys, full, 1)
		var r *actor.Request[int]
		sender := spawn(t, sys, &scripted{receive: func(self *actor.Self, _ any) error {
			r = actor.SendRequest[int](t.Context(), self, full, 2)
			return nil
		}})
		tell(t, sys, sender, "go")
		time.Sleep(time.Second)
		_ = sys.Exit(sender, errBoom)
		synctest.Wait()
		wantResponse(t, r, 0, context.Canceled)
	})
}

// A request that nobody waits for takes no goroutine while it is under way, and
// nothing at all afterwards, however it has ended.
func TestRequestsLeaveNothingBehind(t *testing.T) {
	sys := actortest.NewSystem(t)
	var kept []actor.From
	pid := spawn(t, sys, &scripted{receive: func(self *actor.Self, msg any) error {
		if msg == "answer" {
			for i, from := range kept {
				if i%2 == 0 {
					from.Reply(1)
				}
			}
			kept = nil
			return self.Reply(1)
		}
		self.Context()
		kept = append(kept, self.From())
		return nil
	}})
	ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
	defer cancel()
	asker := spawn(t, sys, &scripted{})
	round := func(n int) (goroutines, heap int) {
		requests := make([]*actor.Request[int], n)
		perform(t, sys, asker, func(self *actor.Self) {
			for i := range requests {
				requests[i] = actor.SendRequest[int](ctx, self, pid, "keep")
			}
		})
		goroutines = runtime.NumGoroutine()
		if _, err := actor.Call[int](ctx, sys, pid, "answer"); err != nil {
			t.Fatal(err)
		}
		for i, r := range requests {
			if i%2 == 1 {
				r.Abandon()
			}
			<-r.Done()
		}
		requests = nil
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return goroutines, int(m.HeapAlloc)
	}
	_, before := round(1000)
	for range 4 {
		round(5000)
	}
	goroutines, after := round(1000)
	if goroutines > 100 {
		t.Errorf("%d goroutines for 1000 requests", goroutines)
	}
	if grown := after - before; grown > 2<<20 {
		t.Errorf("%d bytes are left of 22,000 requests", grown)
	}
}

// Replies come while senders still wait for room: none goes to another request.
func TestRequestsToASmallMailboxHaveTheirOwnReplies(t *testing.T) {
	sys := actortest.NewSystem(t)
	pid := spawn(t, sys, echo(), actor.Mailbox{Capacity: 2, Overflow: actor.OverflowBlock, Wait: time.Minute})
	const senders, each = 4, 500
	failed := make(chan error, senders)
	for s := range senders {
		go func() {
			for i := range each {
				want := s*each + i
				if got, err := actor.SendRequest[int](t.Context(), sys, pid, want).Wait(t.Context()); got != want || err != nil {
					failed <- fmt.Errorf("reply %d, %w; want %d", got, err, want)
					return
				}
			}
			failed <- nil
		}()
	}
	for range senders {
		if err := <-failed; err != nil {
			t.Error(err)
		}
	}
}

func TestErrorSaysWhetherARequestWasHandled(t *testing.T) {
	cluster(t, func(t *testing.T, _ *network, a, b *place) {
		gone := spawn(t, b.System, &scripted{})
		tell(t, b.System, gone, errBoom)
		spawnCallee := func(on *actor.System) actor.PID {
			return spawn(t, on, &scripted{receive: func(self *actor.Self, msg any) error {
				if msg == "end" {
					return actor.ErrNoProc
				}
				return self.ReplyError(msg.(answer).err)
			}})
		}
		full := spawn(t, b.System, &scripted{}, actor.Mailbox{Capacity: 1})
		release := make(chan struct{})
		defer close(release)
		tell(t, b.System, full, stuck(release))
		synctest.Wait()
		tell(t, b.System, full, 1)
		for _, c := range []struct {
			about     string
			to        actor.Address
			msg       any
			unhandled bool
		}{
			{"nobody", gone, "?", true},
			{"no room", full, "?", true},
			{"no such node", actor.NameAt{Name: "x", Node: "nowhere"}, "?", true},
			{"its own answer", spawnCallee(b.System), answer{actor.ErrNoProc}, false},
			{"its own answer, full", spawnCallee(b.System), answer{actor.ErrMailboxFull}, false},
			{"what it ended with", spawnCallee(b.System), "end", false},
		} {
			for _, from := range []*actor.System{a.System, b.System} {
				_, called := actor.Call[any](t.Context(), from, c.to, c.msg)
				_, requested := actor.SendRequest[any](t.Context(), from, c.to, c.msg).Wait(t.Context())
				if c.msg == "end" {
					c.to = spawnCallee(b.System) // for who comes next
					_, requested = actor.SendRequest[any](t.Context(), from, c.to, c.msg).Wait(t.Context())
					c.to = spawnCallee(b.System)
				}
				for _, err := range []error{called, requested} {
					if err == nil || actor.Unhandled(err) != c.unhandled {
						t.Errorf("%s: unhandled %v: %v", c.about, !c.unhandled, err)
					}
				}
			}
		}
	})
}

// answer asks a callee to answer with an error.
type answer struct{ err error }
