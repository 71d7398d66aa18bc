package statem_test

import (
	"context"
	"testing"
	"time"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/behaviours/statem"
)

func TestStart1(t *testing.T) { // anonymous, and monitored
	inBoth(t, func(f *fixture) {
		pid := f.spawn(f.make(line{}))
		f.wantWorks(pid)
		f.probe.Monitor(pid)
		f.wantStops(pid)
		f.probe.ExpectDown(pid, actor.ErrNormal, soon)
	})
}

func TestStart2(t *testing.T) { // with shutdown
	inBoth(t, func(f *fixture) {
		pid := f.spawn(f.make(line{}))
		f.wantWorks(pid)
		f.probe.Monitor(pid)
		f.want(pid, stopWith{actor.ErrShutdown}, "stopped")
		f.probe.ExpectDown(pid, actor.ErrShutdown, soon)
	})
}

func TestStart3(t *testing.T) { // with a timeout
	inBoth(t, func(f *fixture) {
		ctx, cancel := context.WithTimeout(f.Context(), time.Second)
		defer cancel()
		_, err := f.sys.Spawn(ctx, f.make(line{slow: time.Minute}))
		f.wantFailed("start", err, context.DeadlineExceeded)
	})
}

func TestStart4(t *testing.T) { // ignore
	inBoth(t, func(f *fixture) {
		_, err := f.sys.Spawn(f.Context(), f.make(line{refused: actor.ErrIgnore}), actor.Name("my_stm"))
		f.wantFailed("start", err, actor.ErrIgnore)
		if _, held := f.sys.Whereis("my_stm"); held {
			f.Error("the name is held")
		}
	})
}

func TestStart5(t *testing.T) { // stop
	inBoth(t, func(f *fixture) {
		_, err := f.sys.Spawn(f.Context(), f.make(line{refused: errBoom}))
		f.wantFailed("start", err, errBoom)
	})
}

func TestStart6(t *testing.T) { // linked
	inBoth(t, func(f *fixture) {
		pid := f.probe.SpawnLink(f.make(line{}))
		f.wantWorks(pid)
		f.wantStops(pid)
		f.probe.ExpectExit(pid, actor.ErrNormal, soon)
	})
}

func TestStart8(t *testing.T) { // a local name
	inBoth(t, func(f *fixture) {
		name := actor.Name("my_stm")
		pid := f.spawn(f.make(line{}), name)
		_, err := f.sys.Spawn(f.Context(), f.make(line{}), name)
		f.wantFailed("start under the same name", err, actor.ErrNameTaken)
		f.wantWorks(pid)
		f.wantWorks(name)
		f.wantStops(pid)
	})
}

func TestStart9(t *testing.T) { // a local name, linked
	inBoth(t, func(f *fixture) {
		name := actor.Name("my_stm")
		pid := f.probe.SpawnLink(f.make(line{}), name)
		f.wantWorks(name)
		f.wantStops(name)
		f.probe.ExpectExit(pid, actor.ErrNormal, soon)
	})
}

func TestStart11(t *testing.T) { // a name is free again
	inBoth(t, func(f *fixture) {
		name := actor.Name("my_stm")
		for range 3 {
			f.spawn(f.make(line{}), name)
			f.wantStops(name)
		}
	})
}

func TestStop1(t *testing.T) { // normal
	inBoth(t, func(f *fixture) {
		pid := f.spawn(f.make(line{}))
		if err := statem.Stop(f.Context(), f.sys, pid, nil); err != nil || f.sys.Alive(pid) {
			f.Errorf("stop: %v; alive: %v", err, f.sys.Alive(pid))
		}
		f.wantFailed("another stop", statem.Stop(f.Context(), f.sys, pid, nil), actor.ErrNoProc)
	})
}

func TestStop2(t *testing.T) { // another reason
	bubble(t, func(f *fixture) {
		var state string
		var ended error
		pid := f.spawn(statem.New[string](&handled{line{ended: func(s string, reason error) { state, ended = s, reason }}}))
		f.want(pid, connect{}, "accept")
		if err := statem.Stop(f.Context(), f.sys, pid, errOther); err != nil {
			f.Error(err)
		}
		if state != wforConf || ended != errOther {
			f.Errorf("terminated in %q with %v", state, ended)
		}
	})
}

func TestStop3(t *testing.T) { // a timeout that makes no sense
	inBoth(t, func(f *fixture) {
		pid := f.spawn(f.make(line{}))
		ctx, cancel := context.WithTimeout(f.Context(), -time.Second)
		defer cancel()
		f.wantFailed("stop", statem.Stop(ctx, f.sys, pid, errOther), actor.ErrTimeout)
		f.wantWorks(pid)
	})
}

func TestStop4(t *testing.T) { // a name
	inBoth(t, func(f *fixture) {
		name := actor.Name("to_stop")
		f.spawn(f.make(line{}), name)
		if err := statem.Stop(f.Context(), f.sys, name, nil); err != nil {
			f.Error(err)
		}
		f.wantFailed("another stop", statem.Stop(f.Context(), f.sys, name, nil), actor.ErrNoProc)
	})
}

func TestStop5(t *testing.T) { // a name at the own node
	inBoth(t, func(f *fixture) {
		name := actor.NameAt{Name: "to_stop", Node: f.sys.Node().Name}
		f.spawn(f.make(line{}), name.Name)
		if err := statem.Stop(f.Context(), f.sys, name, nil); err != nil {
			f.Error(err)
		}
		f.wantFailed("another stop", statem.Stop(f.Context(), f.sys, name, nil), actor.ErrNoProc)
	})
}

func TestAbnormal1(t *testing.T) { // a call that takes too long
	inBoth(t, func(f *fixture) {
		pid := f.spawn(f.make(line{}))
		f.want(pid, delayedAnswer{time.Second}, "delayed")
		ctx, cancel := context.WithTimeout(f.Context(), time.Second)
		defer cancel()
		_, err := actor.Call[any](ctx, f.sys, pid, delayedAnswer{time.Minute})
		f.wantFailed("call", err, actor.ErrTimeout)
		time.Sleep(time.Hour)
		f.wantWorks(pid)
	})
}

func TestAbnormal3(t *testing.T) { // an action that is not possible
	inBoth(t, func(f *fixture) {
		pid := f.spawn(f.make(line{}))
		f.probe.Monitor(pid)
		_, err := f.ask(pid, badAction{})
		f.wantFailed("call", err, statem.ErrInsert)
		f.probe.ExpectDown(pid, statem.ErrInsert, soon)
	})
}

func TestAbnormal4(t *testing.T) { // a timeout that is not possible
	bubble(t, func(f *fixture) {
		for _, set := range []func(*statem.Turn[int]){
			func(t *statem.Turn[int]) { t.Timeout(nil, time.Second, 1) },
			func(t *statem.Turn[int]) { t.UpdateTimeout(nil, 1) },
			func(t *statem.Turn[int]) { t.CancelTimeout(nil) },
		} {
			pid := f.spawn(statem.New[int](&script[int]{handle: func(t *statem.Turn[int], _ statem.Event) error {
				set(t)
				return nil
			}}))
			_, err := f.ask(pid, "set")
			f.wantFailed("call", err, statem.ErrInsert)
		}
	})
}

func TestShutdown(t *testing.T) {
	inBoth(t, func(f *fixture) {
		pid := f.probe.SpawnLink(f.make(line{}))
		f.wantWorks(pid)
		f.want(pid, stopWith{actor.ErrShutdown}, "stopped")
		f.probe.ExpectExit(pid, actor.ErrShutdown, soon)
		_, err := f.ask(pid, where{})
		f.wantFailed("call", err, actor.ErrNoProc)
		f.probe.ExpectNothing(soon)
	})
}
