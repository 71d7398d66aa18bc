package actor_test

import (
	"context"
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
		var ctx, callCtx context.Context
		pid := spawn(t, sys, echo())
		perform(t, sys, pid, func(self *actor.Self) { callCtx = self.Context() })
		tell(t, sys, pid, do(func(self *actor.Self) error { ctx = self.Context(); return nil }))
		synctest.Wait()
		if ctx.Err() != nil || callCtx.Err() != nil {
			t.Errorf("ended with the message: %v, %v", ctx.Err(), callCtx.Err())
		}
		probe.Monitor(pid)
		tell(t, sys, pid, errBoom)
		probe.ExpectDown(pid, errBoom, soon)
		for _, c := range []context.Context{ctx, callCtx} {
			if context.Cause(c) != errBoom {
				t.Errorf("cause: %v", context.Cause(c))
			}
		}
	})
}

func TestContextOfACallEndsAtItsDeadline(t *testing.T) {
	bubble(t, func(t *testing.T, sys *actor.System, _ *actortest.Probe) {
		var ctx context.Context
		pid := spawn(t, sys, &scripted{receive: func(self *actor.Self, _ any) error {
			ctx = self.Context()
			<-ctx.Done()
			return nil
		}})
		began := time.Now()
		_, _ = actor.Call[any](context.Background(), sys, pid, 1)
		synctest.Wait()
		if ctx.Err() != context.DeadlineExceeded || time.Since(began) != actor.DefaultCallTimeout {
			t.Errorf("%v after %v", ctx.Err(), time.Since(began))
		}
	})
}

func TestTraceFromAContextWithoutOneIsNil(t *testing.T) {
	if actor.TraceFrom(context.Background()) != nil || actor.TraceFrom(t.Context()) != nil {
		t.Error("a trace out of nothing")
	}
}
