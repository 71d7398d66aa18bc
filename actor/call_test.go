package actor_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/actor/actortest"
)

func TestCallReturnsTheReply(t *testing.T) {
	sys := actortest.NewSystem(t)
	probe := actortest.NewProbe(t, sys)
	pid := spawn(t, sys, echo(), actor.Name("echo"))
	for _, to := range []actor.Address{pid, actor.Name("echo"), actor.NameAt{Name: "echo", Node: sys.Node().Name}} {
		if n, err := actor.Call[int](t.Context(), sys, to, 42); n != 42 || err != nil {
			t.Errorf("from outside to %v: %v, %v", to, n, err)
		}
		if n, err := probe.Call(t.Context(), to, 42); n != 42 || err != nil {
			t.Errorf("from a process to %v: %v, %v", to, n, err)
		}
	}
}

func TestCallErrorsSayWhyTheCallFailed(t *testing.T) {
	bubble(t, func(t *testing.T, sys *actor.System, probe *actortest.Probe) {
		pid := spawn(t, sys, &scripted{receive: func(self *actor.Self, msg any) error {
			switch msg {
			case "silent":
				return nil
			case "error":
				return self.ReplyError(fmt.Errorf("no: %w", errBoom))
			case "end":
				return errBoom
			case "normal":
				return actor.ErrNormal
			}
			return self.Reply("text")
		}})
		dead := spawn(t, sys, echo())
		_ = sys.Kill(dead)
		synctest.Wait()
		expired, cancel := context.WithTimeout(t.Context(), -1)
		defer cancel()
		cancelled, cancel := context.WithCancel(t.Context())
		cancel()
		began := time.Now()
		for _, c := range []struct {
			ctx  context.Context
			to   actor.Address
			req  any
			want error
		}{
			{t.Context(), pid, nil, actor.ErrNilMessage},
			{t.Context(), actor.PID{}, 1, actor.ErrNoProc},
			{t.Context(), nil, 1, actor.ErrNoProc},
			{t.Context(), dead, 1, actor.ErrNoProc},
			{t.Context(), actor.Name("nobody"), 1, actor.ErrNoProc},
			{t.Context(), actor.ClusterName("nobody"), 1, actor.ErrNoProc},
			{t.Context(), actor.NameAt{Name: "x", Node: "y"}, 1, actor.ErrNoCluster},
			{t.Context(), actor.MakePID(elsewhere(), 1<<28), 1, actor.ErrNoCluster},
			{t.Context(), pid, "silent", actor.ErrNoReply},
			{t.Context(), pid, "error", errBoom},
			{t.Context(), pid, "wrong type", actor.ErrReplyType},
			{expired, pid, 1, actor.ErrTimeout},
			{expired, pid, 1, context.DeadlineExceeded},
			{cancelled, pid, 1, context.Canceled},
			{t.Context(), pid, "end", errBoom},
		} {
			n, err := actor.Call[int](c.ctx, sys, c.to, c.req)
			var call *actor.CallError
			if n != 0 || !errors.Is(err, c.want) || !errors.As(err, &call) || c.to != nil && call.To != c.to {
				t.Errorf("%v of %v = %v, %v, want %v", c.req, c.to, n, err, c.want)
			}
		}
		pid = spawn(t, sys, echo())
		if _, err := actor.Call[any](t.Context(), sys, pid, actor.ErrNormal); !errors.Is(err, actor.ErrNormal) {
			t.Errorf("callee ends normally: %v", err)
		}
		if d := time.Since(began); d != 0 {
			t.Errorf("failures took %v", d)
		}
		perform(t, sys, spawn(t, sys, echo(), actor.Name("me")), func(self *actor.Self) {
			alias, _ := self.Alias()
			for _, to := range []actor.Address{self.PID(), actor.Name("me"), alias} {
				if _, err := actor.Call[any](t.Context(), self, to, 1); !errors.Is(err, actor.ErrCallSelf) {
					t.Errorf("call of itself through %v: %v", to, err)
				}
			}
		})
	})
}

func TestNilReplyIsTheZeroValue(t *testing.T) {
	sys := actortest.NewSystem(t)
	pid := spawn(t, sys, &scripted{receive: func(self *actor.Self, _ any) error { return self.ReplyError(nil) }})
	if p, err := actor.Call[*int](t.Context(), sys, pid, 1); p != nil || err != nil {
		t.Errorf("%v, %v", p, err)
	}
	if s, err := actor.Call[string](t.Context(), sys, pid, 1); s != "" || err != nil {
		t.Errorf("%q, %v", s, err)
	}
}

func TestCallTimesOutAtItsDeadlineOrTheDefault(t *testing.T) {
	bubble(t, func(t *testing.T, sys *actor.System, probe *actortest.Probe) {
		limited, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		for ctx, want := range map[context.Context]time.Duration{
			context.Background(): actor.DefaultCallTimeout,
			t.Context():          actor.DefaultCallTimeout,
			limited:              time.Minute,
		} {
			if ctx == limited {
				limited, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				ctx = limited
			}
			began := time.Now()
			_, err := actor.Call[any](ctx, sys, probe.PID(), "slow")
			if !errors.Is(err, actor.ErrTimeout) || time.Since(began) != want {
				t.Errorf("%v after %v, want %v", err, time.Since(began), want)
			}
			late := actortest.Expect[actortest.Request](probe, soon)
			if late.From.Waiting() || late.From.Reply(1) {
				t.Error("the late reply was taken")
			}
		}
		ctx, stop := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, stop)
		if _, err := actor.Call[any](ctx, sys, probe.PID(), "cancelled"); !errors.Is(err, context.Canceled) {
			t.Errorf("cancelled: %v", err)
		}
	})
}

func TestRequestWhoseCallerGaveUpIsNotHandled(t *testing.T) {
	bubble(t, func(t *testing.T, sys *actor.System, _ *actortest.Probe) {
		handled := 0
		pid := spawn(t, sys, &scripted{receive: func(*actor.Self, any) error { handled++; return nil }})
		release := make(chan struct{})
		tell(t, sys, pid, stuck(release))
		_, err := actor.Call[any](t.Context(), sys, pid, "request")
		close(release)
		synctest.Wait()
		if !errors.Is(err, actor.ErrTimeout) || handled != 0 {
			t.Errorf("%v, handled %d", err, handled)
		}
	})
}

// TestEveryRequestFailsWithTheExitReasonWhenTheCalleeDies has requests in every state a request can be in.
func TestEveryRequestFailsWithTheExitReasonWhenTheCalleeDies(t *testing.T) {
	bubble(t, func(t *testing.T, sys *actor.System, probe *actortest.Probe) {
		release := make(chan struct{})
		var kept actor.From
		pid := spawn(t, sys, &scripted{receive: func(self *actor.Self, msg any) error {
			switch msg {
			case "keep":
				kept = self.From()
			case "stash":
				return self.Stash(msg)
			case "current":
				<-release
				return errBoom
			}
			return nil
		}})
		type result struct {
			req string
			err error
		}
		results := make(chan result)
		reqs := []string{"keep", "stash", "current", "queued", "queued"}
		for _, req := range reqs {
			go func() {
				_, err := actor.Call[any](context.Background(), sys, pid, req)
				results <- result{req, err}
			}()
			synctest.Wait()
		}
		if info, _ := sys.Info(pid); info.Calls != len(reqs) {
			t.Errorf("%d calls in custody", info.Calls)
		}
		began := time.Now()
		close(release)
		for range reqs {
			if r := <-results; !errors.Is(r.err, errBoom) {
				t.Errorf("%s: %v", r.req, r.err)
			}
		}
		if d := time.Since(began); d != 0 || kept.Reply(1) {
			t.Errorf("after %v", d)
		}
	})
}

func TestFirstReplyCounts(t *testing.T) {
	sys := actortest.NewSystem(t)
	pid := spawn(t, sys, &scripted{receive: func(self *actor.Self, _ any) error {
		from := self.From()
		if !from.Waiting() || !self.IsCall() {
			t.Error("nobody waits")
		}
		if !from.Reply("first") || from.Reply("second") || from.ReplyError(errBoom) || from.Waiting() || self.IsCall() {
			t.Error("not exactly the first reply was taken")
		}
		_ = self.Reply("third")
		return self.ReplyError(errBoom)
	}})
	for range 100 {
		if got, err := actor.Call[string](t.Context(), sys, pid, 1); got != "first" || err != nil {
			t.Fatalf("%q, %v", got, err)
		}
	}
}

func TestReplyToAPlainMessageDoesNothing(t *testing.T) {
	bubble(t, func(t *testing.T, sys *actor.System, probe *actortest.Probe) {
		pid := spawn(t, sys, &scripted{receive: func(self *actor.Self, _ any) error {
			from := self.From()
			_, _ = self.Reply(1), self.ReplyError(errBoom)
			return self.Send(probe.PID(), self.IsCall() || from.Waiting() || from.Reply(1) || from.ReplyError(nil))
		}})
		tell(t, sys, pid, "plain")
		probe.ExpectMessage(false, soon)
		if (actor.From{}).Reply(1) {
			t.Error("the zero From waits")
		}
	})
}

func TestFromMayBeAnsweredLaterFromAnyGoroutine(t *testing.T) {
	sys := actortest.NewSystem(t)
	pid := spawn(t, sys, &scripted{receive: func(self *actor.Self, msg any) error {
		from := self.From()
		for range 4 { // all at once: one of them counts
			go from.Reply(msg)
		}
		return nil
	}})
	for i := range 2000 {
		if n, err := actor.Call[int](t.Context(), sys, pid, i); n != i || err != nil {
			t.Fatalf("call %d: %v, %v", i, n, err)
		}
	}
}

func TestBlockedCallerCanBeKilled(t *testing.T) {
	bubble(t, func(t *testing.T, sys *actor.System, probe *actortest.Probe) {
		pid := spawn(t, sys, echo())
		probe.Monitor(pid)
		tell(t, sys, pid, do(func(self *actor.Self) error {
			_, err := actor.Call[any](context.Background(), self, probe.PID(), 1)
			if !errors.Is(err, actor.ErrKilled) {
				t.Errorf("Call: %v", err)
			}
			_, err = actor.Call[any](context.Background(), self, probe.PID(), 2)
			if !errors.Is(err, actor.ErrKilled) {
				t.Errorf("Call of the killed: %v", err)
			}
			return nil
		}))
		request := actortest.Expect[actortest.Request](probe, soon)
		began := time.Now()
		_ = sys.Kill(pid)
		probe.ExpectDown(pid, actor.ErrKilled, soon)
		if d := time.Since(began); d != 0 || request.From.Reply(1) {
			t.Errorf("after %v", d)
		}
	})
}

func TestReplyOvertakesTheCallersMail(t *testing.T) {
	bubble(t, func(t *testing.T, sys *actor.System, probe *actortest.Probe) {
		server := spawn(t, sys, echo())
		pid := spawn(t, sys, &scripted{receive: func(self *actor.Self, msg any) error { return self.Send(probe.PID(), msg) }},
			actor.Mailbox{Capacity: 1})
		tell(t, sys, pid, do(func(self *actor.Self) error {
			_ = self.Send(self.PID(), "in the full mailbox")
			n, err := actor.Call[int](t.Context(), self, server, 7)
			return self.Send(probe.PID(), fmt.Sprint(n, err))
		}))
		probe.ExpectMessage("7 <nil>", soon)
		probe.ExpectMessage("in the full mailbox", soon)
	})
}
