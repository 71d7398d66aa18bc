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

// TestStuckHandlerBecomesAZombieAfterTheGrace is the life of a zombie.
func TestStuckHandlerBecomesAZombieAfterTheGrace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sys := actortest.NewSystemConfig(t, actor.Config{KillGrace: 3 * time.Second})
		probe := actortest.NewProbe(t, sys)
		events := actortest.Observe(t, sys)
		release, back := make(chan struct{}), make(chan struct{})
		other := spawn(t, sys, echo())
		pid := spawn(t, sys, &scripted{receive: func(self *actor.Self, _ any) error {
			defer close(back)
			_ = self.Stash("stashed")
			<-release
			zombieDoes(t, sys, self, probe, other)
			return nil
		}}, actor.Name("stuck"))
		probe.Monitor(pid)
		tell(t, sys, pid, "in hand")
		tell(t, sys, pid, "queued")
		synctest.Wait()
		began := time.Now()
		_ = sys.Kill(pid)
		if _, ok := sys.Whereis("stuck"); !ok {
			t.Error("name freed before the grace")
		}
		probe.ExpectDown(pid, actor.ErrZombie, soon)
		if d := time.Since(began); d != 3*time.Second {
			t.Errorf("Down after %v", d)
		}
		if n := sys.Stats().Zombies; n != 1 || sys.Alive(pid) {
			t.Errorf("%d zombies, alive %v", n, sys.Alive(pid))
		}
		successor := spawn(t, sys, echo(), actor.Name("stuck"))
		actortest.Await[actor.ZombieFound](events, soon)
		close(release)
		<-back
		actortest.Await[actor.ZombieReturned](events, soon)
		if n := sys.Stats().Zombies; n != 0 {
			t.Errorf("%d zombies", n)
		}
		probe.ExpectNothing(time.Minute)
		if got, ok := sys.Whereis("stuck"); !ok || got != successor {
			t.Errorf("the name is with %v", got)
		}
		if info, _ := sys.Info(other); len(info.Links) != 0 || info.Watchers != 0 {
			t.Errorf("a zombie linked or monitored: %+v", info)
		}
		if n := sys.Stats().DeadLetters; n != 4 { // queued, stashed twice, the zombie's send
			t.Errorf("%d dead letters", n)
		}
	})
}

// zombieDoes tries everything a handler can do after its process was declared
// dead. None of it may have an effect.
func zombieDoes(t *testing.T, sys *actor.System, self *actor.Self, probe *actortest.Probe, other actor.PID) {
	if err := self.Send(probe.PID(), "from the grave"); err != actor.ErrKilled {
		t.Errorf("Send: %v", err)
	}
	if err := self.Send(probe.PID(), nil); err != actor.ErrNilMessage {
		t.Errorf("Send nil: %v", err)
	}
	if err := self.Exit(probe.PID(), errBoom); err != actor.ErrKilled {
		t.Errorf("Exit: %v", err)
	}
	if _, err := self.Spawn(echo()); err != actor.ErrKilled {
		t.Errorf("Spawn: %v", err)
	}
	if _, err := self.SpawnLink(actor.Func(nil)); err != actor.ErrKilled {
		t.Errorf("SpawnLink: %v", err)
	}
	if _, err := actor.Call[any](context.Background(), self, other, 1); !errors.Is(err, actor.ErrKilled) {
		t.Errorf("Call: %v", err)
	}
	if err := self.Register("zombie"); err != actor.ErrKilled {
		t.Errorf("Register: %v", err)
	}
	if _, err := self.Alias(); err == nil {
		t.Error("Alias succeeded")
	}
	if self.Context().Err() == nil {
		t.Error("context is alive")
	}
	_ = self.Link(other)
	self.Monitor(other)
	self.Monitor(actor.PID{})
	self.SendAfter(time.Millisecond, "tick")
	self.Every(time.Millisecond, "tick")
	self.SetReceiveTimeout(time.Millisecond)
	self.SetLabel("zombie")
	_ = self.Become(actor.Func(func(*actor.Self, any) error { return nil }))
	self.Unregister("stuck")
	self.TrapExit(true)
	self.UnstashAll()
	_ = self.Stash("stashed")
}

func TestChildrenOfAZombieAreKilled(t *testing.T) {
	bubble(t, func(t *testing.T, sys *actor.System, probe *actortest.Probe) {
		release := make(chan struct{})
		trapping := &scripted{
			init:      func(self *actor.Self) error { self.TrapExit(true); return nil },
			terminate: func(*actor.Self, error) { t.Error("Terminate of the child ran") },
		}
		var child, friend actor.PID
		friend = spawn(t, sys, echo())
		parent := spawn(t, sys, echo())
		perform(t, sys, parent, func(self *actor.Self) {
			child, _ = self.SpawnLink(trapping)
			_ = self.Link(friend)
		})
		probe.Monitor(child)
		probe.Monitor(friend)
		tell(t, sys, parent, stuck(release))
		synctest.Wait()
		_ = sys.Kill(parent)
		reasons := map[actor.Address]error{}
		for range 2 {
			down := actortest.Expect[actor.Down](probe, soon)
			reasons[down.Of] = down.Reason
		}
		if reasons[child] != actor.ErrKilled || reasons[friend] != actor.ErrZombie {
			t.Errorf("child: %v, linked process: %v", reasons[child], reasons[friend])
		}
		close(release)
		synctest.Wait()
	})
}

func TestCallsToAZombieFailWhenItIsDeclared(t *testing.T) {
	bubble(t, func(t *testing.T, sys *actor.System, _ *actortest.Probe) {
		release := make(chan struct{})
		var from actor.From
		pid := spawn(t, sys, &scripted{receive: func(self *actor.Self, msg any) error {
			switch msg {
			case "keep":
				from = self.From()
			case "stuck":
				<-release
				_ = self.Reply("too late")
			}
			return nil
		}})
		began, results := time.Now(), make(chan error)
		for _, req := range []string{"keep", "stuck", "queued", "queued"} {
			go func() {
				_, err := actor.Call[any](context.Background(), sys, pid, req)
				results <- err
			}()
			synctest.Wait()
		}
		_ = sys.Kill(pid)
		for range 4 {
			if err := <-results; !errors.Is(err, actor.ErrZombie) || time.Since(began) != actor.DefaultKillGrace {
				t.Errorf("%v after %v", err, time.Since(began))
			}
		}
		if from.Reply(1) || from.Waiting() {
			t.Error("the kept From still waits")
		}
		if _, err := actor.Call[any](t.Context(), sys, pid, 1); !errors.Is(err, actor.ErrNoProc) {
			t.Errorf("call afterwards: %v", err)
		}
		close(release)
		synctest.Wait()
	})
}
