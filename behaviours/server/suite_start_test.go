package server_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/behaviours/server"
)

func TestStart(t *testing.T) {
	bubble(t, func(f *fixture) {
		// Anonymous.
		pid := f.spawn(&suite{})
		f.wantOK(pid)
		if got, err := f.ask(pid, stopWith{actor.ErrNormal}); got != "ok" || err != nil {
			f.Errorf("stop: %q, %v", got, err)
		}
		synctest.Wait()
		_, err := f.ask(pid, startedP{})
		f.wantFailed("call of a stopped server", err, actor.ErrNoProc)

		// Anonymous with timeout.
		ctx, cancel := context.WithTimeout(f.Context(), time.Second)
		defer cancel()
		_, err = f.sys.Spawn(ctx, server.New(&suite{slow: time.Minute}))
		f.wantFailed("start that takes too long", err, context.DeadlineExceeded)

		// Ignore and stop.
		_, err = f.sys.Spawn(f.Context(), server.New(&suite{refused: actor.ErrIgnore}))
		f.wantFailed("start that is ignored", err, actor.ErrIgnore)
		_, err = f.sys.Spawn(f.Context(), server.New(&suite{refused: errOther}))
		f.wantFailed("start that stops", err, errOther)

		// Linked.
		pid = f.probe.SpawnLink(server.New(&suite{}))
		f.wantOK(pid)
		_, _ = f.ask(pid, stopWith{errOther})
		f.probe.ExpectExit(pid, errOther, soon)

		// Monitored, under a local name.
		pid = f.spawn(&suite{}, actor.Name("my_test_name"))
		f.wantOK(actor.Name("my_test_name"))
		_, err = f.sys.Spawn(f.Context(), server.New(&suite{}), actor.Name("my_test_name"))
		f.wantFailed("start under a name that is taken", err, actor.ErrNameTaken)
		f.probe.Monitor(pid)
		_, _ = f.ask(actor.Name("my_test_name"), stopWith{errOther})
		f.probe.ExpectDown(pid, errOther, soon)
		_, err = f.ask(actor.Name("my_test_name"), startedP{})
		f.wantFailed("call of a free name", err, actor.ErrNoProc)
		f.probe.ExpectNothing(soon)
	})
}

// A start that comes to nothing leaves no name behind.
func TestOtp7669(t *testing.T) {
	bubble(t, func(f *fixture) {
		for _, refused := range []error{actor.ErrIgnore, errOther} {
			for range 3 {
				_, err := f.sys.Spawn(f.Context(), server.New(&suite{refused: refused}), actor.Name("otp_7669"))
				f.wantFailed("start", err, refused)
				if pid, ok := f.sys.Whereis("otp_7669"); ok {
					f.Fatalf("the name is held by %v", pid)
				}
			}
		}
	})
}

func TestStop1(t *testing.T) { // anonymous, normal
	bubble(t, func(f *fixture) {
		pid := f.spawn(&suite{})
		if err := server.Stop(f.Context(), f.sys, pid, nil); err != nil {
			f.Error(err)
		}
		if f.sys.Alive(pid) {
			f.Error("it is alive")
		}
		f.wantFailed("another stop", server.Stop(f.Context(), f.sys, pid, nil), actor.ErrNoProc)
	})
}

func TestStop2(t *testing.T) { // another reason
	bubble(t, func(f *fixture) {
		var ended error
		pid := f.spawn(&suite{ended: func(reason error) { ended = reason }})
		f.probe.Monitor(pid)
		if err := server.Stop(f.Context(), f.sys, pid, errOther); err != nil {
			f.Error(err)
		}
		f.wantFailed("terminate", ended, errOther)
		f.probe.ExpectDown(pid, errOther, soon)
	})
}

func TestStop3(t *testing.T) { // a timeout that makes no sense
	bubble(t, func(f *fixture) {
		pid := f.spawn(&suite{})
		ctx, cancel := context.WithTimeout(f.Context(), -time.Second)
		defer cancel()
		f.wantFailed("stop", server.Stop(ctx, f.sys, pid, errOther), actor.ErrTimeout)
		f.wantOK(pid)
	})
}

func TestStop4(t *testing.T) { // a name
	bubble(t, func(f *fixture) {
		f.spawn(&suite{}, actor.Name("to_stop"))
		if err := server.Stop(f.Context(), f.sys, actor.Name("to_stop"), nil); err != nil {
			f.Error(err)
		}
		if _, ok := f.sys.Whereis("to_stop"); ok {
			f.Error("the name is held")
		}
		f.wantFailed("another stop", server.Stop(f.Context(), f.sys, actor.Name("to_stop"), nil), actor.ErrNoProc)
	})
}

func TestStop5(t *testing.T) { // a name at the own node
	bubble(t, func(f *fixture) {
		f.spawn(&suite{}, actor.Name("to_stop"))
		at := actor.NameAt{Name: "to_stop", Node: f.sys.Node().Name}
		if err := server.Stop(f.Context(), f.sys, at, nil); err != nil {
			f.Error(err)
		}
		f.wantFailed("another stop", server.Stop(f.Context(), f.sys, at, nil), actor.ErrNoProc)
	})
}

func TestCrash(t *testing.T) {
	bubble(t, func(f *fixture) {
		for _, c := range []struct {
			req  any
			want error
		}{
			{failWith{actor.ErrShutdown}, actor.ErrShutdown},
			{failWith{errBoom}, errBoom},
		} {
			pid := f.probe.SpawnLink(server.New(&suite{}))
			_, err := f.ask(pid, c.req)
			f.wantFailed("call", err, c.want)
			f.probe.ExpectExit(pid, c.want, soon)
		}
		pid := f.probe.SpawnLink(server.New(&suite{}))
		_, err := f.ask(pid, crashNow{})
		var panicked *actor.PanicError
		if !asPanic(err, &panicked) || panicked.Value != "crashed" {
			f.Errorf("call of a server that panics: %v", err)
		}
		f.probe.ExpectExit(pid, panicked, soon)
	})
}

// With {stop, Reason, Reply, State} the reply comes when terminate has run.
func TestStopWithReplyAnswersAfterTerminate(t *testing.T) {
	bubble(t, func(f *fixture) {
		terminated := false
		pid := f.spawn(&suite{ended: func(error) {
			time.Sleep(time.Second)
			terminated = true
		}})
		f.probe.Monitor(pid)
		if got, err := f.ask(pid, stopWith{errBoom}); got != "ok" || err != nil || !terminated {
			f.Errorf("answer %q, %v; terminated: %v", got, err, terminated)
		}
		f.probe.ExpectDown(pid, errBoom, soon)
	})
}

func TestStopWaitsForTerminateAndItsTurn(t *testing.T) {
	bubble(t, func(f *fixture) {
		began := time.Now()
		pid := f.spawn(&suite{ended: func(error) { time.Sleep(time.Hour) }})
		for range 10 {
			_ = f.sys.Send(pid, tell{f.probe.PID(), "before"})
		}
		if err := server.Stop(f.Context(), f.sys, pid, errBoom); err != nil {
			f.Error(err)
		}
		if took := time.Since(began); took != time.Hour {
			f.Errorf("took %v", took)
		}
		if got := f.probe.Len(); got != 10 {
			f.Errorf("%d messages were handled before the order, want 10", got)
		}
	})
}

func TestStopOfWhatIsNoServerSaysSo(t *testing.T) {
	bubble(t, func(f *fixture) {
		pid, err := f.sys.Spawn(f.Context(), actor.Func(func(self *actor.Self, _ any) error { return self.Reply("what?") }))
		if err != nil {
			f.Fatal(err)
		}
		f.wantFailed("stop", server.Stop(f.Context(), f.sys, pid, nil), server.ErrNotStopped)
	})
}

func TestStopReportsAnotherReason(t *testing.T) {
	bubble(t, func(f *fixture) {
		pid := f.spawn(&suite{ended: func(error) { panic(errBoom) }})
		f.wantFailed("stop", server.Stop(f.Context(), f.sys, pid, nil), errBoom)
	})
}
