package actor_test

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/actor/actortest"
)

func TestSpawnReturnsAfterInitAndInitRunsOnTheSpawnersGoroutine(t *testing.T) {
	sys := actortest.NewSystem(t)
	initialised := 0 // unguarded: the race detector proves that Init ran here
	pid := spawn(t, sys, &scripted{init: func(*actor.Self) error { initialised++; return nil }})
	if initialised != 1 || !sys.Alive(pid) {
		t.Errorf("initialised %d times, alive %v", initialised, sys.Alive(pid))
	}
}

func TestMailSentDuringInitIsHandledAfterIt(t *testing.T) {
	bubble(t, func(t *testing.T, sys *actor.System, probe *actortest.Probe) {
		var opened time.Time
		spawn(t, sys, &scripted{
			init: func(self *actor.Self) error {
				_ = self.Send(self.PID(), "early")
				time.Sleep(time.Second)
				opened = time.Now()
				return nil
			},
			receive: func(self *actor.Self, msg any) error {
				if time.Now().Before(opened) {
					t.Error("handled during Init")
				}
				return self.Send(probe.PID(), msg)
			},
		})
		probe.ExpectMessage("early", soon)
	})
}

// TestFailedInitReachesTheSpawnerAndLeavesNothing covers every way in which Init can fail, for every way of
// spawning: the spawner gets the reason and nothing is left of the process.
func TestFailedInitReachesTheSpawnerAndLeavesNothing(t *testing.T) {
	for name, c := range map[string]struct {
		fail func() error
		is   func(err error) bool
	}{
		"error":  {func() error { return errBoom }, func(err error) bool { return errors.Is(err, errBoom) }},
		"ignore": {func() error { return actor.ErrIgnore }, func(err error) bool { return errors.Is(err, actor.ErrIgnore) }},
		"normal": {func() error { return actor.ErrNormal }, func(err error) bool { return errors.Is(err, actor.ErrNormal) }},
		"panic": {func() error { panic(errBoom) }, func(err error) bool {
			var p *actor.PanicError
			return errors.As(err, &p) && p.Value == errBoom && errors.Is(err, errBoom)
		}},
		"panic with nil": {func() error { panic(nil) }, func(err error) bool { // nil is the point
			var p *runtime.PanicNilError
			return errors.As(err, &p)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, sys *actor.System, probe *actortest.Probe) {
				events := actortest.Observe(t, sys)
				terminated := false
				failing := &scripted{
					init: func(self *actor.Self) error {
						_ = self.Register("second")
						_, _ = self.Alias()
						self.SendAfter(time.Second, "tick")
						return c.fail()
					},
					terminate: func(*actor.Self, error) { terminated = true },
				}
				_, err := sys.Spawn(t.Context(), failing, actor.Name("first"))
				if !c.is(err) {
					t.Errorf("System.Spawn: %v", err)
				}
				probe.Do(func(self *actor.Self) error {
					for _, spawn := range []func(actor.Actor, ...actor.SpawnOption) (actor.PID, error){self.Spawn, self.SpawnLink} {
						if pid, err := spawn(failing, actor.Name("first")); !c.is(err) || !pid.IsZero() {
							t.Errorf("spawn = %v, %v", pid, err)
						}
					}
					if pid, ref, err := self.SpawnMonitor(failing); !c.is(err) || !pid.IsZero() || ref != (actor.MonitorRef{}) {
						t.Errorf("SpawnMonitor = %v, %v, %v", pid, ref, err)
					}
					return nil
				})
				probe.ExpectNothing(time.Minute) // no Exit, no Down, no tick
				if info, _ := sys.Info(probe.PID()); len(info.Links) != 0 || info.Monitors != 0 {
					t.Errorf("left: links %v, %d monitors", info.Links, info.Monitors)
				}
				for _, name := range []actor.Name{"first", "second"} {
					if pid, ok := sys.Whereis(name); ok {
						t.Errorf("%q is held by %v", name, pid)
					}
				}
				if n := sys.Stats().Processes; n != 1 || terminated || events.Len() != 0 {
					t.Errorf("%d processes, terminated %v, events %v", n, terminated, events.Drain())
				}
			})
		})
	}
}

func TestGoexitInInitEndsTheSpawnerAndLeavesNothing(t *testing.T) {
	bubble(t, func(t *testing.T, sys *actor.System, probe *actortest.Probe) {
		leaving := &scripted{init: func(*actor.Self) error { runtime.Goexit(); return nil }}
		spawner := spawn(t, sys, echo())
		probe.Monitor(spawner)
		tell(t, sys, spawner, do(func(self *actor.Self) error {
			_, err := self.SpawnLink(leaving, actor.Name("x"))
			return err
		}))
		probe.ExpectDown(spawner, actor.ErrGoexit, soon)
		done := make(chan struct{})
		go func() {
			defer close(done)
			_, _ = sys.Spawn(context.Background(), leaving, actor.Name("x"))
			t.Error("Spawn returned")
		}()
		<-done
		synctest.Wait()
		if _, ok := sys.Whereis("x"); ok || sys.Stats().Processes != 1 {
			t.Errorf("something is left: %+v", sys.Trees())
		}
	})
}

func TestSpawnRefusesWhatCannotBe(t *testing.T) {
	sys := actortest.NewSystem(t)
	for name, c := range map[string]struct {
		a    actor.Actor
		opts []actor.SpawnOption
		want string
	}{
		"nil":            {nil, nil, "nil actor"},
		"mailbox":        {echo(), []actor.SpawnOption{actor.Mailbox{Capacity: -1}}, "capacity -1"},
		"overflow":       {echo(), []actor.SpawnOption{actor.Mailbox{Capacity: 1, Overflow: 9}}, "Overflow(9)"},
		"wait":           {echo(), []actor.SpawnOption{actor.Mailbox{Capacity: 1, Wait: -1}}, "wait -1ns"},
		"stash":          {echo(), []actor.SpawnOption{actor.StashLimit(0)}, "stash limit 0"},
		"both":           {echo(), []actor.SpawnOption{actor.StashLimit(-1), actor.Mailbox{Capacity: -1}}, "stash limit -1 is not positive\nactor: invalid mailbox"},
		"empty name":     {echo(), []actor.SpawnOption{actor.Name("")}, "invalid name"},
		"no cluster":     {echo(), []actor.SpawnOption{actor.ClusterName("c")}, "not part of a cluster"},
		"name twice":     {echo(), []actor.SpawnOption{actor.Name("n"), actor.Name("n")}, "already registered"},
		"empty cluster":  {echo(), []actor.SpawnOption{actor.ClusterName("")}, "invalid name"},
		"after a name":   {echo(), []actor.SpawnOption{actor.Name("n"), actor.ClusterName("c")}, "not part of a cluster"},
		"name after all": {echo(), []actor.SpawnOption{actor.Name("n"), actor.Name("")}, "invalid name"},
	} {
		if _, err := sys.Spawn(t.Context(), c.a, c.opts...); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
	if _, ok := sys.Whereis("n"); ok || sys.Stats().Processes != 0 {
		t.Error("a refused spawn left something")
	}
}

func TestEndOfTheSpawnersContextEndsInit(t *testing.T) {
	bubble(t, func(t *testing.T, sys *actor.System, probe *actortest.Probe) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		var reason error
		began := time.Now()
		_, err := sys.Spawn(ctx, &scripted{
			init: func(self *actor.Self) error {
				<-self.Context().Done()
				// It also frees an Init that waits in a call.
				_, err := actor.Call[any](context.Background(), self, probe.PID(), "never answered")
				if !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("call in Init: %v", err)
				}
				return nil // a mistake: but the process must not live on
			},
			terminate: func(_ *actor.Self, r error) { reason = r },
		}, actor.Name("late"))
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != time.Second {
			t.Errorf("Spawn = %v after %v", err, time.Since(began))
		}
		if !errors.Is(reason, context.DeadlineExceeded) {
			t.Errorf("Terminate(%v)", reason)
		}
		if _, ok := sys.Whereis("late"); ok {
			t.Error("it is still there")
		}
		if _, err := sys.Spawn(ctx, echo()); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Spawn with a finished context: %v", err)
		}
	})
}

func TestSpawnersContextDoesNotMatterAfterSpawn(t *testing.T) {
	bubble(t, func(t *testing.T, sys *actor.System, probe *actortest.Probe) {
		ctx, cancel := context.WithCancel(t.Context())
		var life context.Context
		pid, err := sys.Spawn(ctx, &scripted{init: func(self *actor.Self) error { life = self.Context(); return nil }})
		if err != nil {
			t.Fatal(err)
		}
		cancel()
		synctest.Wait()
		if life.Err() != nil || !sys.Alive(pid) {
			t.Errorf("context: %v, alive: %v", life.Err(), sys.Alive(pid))
		}
		probe.Monitor(pid)
		tell(t, sys, pid, errBoom)
		probe.ExpectDown(pid, errBoom, soon)
		if context.Cause(life) != errBoom {
			t.Errorf("cause at the end: %v", context.Cause(life))
		}
	})
}

func TestExitSignalDuringInitFailsTheSpawnWithoutASignalToTheParent(t *testing.T) {
	bubble(t, func(t *testing.T, sys *actor.System, probe *actortest.Probe) {
		terminated := make(chan error, 1)
		probe.Do(func(self *actor.Self) error {
			_, err := self.SpawnLink(&scripted{
				init:      func(child *actor.Self) error { return child.Exit(child.PID(), errBoom) },
				terminate: func(_ *actor.Self, reason error) { terminated <- reason },
			})
			if err != errBoom {
				t.Errorf("SpawnLink: %v", err)
			}
			_, err = self.SpawnLink(&scripted{init: func(child *actor.Self) error { return child.Exit(child.PID(), actor.ErrKilled) }})
			if err != actor.ErrKilled {
				t.Errorf("SpawnLink of a killed one: %v", err)
			}
			return nil
		})
		if reason := <-terminated; reason != errBoom {
			t.Errorf("Terminate(%v)", reason)
		}
		probe.ExpectNothing(time.Minute)
	})
}

func TestSpawnMonitorStandsBeforeTheFirstMessage(t *testing.T) {
	sys := actortest.NewSystem(t)
	probe := actortest.NewProbe(t, sys)
	for range 2000 {
		var pid actor.PID
		probe.Do(func(self *actor.Self) error {
			var err error
			pid, _, err = self.SpawnMonitor(&scripted{init: func(self *actor.Self) error { return self.Send(self.PID(), errBoom) }})
			return err
		})
		probe.ExpectDown(pid, errBoom, soon) // never ErrNoProc
	}
}

func TestStartFuncSpawnsALinkedChild(t *testing.T) {
	bubble(t, func(t *testing.T, sys *actor.System, probe *actortest.Probe) {
		start := actor.Start(echo, actor.Name("child"))
		with := actor.StartWith(func(args ...any) actor.Actor {
			return actor.Func(func(self *actor.Self, _ any) error { return self.Reply(args[0]) })
		})
		var one, two actor.PID
		probe.Do(func(self *actor.Self) error {
			one, _ = start(self)
			two, _ = with(self, "argument")
			return nil
		})
		if pid, ok := sys.Whereis("child"); !ok || pid != one {
			t.Errorf("child = %v", pid)
		}
		if got, err := actor.Call[string](t.Context(), sys, two, 0); got != "argument" || err != nil {
			t.Errorf("Call = %v, %v", got, err)
		}
		tell(t, sys, one, errBoom)
		probe.ExpectExit(one, errBoom, soon)
	})
}
