package actor_test

import (
	"context"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/actor/actortest"
)

func TestContextHasTheDeadlineAndTraceOfTheCallInHand(t *testing.T) {
	bubble(t, func(t *testing.T, sys *actor.System, _ *actortest.Probe) {
		deadline := time.Now().Add(time.Minute)
		for name, how := range map[string]func(*actor.Self){
			"at once":              func(*actor.Self) {},
			"when From is kept":    func(self *actor.Self) { self.From() },
			"when it was answered": func(self *actor.Self) { self.From().Reply(true) },
		} {
			pid := spawn(t, sys, &scripted{receive: func(self *actor.Self, msg any) error {
				how(self)
				ctx := self.Context()
				d, ok := ctx.Deadline()
				if msg == "limited" && (!ok || !d.Equal(deadline)) && name != "when it was answered" {
					t.Errorf("%s: deadline %v, %v", name, d, ok)
				}
				if msg == "default" && !d.Equal(time.Now().Add(actor.DefaultCallTimeout)) && name != "when it was answered" {
					t.Errorf("%s: default deadline %v", name, d)
				}
				if msg == "plain" && (ok || actor.TraceFrom(ctx) != nil) {
					t.Errorf("%s: a plain message has deadline %v, trace %q", name, d, actor.TraceFrom(ctx))
				}
				if trace := string(actor.TraceFrom(ctx)); msg != "plain" && trace != "00-abc" {
					t.Errorf("%s: trace %q", name, trace)
				}
				self.From().Reply(true)
				return nil
			}})
			traced := actor.ContextWithTrace(t.Context(), []byte("00-abc"))
			limited, cancel := context.WithDeadline(traced, deadline)
			defer cancel()
			_, _ = actor.Call[bool](limited, sys, pid, "limited")
			_, _ = actor.Call[bool](traced, sys, pid, "default")
			tell(t, sys, pid, "plain")
			_ = sys.Send(pid, "traced", actor.Traced([]byte("00-abc")))
			tell(t, sys, pid, "plain")
			synctest.Wait()
		}
	})
}

func TestContextOutlivesItsMessageAndEndsWithTheProcess(t *testing.T) {
	bubble(t, func(t *testing.T, sys *actor.System, probe *actortest.Probe) {
		var contexts []context.Context
		pid := spawn(t, sys, echo())
		keep := do(func(self *actor.Self) error { contexts = append(contexts, self.Context()); return nil })
		tell(t, sys, pid, keep)
		_ = sys.Send(pid, keep, actor.Traced([]byte("00-abc")))
		go func() { // a call that is kept
			_, _ = actor.Call[any](t.Context(), sys, pid, do(func(self *actor.Self) error {
				self.From()
				contexts = append(contexts, self.Context())
				return nil
			}))
		}()
		synctest.Wait()
		for i, c := range contexts {
			if c.Err() != nil {
				t.Errorf("context %d ended with the message: %v", i, c.Err())
			}
		}
		probe.Monitor(pid)
		tell(t, sys, pid, errBoom)
		probe.ExpectDown(pid, errBoom, soon)
		for i, c := range contexts {
			if context.Cause(c) != errBoom {
				t.Errorf("context %d: cause %v", i, context.Cause(c))
			}
		}
		if len(contexts) != 3 {
			t.Errorf("%d contexts", len(contexts))
		}
	})
}

func TestContextOfACallEndsWhenItIsAnsweredAndHandled(t *testing.T) {
	bubble(t, func(t *testing.T, sys *actor.System, _ *actortest.Probe) {
		var ctx context.Context
		var from actor.From
		alive := func(when string) {
			t.Helper()
			if ctx.Err() != nil {
				t.Errorf("%s: %v", when, ctx.Err())
			}
		}
		ended := func(when string) {
			t.Helper()
			synctest.Wait()
			if ctx.Err() != context.Canceled {
				t.Errorf("%s: %v", when, ctx.Err())
			}
		}
		pid := spawn(t, sys, echo())
		request := func(handler func(self *actor.Self)) <-chan error {
			done := make(chan error, 1)
			go func() {
				_, err := actor.Call[any](t.Context(), sys, pid, do(func(self *actor.Self) error { handler(self); return nil }))
				done <- err
			}()
			return done
		}
		<-request(func(self *actor.Self) {
			ctx = self.Context()
			if self.Context() != ctx {
				t.Error("the same message has two contexts")
			}
			_ = self.Reply(1)
			alive("answered in the handler")
			if self.Context() != ctx {
				t.Error("another context after the answer")
			}
		})
		ended("handler returned")
		<-request(func(self *actor.Self) { ctx = self.Context() })
		ended("not answered")
		done := request(func(self *actor.Self) { ctx, from = self.Context(), self.From() })
		synctest.Wait()
		alive("kept")
		from.Reply(1)
		ended("kept and answered")
		<-done
		<-request(func(self *actor.Self) {
			ctx, from = self.Context(), self.From()
			from.Reply(1)
			alive("kept and answered in the handler")
		})
		ended("handler returned")
		<-request(func(self *actor.Self) {
			from = self.From()
			from.Reply(1)
			ctx = self.Context()
			alive("asked for after the answer")
		})
		ended("handler returned")
		<-request(func(self *actor.Self) { ctx, from = self.Context(), self.From() }) // times out
		if synctest.Wait(); ctx.Err() == nil {
			t.Error("the caller has given up")
		}
	})
}

func TestContextOfAStashedCallIsTheSameAgain(t *testing.T) {
	bubble(t, func(t *testing.T, sys *actor.System, _ *actortest.Probe) {
		var first, second context.Context
		pid := spawn(t, sys, &scripted{receive: func(self *actor.Self, msg any) error {
			switch {
			case msg == "open":
				self.UnstashAll()
			case first == nil:
				first = self.Context()
				return self.Stash(msg)
			default:
				if second = self.Context(); first.Err() != nil {
					t.Errorf("it ended while the call was stashed: %v", first.Err())
				}
				return self.Reply(1)
			}
			return nil
		}})
		time.AfterFunc(time.Second, func() { _ = sys.Send(pid, "open") })
		if _, err := actor.Call[int](t.Context(), sys, pid, 1); err != nil {
			t.Error(err)
		}
		if synctest.Wait(); first != second || first.Err() != context.Canceled {
			t.Errorf("the same: %v; %v", first == second, first.Err())
		}
	})
}

// What a context takes is given back with its call, not at its deadline.
func TestContextsOfCallsDoNotPileUp(t *testing.T) {
	sys := actortest.NewSystem(t)
	pid := spawn(t, sys, &scripted{receive: func(self *actor.Self, _ any) error {
		if self.Context().Err() != nil {
			t.Error("it has ended before the call was answered")
		}
		return self.Reply(1)
	}})
	ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
	defer cancel()
	ask := func(n int) int {
		for range n {
			if _, err := actor.Call[int](ctx, sys, pid, 1); err != nil {
				t.Fatal(err)
			}
		}
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return int(m.HeapAlloc)
	}
	before := ask(1000)
	if grown := ask(50_000) - before; grown > 2<<20 { // a context with a timer has about 400 bytes
		t.Errorf("%d bytes are left of 50,000 calls", grown)
	}
}

func TestContextOfACallEndsAtItsDeadline(t *testing.T) {
	bubble(t, func(t *testing.T, sys *actor.System, _ *actortest.Probe) {
		var ctx context.Context
		pid := spawn(t, sys, &scripted{receive: func(self *actor.Self, _ any) error {
			ctx = self.Context()
			<-ctx.Done()
			return nil
		}})
		ask := func(caller context.Context, want time.Duration) {
			began := time.Now()
			_, _ = actor.Call[any](caller, sys, pid, 1)
			synctest.Wait()
			if took := time.Since(began); ctx.Err() == nil || took != want {
				t.Errorf("%v after %v, want %v", ctx.Err(), took, want)
			}
		}
		ask(context.Background(), actor.DefaultCallTimeout)
		limited, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		ask(limited, time.Minute)
		if ctx.Err() != context.DeadlineExceeded {
			t.Error(ctx.Err())
		}
	})
}

func TestTraceFromAContextWithoutOneIsNil(t *testing.T) {
	if actor.TraceFrom(context.Background()) != nil || actor.TraceFrom(t.Context()) != nil {
		t.Error("a trace out of nothing")
	}
}
