package actor_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/actor/actortest"
)

func TestKillOfAnIdleProcessIsImmediateAndSkipsTerminate(t *testing.T) {
	bubble(t, func(t *testing.T, sys *actor.System, probe *actortest.Probe) {
		pid := spawn(t, sys, &scripted{
			init:      func(self *actor.Self) error { self.TrapExit(true); return nil },
			terminate: func(*actor.Self, error) { t.Error("Terminate ran") },
		})
		probe.Monitor(pid)
		began := time.Now()
		_ = sys.Kill(pid)
		probe.ExpectDown(pid, actor.ErrKilled, soon)
		if d := time.Since(began); d != 0 {
			t.Errorf("took %v", d)
		}
	})
}

func TestKillOfARunningProcessWaitsForItsHandler(t *testing.T) {
	bubble(t, func(t *testing.T, sys *actor.System, probe *actortest.Probe) {
		handled := 0
		pid := spawn(t, sys, &scripted{
			receive: func(self *actor.Self, _ any) error {
				handled++
				<-self.Context().Done() // the kill reaches the handler through it
				if cause := context.Cause(self.Context()); cause != actor.ErrKilled {
					t.Errorf("cause: %v", cause)
				}
				time.Sleep(time.Second / 2)
				return errBoom // not the reason any more
			},
			terminate: func(*actor.Self, error) { t.Error("Terminate ran") },
		})
		probe.Monitor(pid)
		tell(t, sys, pid, 1)
		tell(t, sys, pid, 2)
		synctest.Wait()
		began := time.Now()
		_, _ = sys.Kill(pid), sys.Kill(pid)
		probe.ExpectDown(pid, actor.ErrKilled, soon)
		if d := time.Since(began); d != time.Second/2 || handled != 1 {
			t.Errorf("took %v, handled %d", d, handled)
		}
		probe.ExpectNothing(time.Minute)
	})
}

func TestReplyOfAKilledHandlerIsDropped(t *testing.T) {
	bubble(t, func(t *testing.T, sys *actor.System, _ *actortest.Probe) {
		pid := spawn(t, sys, &scripted{receive: func(self *actor.Self, _ any) error {
			_ = self.Exit(self.PID(), actor.ErrKilled)
			_ = self.ReplyError(errBoom)
			return self.Reply("alive?")
		}})
		if got, err := actor.Call[string](t.Context(), sys, pid, 1); !errors.Is(err, actor.ErrKilled) {
			t.Errorf("Call = %q, %v", got, err)
		}
	})
}

func TestKillInInit(t *testing.T) {
	for name, stay := range map[string]time.Duration{"within the grace": time.Second / 2, "beyond it": time.Minute} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, sys *actor.System, probe *actortest.Probe) {
				want := actor.ErrKilled
				if stay > actor.DefaultKillGrace {
					want = actor.ErrZombie
				}
				watcher := actortest.NewProbe(t, sys)
				probe.Do(func(self *actor.Self) error {
					_, err := self.SpawnLink(&scripted{init: func(child *actor.Self) error {
						go watcher.Monitor(child.PID())
						_ = sys.Kill(child.PID())
						time.Sleep(stay)
						return nil
					}}, actor.Name("stuck"))
					if err != want {
						t.Errorf("SpawnLink: %v", err)
					}
					return nil
				})
				if down := actortest.Expect[actor.Down](watcher, soon); down.Reason != want {
					t.Errorf("Down: %v", down.Reason)
				}
				probe.ExpectNothing(time.Minute) // the error was enough
				if n := sys.Stats(); n.Zombies != 0 || n.Processes != 2 {
					t.Errorf("%+v", n)
				}
			})
		})
	}
}

func TestSpawnerStuckInAnInitIsAZombieToo(t *testing.T) {
	bubble(t, func(t *testing.T, sys *actor.System, probe *actortest.Probe) {
		release := make(chan struct{})
		parent := spawn(t, sys, echo())
		probe.Monitor(parent)
		tell(t, sys, parent, do(func(self *actor.Self) error {
			_, err := self.SpawnLink(&scripted{init: func(*actor.Self) error { <-release; return nil }}, actor.Name("child"))
			return err
		}))
		synctest.Wait()
		child, _ := sys.Whereis("child")
		probe.Monitor(child)
		_ = sys.Kill(parent)
		probe.ExpectDown(parent, actor.ErrZombie, soon)
		probe.ExpectDown(child, actor.ErrZombie, soon)
		if n := sys.Stats().Zombies; n != 2 {
			t.Errorf("%d zombies", n)
		}
		close(release)
		synctest.Wait()
		if n := sys.Stats(); n.Zombies != 0 || n.Processes != 1 {
			t.Errorf("%+v", n)
		}
	})
}

// TestKillInTerminate runs in a bubble.
func TestKillInTerminate(t *testing.T) {
	for name, c := range map[string]struct {
		terminate func(self *actor.Self)
		want      error
		after     time.Duration
	}{
		"that looks at its context": {func(self *actor.Self) { <-self.Context().Done() }, actor.ErrKilled, 0},
		"that does not":             {func(*actor.Self) { time.Sleep(time.Minute) }, actor.ErrZombie, actor.DefaultKillGrace},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, sys *actor.System, probe *actortest.Probe) {
				pid := spawn(t, sys, &scripted{terminate: func(self *actor.Self, reason error) {
					if reason != errBoom || self.Context().Err() != nil {
						t.Errorf("Terminate(%v), context %v", reason, self.Context().Err())
					}
					c.terminate(self)
				}}, actor.Name("x"))
				probe.Monitor(pid)
				tell(t, sys, pid, errBoom)
				probe.ExpectNothing(2 * time.Second)
				if _, ok := sys.Whereis("x"); !ok || !sys.Alive(pid) {
					t.Error("gone before Terminate ended")
				}
				_ = sys.Exit(pid, errOther) // too late to matter
				began := time.Now()
				_ = sys.Kill(pid)
				probe.ExpectDown(pid, c.want, soon)
				if d := time.Since(began); d != c.after {
					t.Errorf("after %v", d)
				}
				time.Sleep(time.Minute) // the zombie returns
			})
		})
	}
}

func TestZombieThatReturnsAtTheVeryEndOfItsGraceIsNotCountedForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sys := actortest.NewSystem(t)
		for range 300 {
			pid := spawn(t, sys, echo())
			tell(t, sys, pid, do(func(*actor.Self) error { time.Sleep(actor.DefaultKillGrace); return nil }))
			_ = sys.Kill(pid) // the grace and the handler end at the same instant
		}
		time.Sleep(time.Minute)
		if n := sys.Stats(); n.Zombies != 0 || n.Processes != 0 {
			t.Errorf("%+v", n)
		}
	})
}

func TestCloseNamesZombies(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sys, _ := actor.NewSystem(actor.Config{})
		release := make(chan struct{})
		pid := spawn(t, sys, echo())
		tell(t, sys, pid, stuck(release))
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		began := time.Now()
		err := sys.Close(ctx)
		if !errors.Is(err, actor.ErrClosed) || !strings.Contains(err.Error(), pid.String()) {
			t.Errorf("Close: %v", err)
		}
		if d := time.Since(began); d != time.Minute+actor.DefaultKillGrace {
			t.Errorf("Close took %v", d)
		}
		close(release)
		synctest.Wait()
		if err := sys.Close(t.Context()); err != nil {
			t.Errorf("second Close: %v", err)
		}
	})
}
