package server_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/actor/actortest"
	"github.com/topos-go/topos/behaviours/server"
)

func asPanic(err error, panicked **actor.PanicError) bool { return errors.As(err, panicked) }

func TestCall(t *testing.T) {
	bubble(t, func(f *fixture) {
		pid := f.spawn(&suite{}, actor.Name("my_test_name"))
		name := actor.Name("my_test_name")
		f.wantOK(name)
		if got, err := f.ask(name, delayedAnswer{time.Second}); got != "delayed" || err != nil {
			f.Errorf("delayed answer: %q, %v", got, err)
		}
		// Two requests within a time, and one that comes too late.
		for _, c := range []struct {
			pause time.Duration
			want  bool
		}{{500 * time.Millisecond, true}, {1500 * time.Millisecond, false}} {
			_, _ = f.ask(pid, callWithin{time.Second})
			time.Sleep(c.pause)
			if got, err := actor.Call[bool](f.Context(), f.sys, pid, nextCall{}); got != c.want || err != nil {
				f.Errorf("next call after %v: %v, %v; want %v", c.pause, got, err, c.want)
			}
		}
		ctx, cancel := context.WithTimeout(f.Context(), time.Second)
		defer cancel()
		_, err := actor.Call[string](ctx, f.sys, pid, delayedAnswer{time.Minute})
		f.wantFailed("call with a timeout", err, actor.ErrTimeout)
		_, err = f.ask(pid, "nothing it knows")
		f.wantFailed("call without an answer", err, actor.ErrNoReply)
		time.Sleep(time.Hour) // the late answer goes nowhere
		f.wantOK(pid)
	})
}

func TestCast(t *testing.T) {
	bubble(t, func(f *fixture) {
		pid := f.spawn(&suite{})
		for i := range 3 {
			if err := f.probe.Send(pid, tell{f.probe.PID(), i}); err != nil {
				f.Fatal(err)
			}
		}
		for i := range 3 {
			f.probe.ExpectMessage(i, soon)
		}
		f.probe.Monitor(pid)
		_ = f.probe.Send(pid, stopWith{errOther})
		f.probe.ExpectDown(pid, errOther, soon)
	})
}

func TestInfo(t *testing.T) {
	bubble(t, func(f *fixture) {
		s := &informed{}
		s.init = func(self *actor.Self) (server.Next, error) {
			self.TrapExit(true)
			self.MonitorNode(actor.NodeID{Name: "elsewhere"})
			self.SetReceiveTimeout(time.Second)
			return server.Next{}, nil
		}
		s.info = func(self *actor.Self, msg any) (server.Next, error) {
			if e, ok := msg.(actor.Exit); ok && e.Reason == errOther {
				return server.Next{}, e.Reason
			}
			return server.Next{}, self.Send(f.probe.PID(), msg)
		}
		pid := f.spawn(s)
		if down := next[actor.NodeDown](f); down.Node.Name != "elsewhere" {
			f.Errorf("NodeDown = %+v", down)
		}
		_ = f.probe.Exit(pid, errBoom)
		if exit := next[actor.Exit](f); exit.Reason != errBoom {
			f.Errorf("Exit = %+v", exit)
		}
		next[actor.ReceiveTimeout](f)
		f.probe.Monitor(pid)
		_ = f.probe.Exit(pid, errOther)
		f.probe.ExpectDown(pid, errOther, soon)
	})
}

func TestContinue(t *testing.T) {
	bubble(t, func(f *fixture) {
		probe := f.probe.PID()
		s := &informed{}
		s.init = func(*actor.Self) (server.Next, error) { return server.Next{Continue: "from init"}, nil }
		s.call = func(self *actor.Self, req any) (server.Next, error) {
			return server.Next{Continue: req}, self.Reply("ok")
		}
		s.cast = func(_ *actor.Self, msg any) (server.Next, error) { return server.Next{Continue: msg}, nil }
		s.info = func(_ *actor.Self, _ any) (server.Next, error) { return server.Next{Continue: "from info"}, nil }
		s.continu = func(self *actor.Self, arg any) (server.Next, error) {
			_ = self.Send(probe, arg)
			switch arg {
			case "twice":
				return server.Next{Continue: "again"}, nil
			case "stop":
				return server.Next{}, actor.ErrNormal
			}
			return server.Next{}, nil
		}
		pid := f.spawn(s)
		f.probe.ExpectMessage("from init", soon)
		_, _ = f.ask(pid, "from call")
		f.probe.ExpectMessage("from call", soon)
		_ = f.sys.Send(pid, "twice")
		f.probe.ExpectMessage("twice", soon)
		f.probe.ExpectMessage("again", soon)
		f.probe.Monitor(pid)
		_ = f.sys.Send(pid, "stop")
		f.probe.ExpectMessage("stop", soon)
		f.probe.ExpectDown(pid, actor.ErrNormal, soon)
	})
}

// next returns the next thing the probe records.
func next[T any](f *fixture) T {
	f.Helper()
	return actortest.Expect[T](f.probe, soon)
}

func TestCallWithHugeMessageQueue(t *testing.T) {
	bubble(t, func(f *fixture) {
		pid := f.spawn(&suite{})
		f.probe.Do(func(self *actor.Self) error {
			for i := range 50_000 {
				_ = self.Send(self.PID(), i)
			}
			// Its own queue does not delay a reply.
			if got, err := actor.Call[string](self.Context(), self, pid, startedP{}); got != "ok" || err != nil {
				f.Errorf("call: %q, %v", got, err)
			}
			return nil
		})
	})
}

// In a callback that the server does not have.

func TestUndefHandleInfo(t *testing.T) {
	bubble(t, func(f *fixture) {
		pid := f.spawn(&stack{})
		f.probe.Do(func(self *actor.Self) error { return self.Link(pid) })
		s := f.spawn(&script{
			init: func(self *actor.Self) (server.Next, error) {
				self.Monitor(pid)
				return server.Next{}, nil
			},
			call: func(self *actor.Self, _ any) (server.Next, error) { return server.Next{}, self.Reply("ok") },
		})
		_ = server.Stop(f.Context(), f.sys, pid, nil)
		f.wantOK(s)
	})
}

func TestUndefHandleContinue(t *testing.T) {
	bubble(t, func(f *fixture) {
		_, err := f.sys.Spawn(f.Context(), server.New(&script{
			init: func(*actor.Self) (server.Next, error) { return server.Next{Continue: 1}, nil },
		}))
		f.wantFailed("start", err, server.ErrNoContinuer)
		pid := f.spawn(&script{
			cast: func(*actor.Self, any) (server.Next, error) { return server.Next{Continue: 1}, nil },
		})
		f.probe.Monitor(pid)
		_ = f.sys.Send(pid, "go on")
		f.probe.ExpectDown(pid, server.ErrNoContinuer, soon)
	})
}

func TestUndefTerminate1(t *testing.T) { // a server without Terminate
	bubble(t, func(f *fixture) {
		pid := f.spawn(&stack{})
		f.probe.Monitor(pid)
		if err := server.Stop(f.Context(), f.sys, pid, nil); err != nil {
			f.Error(err)
		}
		f.probe.ExpectDown(pid, actor.ErrNormal, soon)
	})
}

func TestUndefInHandleInfo(t *testing.T) { // it has one, which crashes
	bubble(t, func(f *fixture) {
		s := &informed{}
		s.init = func(self *actor.Self) (server.Next, error) {
			self.SetReceiveTimeout(time.Second)
			return server.Next{}, nil
		}
		pid := f.spawn(s) // s.info is nil
		f.probe.Monitor(pid)
		var panicked *actor.PanicError
		if down := next[actor.Down](f); !errors.As(down.Reason, &panicked) {
			f.Errorf("reason = %v", down.Reason)
		}
	})
}

func TestUndefInTerminate(t *testing.T) {
	bubble(t, func(f *fixture) {
		pid := f.spawn(&suite{ended: func(error) { var none func(); none() }})
		f.probe.Monitor(pid)
		_ = f.sys.Send(pid, stopWith{actor.ErrNormal})
		var panicked *actor.PanicError
		if down := next[actor.Down](f); !errors.As(down.Reason, &panicked) {
			f.Errorf("reason = %v", down.Reason)
		}
	})
}
